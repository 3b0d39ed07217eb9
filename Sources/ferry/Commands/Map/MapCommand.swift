import ArgumentParser
import FoundationEssentials

struct MapCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "map", abstract: "Build the identity map: who of the source becomes whom at the target.",
        discussion: """
            The map belongs to the tenant of the token, which is the target. What it says of a person replaces what the \
            configuration says; only completed entries count for a migration.

            From nothing to a finished map:
              ferry map match                      everybody who may leave, with the target user of the same address
              ferry map import corrections.csv     columns source,target; --overwrite replaces
              ferry map check                      conflicts, unknown people, replaced mailboxes
              ferry map complete                   agree to all in which nothing is wrong

            People are named by id, sign-in name or address.

            \(ExitReason.help)
            """,
        subcommands: [
            ListMap.self, MatchMap.self, ImportMap.self, ExportMap.self, CheckMap.self, CompleteMap.self,
            RemoveMap.self,
        ])
}

/// Which map, of those that lead to the caller's tenant.
struct MapOptions: ParsableArguments {
    @OptionGroup var server: ServerOptions

    @Option(help: "Id of the source tenant; needed where several are trusted.")
    var source: String?

    /// A path below the map, with its query.
    func path(_ rest: String = "", _ query: [(String, String?)] = []) -> String {
        let pairs = ([("source", source)] + query).compactMap { name, value in
            value.map { "\(name)=\(APIClient.escaped($0))" }
        }
        return "/ferry/identity-map" + rest + (pairs.isEmpty ? "" : "?" + pairs.joined(separator: "&"))
    }

    /// All pages of the map.
    func entries(state: String? = nil, each: (MapPageBody, APIClient.Answer) throws -> Void) async throws {
        let client = try server.client()
        var after: String?
        repeat {
            let answer = try await client.get(path("", [("state", state), ("after", after)]))
            let page: MapPageBody = try client.decode(answer)
            try each(page, answer)
            after = page.next
        } while after != nil
    }

    /// Shows what came of requests that go on until nothing is left, and fails when there was something to say.
    /// - Parameter body: gets the number of the step, and after which person it goes on.
    func show(
        _ verb: String, steps: Int = 1, _ body: (APIClient, Int, String?) async throws -> APIClient.Answer
    ) async throws {
        let client = try server.client()
        let terminal = Terminal.output
        var (changed, unchanged) = (0, 0)
        var remarks: [MapOutcomeBody.Remark] = []
        for step in 0..<steps {
            var after: String?
            repeat {
                let answer = try await body(client, step, after)
                let outcome: MapOutcomeBody = try client.decode(answer)
                if server.json { terminal.print(String(decoding: answer.body, as: UTF8.self)) }
                changed += outcome.changed
                unchanged += outcome.unchanged
                remarks += outcome.remarks
                after = outcome.next
            } while after != nil
        }
        if !server.json {
            for remark in remarks {
                terminal.print("\(remark.name): \(terminal.style(.red, remark.code)) \(remark.message)")
            }
            let rest = unchanged > 0 ? ", \(Quantity.count(Int64(unchanged))) as before" : ""
            terminal.print(
                "\(Quantity.count(Int64(changed))) \(verb)\(rest), \(Quantity.count(Int64(remarks.count))) to look at")
        }
        if !remarks.isEmpty { throw ExitCode(ExitReason.failed.rawValue) }
    }

    static func encoded(_ body: MapChangeBody) throws -> [UInt8] { Array(try JSONEncoder().encode(body)) }
}

struct ListMap: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Show the map with the state of each entry and everything that is wrong.",
        discussion: "Example: ferry map list --state mapped")

    @OptionGroup var options: MapOptions

    @Option(help: "Only entries in this state: unmapped, mapped or completed.")
    var state: String?

    func run() async throws {
        let terminal = Terminal.output
        var table = Table([.init("SOURCE"), .init("TARGET"), .init("STATE"), .init("FROM"), .init("CHANGED")])
        var findings: [String] = []
        var counts: [String: Int] = [:]
        try await options.entries(state: state) { page, answer in
            counts = page.counts
            if options.server.json { terminal.print(String(decoding: answer.body, as: UTF8.self)) }
            for entry in page.value {
                let name = entry.sourceName ?? entry.source
                table.append([
                    name, entry.targetName ?? entry.target ?? "", entry.state, entry.origin, entry.changed ?? "",
                ])
                findings += entry.findings.map { "\(name): \(terminal.style(.red, $0.code)) \($0.message)" }
            }
        }
        if options.server.json { return }
        for line in table.lines(style: terminal.style) + findings { terminal.print(line) }
        terminal.print(Self.summary(counts))
    }

    static func summary(_ counts: [String: Int]) -> String {
        ["completed", "mapped", "unmapped"].map { "\(Quantity.count(Int64(counts[$0] ?? 0))) \($0)" }
            .joined(separator: ", ")
    }
}

struct MatchMap: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "match", abstract: "Find target users by address, for everybody who may leave.",
        discussion: """
            Whoever is mapped already is passed over; whoever has no target user with one of their addresses goes into \
            the map unmapped and is listed.

            Example: ferry map match
            """)

    @OptionGroup var options: MapOptions
    @Option(name: .customLong("user"), help: "Only this source user; may be repeated.")
    var people: [String] = []
    @Flag(help: "Also match those who are mapped to somebody.")
    var overwrite = false

    func run() async throws {
        let body = try MapOptions.encoded(MapChangeBody(people: people.isEmpty ? nil : people, overwrite: overwrite))
        try await options.show("matched") { client, _, _ in
            try await client.post(options.path("/match"), body: body)
        }
    }
}

struct ImportMap: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Take a CSV file of who becomes whom.",
        discussion: """
            The first line names the columns source and target. An empty target leaves the user in the map, mapped to \
            nobody. Lines in which something is wrong are listed, the others are taken.

            Example: ferry map import pairs.csv
            """)

    @OptionGroup var options: MapOptions
    @Argument(help: "CSV file; - is standard input.")
    var file: String
    @Flag(help: "Replace what users are mapped to already; without it they are left as they are.")
    var overwrite = false

    /// Lines that go in one request.
    private static let chunk = 2000

    func run() async throws {
        let problems = ProblemList()
        let bytes: [UInt8]
        do throws(SystemFailure) { bytes = try LocalFile.contents(of: file) } catch {
            throw Complaint("Cannot read the list: \(error)", status: .usage)
        }
        let table = CSVTable(
            bytes, file: file, required: ["source"],
            optional: ["target", "sourceName", "targetName", "state", "origin", "displayName"], problems: problems)
        var entries: [MapChangeBody.Entry] = []
        for record in table.records {
            guard let source = record["source"] else {
                problems.report(
                    "The field is empty.", remedy: "Write a source user's id, sign-in name or address.",
                    at: record.place(of: "source"), key: "source")
                continue
            }
            entries.append(MapChangeBody.Entry(source: source, target: record["target"]))
        }
        if table.columns.contains("source"), !table.columns.contains("target") {
            problems.report(
                "The column is missing.", remedy: "Add it to the first line and to every row.",
                at: SourcePlace(file: file, line: 1, column: 0), key: "target")
        }
        try problems.throwIfAny(mainFile: file)
        let chunks = stride(from: 0, to: entries.count, by: Self.chunk).map { start in
            MapChangeBody(entries: Array(entries[start..<min(start + Self.chunk, entries.count)]), overwrite: overwrite)
        }
        let options = options
        try await options.show("imported", steps: chunks.count) { client, step, _ in
            try await client.post(options.path(), body: MapOptions.encoded(chunks[step]))
        }
    }
}

struct ExportMap: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Print the map as a CSV file that import takes.",
        discussion: "Example: ferry map export > pairs.csv")

    @OptionGroup var options: MapOptions

    func run() async throws {
        let terminal = Terminal.output
        if !options.server.json { terminal.print("source,target,sourceName,targetName,state,origin") }
        try await options.entries { page, answer in
            if options.server.json { return terminal.print(String(decoding: answer.body, as: UTF8.self)) }
            for entry in page.value {
                let fields = [
                    entry.source, entry.target ?? "", entry.sourceName ?? "", entry.targetName ?? "", entry.state,
                    entry.origin,
                ]
                terminal.print(fields.map(Self.field).joined(separator: ","))
            }
        }
    }

    /// RFC 4180; a text that a spreadsheet would take for a formula is left as it is, because import reads it back.
    static func field(_ text: String) -> String {
        text.contains(where: { ",\"\n\r".contains($0) })
            ? "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
            : text
    }
}

struct CheckMap: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Say everything that is wrong with the map, and change nothing.",
        discussion: """
            Finds two users who would become one, users who would move on at once, unknown users, addresses of domains \
            that the target does not own, and source mailboxes that are not the recorded ones. Exit code 0 when all is \
            well, 1 otherwise.

            Example: ferry map check
            """)

    @OptionGroup var options: MapOptions

    func run() async throws {
        let options = options
        try await options.show("checked") { client, _, after in
            try await client.get(options.path("/check", [("after", after)]))
        }
    }
}

struct CompleteMap: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "complete",
        abstract: "Agree to mappings in which nothing is wrong, and record the source mailboxes.",
        discussion: """
            Everybody who is mapped, unless users are named. With --overwrite the mailbox that a user has now is the one \
            that counts from here on: for a mailbox that was restored, say.

            Examples:
              ferry map complete
              ferry map complete --overwrite --user ada@contoso.example
            """)

    @OptionGroup var options: MapOptions
    @Option(name: .customLong("user"), help: "Only this source user; may be repeated.")
    var people: [String] = []
    @Flag(help: "Record mailboxes anew.")
    var overwrite = false

    func validate() throws {
        guard overwrite, people.isEmpty else { return }
        throw ValidationError(
            "--overwrite needs the users whose mailboxes are to be recorded anew. Name them with --user.")
    }

    func run() async throws {
        let options = options
        let (people, overwrite) = (people.isEmpty ? nil : people, overwrite)
        try await options.show("completed") { client, _, after in
            let body = try MapOptions.encoded(MapChangeBody(people: people, overwrite: overwrite, after: after))
            return try await client.post(options.path("/complete"), body: body)
        }
    }
}

struct RemoveMap: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove a user's entry; what the configuration says of the user counts again.",
        discussion: """
            To keep a user whom the configuration maps from moving, import a line with an empty target instead.

            Example: ferry map remove ada@contoso.example
            """)

    @OptionGroup var options: MapOptions
    @Argument(help: "Id, sign-in name or address of the source user.")
    var user: String

    func run() async throws {
        let options = options
        let path = options.path("/\(APIClient.escaped(user))")
        try await options.show("removed") { client, _, _ in try await client.delete(path) }
    }
}
