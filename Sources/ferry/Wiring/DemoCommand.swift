import ArgumentParser
import FerryCore
import FerryServer
import FerryStore
import Logging

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Move a whole company between two tenants on this machine, from nothing to the report.",
        discussion: """
            Makes two folder tenants, Contoso with people and years of mail, calendars, contacts, files and chats in \
            many scripts, and Fabrikam with the same people and nothing yet. Then starts a server on a free port, \
            creates, validates and migrates a job through its API, shows the progress, verifies both sides, and writes \
            the report. The same seed gives the same content.

            With --mail imap both tenants keep their mail on a Dovecot of their own, with --calendar radicale calendars and \
            contacts on a Radicale, with --files webdav files on an Apache, all started for the demo on loopback. What is \
            asked for must be installed (apt-get install dovecot-imapd radicale apache2-bin).

            A demo that was interrupted, by SIGKILL even, goes on where it was with --resume.

            Examples:
              ferry demo
              ferry demo --directory /tmp/two-tenants --people 200
              ferry demo --directory /tmp/two-tenants --resume
              ferry demo --mail imap --directory /var/tmp/two-servers
              ferry demo --calendar radicale --files webdav --directory /var/tmp/two-servers
            """)

    @Option(help: "Where to put the tenants; new or empty.")
    var directory = "ferry-demo"

    @Option(help: "How many people move, 1 to 2000.")
    var people = 40

    @Option(help: "Other content for another number.")
    var seed: UInt64 = 1

    @Option(help: "Where the mail of a new demo lies: folder, or imap for two Dovecots.")
    var mail = Mail.folder

    @Option(help: "Where the calendars and contacts of a new demo lie: folder, or radicale for two Radicales.")
    var calendar = Calendar.folder

    @Option(help: "Where the files of a new demo lie: folder, or webdav for two Apaches.")
    var files = Files.folder

    @Flag(help: "Go on with a demo that was interrupted.")
    var resume = false

    @Flag(help: "Let the server run on afterwards, until SIGINT.")
    var keepRunning = false

    @OptionGroup var log: LogOption

    enum Mail: String, ExpressibleByArgument, CaseIterable {
        case folder, imap
    }

    enum Calendar: String, ExpressibleByArgument, CaseIterable {
        case folder, radicale
    }

    enum Files: String, ExpressibleByArgument, CaseIterable {
        case folder, webdav
    }

    func validate() throws {
        guard (1...2000).contains(people) else { throw ValidationError("--people is 1 to 2000.") }
    }

    func run() async throws {
        let site = try DemoSite.prepare(
            directory: directory, people: people, seed: seed, places: chosenPlaces, resume: resume)
        var configuration = try ConfigurationFile.load("\(site.root)/ferry.yaml")
        // A free port, so that a demo never meets another server.
        configuration.listen = Configuration.Listen(host: "127.0.0.1", port: 0)
        guard let issuer = try Installation.issuer(of: configuration) else {
            throw Complaint(
                "The demo signs its own tokens: add embedded to issuers in \(site.root)/ferry.yaml.",
                status: .configuration)
        }
        let servers = try await DemoServer.startAll(for: configuration, in: site.root)
        do {
            try await move(site, configuration, issuer)
        } catch {
            for server in servers { await server.stop() }
            throw error
        }
        for server in servers { await server.stop() }
    }

    /// Looks first whether that can work here, before anything is made.
    private func chosenPlaces() throws -> DemoPlaces {
        var chosen: [DemoPeer] = []
        if mail == .imap { chosen.append(.dovecot) }
        if calendar == .radicale { chosen.append(.radicale) }
        if files == .webdav { chosen.append(.apache) }
        for peer in chosen { try DemoServer.require(peer, for: directory + "/contoso") }
        let ports = try DemoServer.freePorts(2 * chosen.count)
        var places = DemoPlaces()
        for (index, peer) in chosen.enumerated() {
            places.ports[peer] = DemoPlaces.Ports(source: ports[2 * index], target: ports[2 * index + 1])
        }
        return places
    }

    private func move(_ site: DemoSite, _ configuration: Configuration, _ issuer: EmbeddedIssuer) async throws {
        let installation = try await Installation(configuration, pace: .quick, logLevel: log.level(default: .error))
        do {
            try await DemoRun(site: site, installation: installation, issuer: issuer, keepsRunning: keepRunning).run()
        } catch {
            await installation.store.close()
            throw error
        }
        await installation.store.close()
    }
}
