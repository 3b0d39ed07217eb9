import ArgumentParser
import FerryConnector
import FerryCore
import FoundationEssentials
import Logging

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Connect to everything and say what is wrong and how to mend it.",
        discussion: """
            Reads the configuration, asks every issuer for its keys and every directory for its people, then looks at every person at every service: can \
            the source be read, can the target be written. Changes nothing. Exit code 0 when all is well, 1 when something is wrong, 78 when the \
            configuration itself is.

            Example: ferry check --config ferry.yaml
            """)

    @OptionGroup var file: ConfigurationOption

    @Flag(help: "Print the result as JSON.")
    var json = false

    func run() async throws {
        let configuration = try file.load()
        let issuers = try await IssuerCheck(configuration: configuration).results()
        let logger = Logger(label: "ferry") { LogfmtHandler(label: $0, level: .critical) }
        let (directory, failures) = await LiveDirectory.open(configuration, logger: logger)
        let directories = DirectoryCheck.results(directory, failures)
        let results = await EndpointCheck(configuration, directory).results()
        let output = Terminal.output
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
            output.print(
                String(
                    decoding: try encoder.encode(Report(issuers: issuers, directories: directories, services: results)),
                    as: UTF8.self))
        } else {
            for line in IssuerCheck.lines(issuers, style: output.style) { output.print(line) }
            for line in DirectoryCheck.lines(directories, style: output.style) { output.print(line) }
            output.print("")
            for line in Self.lines(results, style: output.style) { output.print(line) }
        }
        if results.contains(where: { !$0.problems.isEmpty }) || issuers.contains(where: { $0.problem != nil })
            || directories.contains(where: { !$0.problems.isEmpty })
        {
            throw ExitCode(ExitReason.failed.rawValue)
        }
    }

    /// What `--json` prints.
    private struct Report: Encodable {
        var issuers: [IssuerCheck.Result]
        var directories: [DirectoryCheck.Result]
        var services: [EndpointCheck.Result]
    }

    static func lines(_ results: [EndpointCheck.Result], style: Style) -> [String] {
        var table = Table([
            .init("TENANT"), .init("SERVICE"), .init("AS"), .init("PEOPLE", .right), .init("ITEMS", .right),
            .init("RESULT"),
        ])
        for result in results {
            let count = result.problems.count
            table.append([
                result.tenant, result.service, result.role, String(result.people), Quantity.count(result.items),
                count == 0 ? style(.green, "ok") : style(.red, count == 1 ? "1 problem" : "\(count) problems"),
            ])
        }
        var lines = table.lines(style: style)
        for result in results where !result.peer.isEmpty {
            let room = result.leastRoom.map { ", least room \(Quantity.bytes($0))" } ?? ""
            lines.append("\(result.tenant) \(result.service) (\(result.role)): \(result.peer)\(room)")
        }
        for result in results where !result.problems.isEmpty {
            lines.append("")
            lines.append(style(.bold, "\(result.tenant) \(result.service)"))
            for problem in result.problems { lines.append("  \(problem.person): \(problem.message)") }
        }
        return lines
    }
}

/// Probes every person at every service of the configuration, a few at a time.
struct EndpointCheck {
    struct Problem: Encodable, Hashable, Sendable {
        var person: String
        /// What is wrong and how to mend it.
        var message: String
    }

    /// One service of one tenant.
    struct Result: Encodable, Hashable, Sendable {
        var tenant: String
        var service: String
        /// `source` or `target`.
        var role: String
        var people: Int
        var items: Int64
        /// What the server is and what it lacks; empty where there is nothing to tell.
        var peer: String
        /// Free room in bytes of the person who has least; `nil` where the service does not say.
        var leastRoom: Int64?
        var problems: [Problem]
    }

    private let configuration: Configuration
    private let directory: any Directory
    private static let width = 8

    init(_ configuration: Configuration, _ directory: (any Directory)? = nil) {
        self.configuration = configuration
        self.directory = directory ?? ConfiguredDirectory(configuration)
    }

    func results() async -> [Result] {
        let connections = ConnectionTable(configuration, now: SystemEffects.now)
        var results: [Result] = []
        for trust in configuration.trusts {
            let scope = directory.trust(from: trust.source, to: trust.target)?.scope
            let pairs = directory.identityMap(from: trust.source, to: trust.target).targets
                .filter { scope?.contains($0.key) ?? true }
            for (tenantID, role, ids) in [
                (trust.source, AccountRole.source, Set(pairs.keys)), (trust.target, .target, Set(pairs.values)),
            ] {
                guard let tenant = configuration.tenants.first(where: { $0.id == tenantID }) else { continue }
                let people = directory.people(in: tenantID).filter { ids.contains($0.id) }.sorted { $0.id < $1.id }
                for service in ServiceKind.allCases {
                    guard let connector = connections.connector(of: tenantID, for: service) else { continue }
                    results.append(await check(people, of: tenant, at: connector, as: role))
                }
            }
        }
        return results
    }

    private func check(
        _ people: [Person], of tenant: TenantConfiguration, at connector: any Connector, as role: AccountRole
    ) async -> Result {
        var result = Result(
            tenant: tenant.name, service: connector.service.rawValue, role: role == .source ? "source" : "target",
            people: people.count, items: 0, peer: "", leastRoom: nil, problems: [])
        await withTaskGroup(of: (Person, Swift.Result<AccountFacts, ConnectorError>).self) { group in
            var waiting = people[...]
            func startNext() {
                guard let person = waiting.popFirst() else { return }
                group.addTask {
                    let account = Account(
                        tenant: tenant.id, person: person, login: person.logins[connector.service] ?? person.mail)
                    do throws(ConnectorError) {
                        return (person, .success(try await connector.probe(account, as: role)))
                    } catch {
                        return (person, .failure(error))
                    }
                }
            }
            for _ in 0..<Self.width { startNext() }
            for await (person, outcome) in group {
                startNext()
                switch outcome {
                case .success(let facts):
                    result.items += facts.items ?? 0
                    if result.peer.isEmpty { result.peer = facts.peer }
                    if let room = facts.roomBytes { result.leastRoom = min(result.leastRoom ?? .max, room) }
                    if let message = Self.problem(facts, role) {
                        result.problems.append(Problem(person: person.userPrincipalName, message: message))
                    }
                case .failure(let error):
                    result.problems.append(
                        Problem(person: person.userPrincipalName, message: "\(error.code.rawValue): \(error.context)"))
                }
            }
        }
        result.problems.sort { ($0.person, $0.message) < ($1.person, $1.message) }
        return result
    }

    /// `nil` when nothing stands in the way of a move.
    static func problem(_ facts: AccountFacts, _ role: AccountRole) -> String? {
        let remark = facts.remark.isEmpty ? "" : " \(facts.remark)"
        switch role {
        case .source where !facts.exists:
            return "There is no such account.\(remark) Mend the login in the tenant's people, or create the account."
        case .source where !facts.isReadable:
            return "The account cannot be read.\(remark) Give Ferry's user the right to read it."
        case .target where !facts.isWritable:
            return
                "The account cannot be written.\(remark) Create its parent, or give Ferry's user the right to write it."
        default:
            return nil
        }
    }
}
