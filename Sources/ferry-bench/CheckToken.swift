import ArgumentParser
import FerryCore
import FerryEngine
import FerryServer
import FerryTestKit
import Logging

/// What a request pays for its bearer token once that token has been seen.
struct CheckToken: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check one token again and again, and another one for the first time again and again.")

    @Option(help: "How often the token is checked that was seen before.") var times = 1_000_000
    @Option(help: "How many tokens are checked that were not.") var fresh = 2_000

    func run() async throws {
        let start = ContinuousClock.now
        var logger = Logger(label: "bench")
        logger.logLevel = .error
        let issuer = EmbeddedIssuer.ephemeral()
        let authenticator = Authenticator(
            settings: AuthenticationSettings(tenants: [StaticDirectory.target], cachedTokens: fresh * 4),
            embedded: issuer, now: { Instant.wallClock }, uptime: { start.duration(to: .now) }, logger: logger)
        authenticator.prepare()
        let headers = try (0...fresh).map { number in
            let request = TokenRequest(
                tenant: StaticDirectory.target,
                rights: .delegated(
                    userPrincipalName: "admin@south.example", scopes: [Permission.readWrite.rawValue],
                    roles: [AuthenticationSettings.migrationAdministrator]),
                objectID: Effects.real.makeGUID(), applicationID: "bench-\(number)")
            return "Bearer " + (try issuer.issue(request, effects: .real))
        }
        let clock = ContinuousClock()
        let first = try await clock.measure {
            for header in headers.dropFirst() { _ = try await authenticator.principal(authorization: header) }
        }
        _ = try await authenticator.principal(authorization: headers[0])
        let again = try await clock.measure {
            for _ in 0..<times { _ = try await authenticator.principal(authorization: headers[0]) }
        }
        var measurement = Measurement()
        measurement.add("tokenBytes", Int64(headers[0].utf8.count))
        measurement.add("firstSeconds", seconds: first / fresh)
        measurement.add("againSeconds", seconds: again / times)
        measurement.finish()
    }
}
