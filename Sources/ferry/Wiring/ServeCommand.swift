import ArgumentParser
import FerryServer
import FerryStore
import Logging
import ServiceLifecycle

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Run the server: API and workers.",
        discussion: """
            Runs until SIGTERM or SIGINT; then takes no more requests, lets those that run come to their end, brings \
            running pages to their checkpoint and ends, 20 seconds after the requests in any case. A second signal ends \
            it at once. What SIGKILL or a power cut interrupts goes on at the next start. With TLS, SIGHUP reads the \
            certificate again.

            Example: ferry serve --config ferry.yaml

            \(ExitReason.help)
            """)

    @OptionGroup var file: ConfigurationOption
    @OptionGroup var log: LogOption

    func run() async throws {
        let configuration = try file.load()
        let issuer = try Installation.issuer(of: configuration)
        let certificate = try Installation.certificate(of: configuration)
        let installation = try await Installation(configuration, logLevel: log.level(default: .info))
        let services = installation.makeServices(issuer: issuer, certificate: certificate) { port in
            let address = Installation.address(
                host: configuration.listen.host, port: port, isEncrypted: certificate != nil)
            Terminal.output.print("Ferry listens on \(address)")
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
