import FerryCore
import FerryLDAP

/// What `ferry check` says of the servers that name people.
enum DirectoryCheck {
    struct Result: Encodable, Hashable, Sendable {
        var tenant: String
        var url: String
        var people: Int
        /// What is wrong and how to mend it: with the server, with entries, with groups, with files that name people.
        var problems: [String]
    }

    static func results(_ directory: LiveDirectory, _ failures: [TenantID: LDAPFailure]) -> [Result] {
        var results = directory.servers.map { server in
            let roster = directory.roster(of: server.tenant)
            let groups = (roster?.groups ?? [:]).sorted { $0.key < $1.key }.compactMap { group -> String? in
                if case .unknown(let problem) = group.value { problem } else { nil }
            }
            return Result(
                tenant: server.name, url: server.source.settings.url, people: roster?.people.count ?? 0,
                problems: (failures[server.tenant].map { ["\($0)"] } ?? []) + groups
                    + (roster?.findings.map(\.description) ?? []))
        }
        // Without the people nothing can be said of their names in files.
        if failures.isEmpty, !results.isEmpty { results[0].problems += directory.problems.map(\.description) }
        return results
    }

    static func lines(_ results: [Result], style: Style) -> [String] {
        guard !results.isEmpty else { return [] }
        var table = Table([.init("DIRECTORY"), .init("TENANT"), .init("PEOPLE", .right), .init("RESULT")])
        for result in results {
            let count = result.problems.count
            table.append([
                result.url, result.tenant, String(result.people),
                count == 0 ? style(.green, "ok") : style(.red, count == 1 ? "1 problem" : "\(count) problems"),
            ])
        }
        return [""] + table.lines(style: style) + results.flatMap(\.problems)
    }
}
