import ArgumentParser
import CAllocator
import Glibc

/// The program. Every error of every verb ends here, as lines on standard error and an exit code.
@main
struct Ferry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ferry",
        abstract: "Moves people between tenants: mail, calendars, contacts, meetings, files and chats.",
        discussion: """
            The API is that of Microsoft Graph's cross-tenant migration, so its SDKs and scripts work unchanged.

            To see it work:      ferry demo
            To begin:            ferry init my-ferry
            To run it:           ferry serve --config my-ferry/ferry.yaml

            \(ExitReason.help)
            """,
        version: "1.0.0",
        subcommands: [
            ServeCommand.self, DemoCommand.self, InitCommand.self, CheckCommand.self, TokenCommand.self,
            VerifyCommand.self,
            JobCommand.self, MapCommand.self, AuditCommand.self,
        ])

    static func main() async {
        ferry_settle_allocator()
        // Whoever reads our output may go away; that is no reason to die by a signal.
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            if let complaint = Complaint(error) {
                complaint.print(on: .errors)
                Glibc.exit(complaint.status.rawValue)
            }
            exit(withError: error)
        }
    }
}
