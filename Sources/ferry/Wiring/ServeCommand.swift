import ArgumentParser
import FerryServer
import FerryStore
import Logging
import ServiceLifecycle

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Run the server: API and workers.",
        discussion: """
            Runs until SIGTERM or SIGINT; then takes no more work, brings running pages to their checkpoint and ends, \
            after 20 seconds in any case. What SIGKILL or a power cut interrupts goes on at the next start.

            Example: ferry serve --config ferry.yaml

            \(ExitReason.help)
            """)

    @OptionGroup var file: ConfigurationOption
    @OptionGroup var log: LogOption

    func run() async throws {
        let configuration = try file.load()
        let issuer = try Installation.issuer(of: configuration)
        let installation = try await Installation(configuration, logLevel: log.level(default: .info))
        let services = installation.makeServices(issuer: issuer) { port in
            Terminal.output.print(
                "Ferry listens on \(Installation.address(host: configuration.listen.host, port: port))")
        }
        do {
            try await services.run()
        } catch {
            await installation.store.close()
            throw error
        }
        await installation.store.close()
    }
}
