import ArgumentParser
import CAllocator

/// The measuring parts of `script/bench`. Each verb does one thing in a process of its own and prints one JSON line.
@main
struct FerryBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ferry-bench", abstract: "What script/bench measures with; not shipped.",
        subcommands: [
            MakeMailbox.self, MakeFile.self, CopyFolder.self, CopyMail.self, CopyDAV.self, SeedJobs.self, Schedule.self,
            InFlight.self, Resume.self, FreezeMail.self,
            Simulate.self, BareServer.self, BareInsert.self, CheckToken.self,
        ])

    static func main() async {
        // As the server has it, since its memory is measured.
        ferry_settle_allocator()
        await main(nil)
    }
}
