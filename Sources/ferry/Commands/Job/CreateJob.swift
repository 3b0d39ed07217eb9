import ArgumentParser
import FerryCore
import FerryFormats
import FoundationEssentials

struct CreateJob: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Define a job. It starts nothing: validate and migrate do.",
        discussion: """
            People are given by the object ids of the *target* users, with --user (again and again) or --users-file \
            (one per line, or a CSV file with a column id; `-` reads standard input). Without --workload all \
            workloads move.

            Examples:
              ferry job create --name wave-1 --source 11111111-1111-1111-1111-111111111111 --endpoint EXOHandler \\
                --delivery-domain fabrikam.example --date 2031-03-01T06:00:00Z --users-file wave-1.txt
              ferry job create --body wave-1.json
            """)

    @OptionGroup var options: ServerOptions

    @Option(help: "Name of the job, unique in the tenant.")
    var name: String?

    @Option(help: "Id of the tenant that people leave.")
    var source: String?

    @Option(help: "Name of the endpoint, as the trust has it. Needed for Exchange.")
    var endpoint: String?

    @Option(help: "Domain of the target that mail is forwarded to. Needed for Exchange.")
    var deliveryDomain: String?

    @Option(help: "When people may move at the earliest: RFC 3339, a day, or from now on (+14d, +36h).")
    var date: String?

    @Option(name: .customLong("user"), help: "Id of a target user; may be repeated.")
    var users: [String] = []

    @Option(help: "File with ids of target users.")
    var usersFile: String?

    @Option(
        name: .customLong("workload"), help: "Exchange, ODSP, Teams or Meeting; may be repeated. Default: all of them.")
    var workloads: [String] = []

    @Option(help: "Send this JSON file instead of the other options.")
    var body: String?

    func validate() throws {
        let hasFlags =
            name != nil || source != nil || date != nil || !users.isEmpty || usersFile != nil || endpoint != nil
            || deliveryDomain != nil || !workloads.isEmpty
        if body != nil {
            guard !hasFlags else { throw ValidationError("Give either --body or the other options.") }
            return
        }
        for (value, option) in [(name, "--name"), (source, "--source"), (date, "--date")] where value == nil {
            throw ValidationError("Missing \(option). `ferry job create --help` shows an example.")
        }
        guard !users.isEmpty || usersFile != nil else {
            throw ValidationError("Nobody would move. Give --user or --users-file.")
        }
        if let date, JobDate.instant(date, now: Instant(seconds: 0)) == nil {
            throw ValidationError("\(date.quoted) is no date. Write 2031-03-01T06:00:00Z, 2031-03-01 or +14d.")
        }
    }

    func run() async throws {
        let bytes: [UInt8]
        if let body {
            bytes = try LocalFile.contents(of: body)
        } else {
            bytes = try requestBody(now: SystemEffects.now())
        }
        let answer = try await options.client().post(APIClient.jobs, body: bytes)
        try JobCard.show(answer, options: options)
    }

    /// The body of the request; what the flags say, spelled as the API has it.
    func requestBody(now: Instant) throws -> [UInt8] {
        guard let name, let date = date.flatMap({ JobDate.instant($0, now: now) }) else {
            throw ValidationError("Missing --name or --date.")
        }
        let listed = try usersFile.map { UserList.ids(in: try LocalFile.contents(of: $0)) } ?? []
        let create = CreateBody(
            displayName: name, completeAfterDateTime: RFC3339.format(date), sourceTenantId: source,
            exchangeSettings: endpoint == nil && deliveryDomain == nil
                ? nil : CreateBody.Exchange(sourceEndpoint: endpoint, targetDeliveryDomain: deliveryDomain),
            resources: users + listed, workloads: workloads.isEmpty ? nil : workloads)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes]
        return Array(try encoder.encode(create))
    }
}

/// Ids of users out of a file: one per line, `#` begins a comment, or a CSV file whose header has a column `id`.
enum UserList {
    static func ids(in bytes: [UInt8]) -> [String] {
        let rows = CSVReader.rows(of: bytes, file: "", problems: ProblemList())
        guard let header = rows.first else { return [] }
        if let column = header.fields.firstIndex(where: { $0.text.trimmed.lowercased() == "id" }) {
            return rows.dropFirst().compactMap {
                $0.fields.indices.contains(column) ? $0.fields[column].text.trimmed : nil
            }
            .filter { !$0.isEmpty }
        }
        return rows.map { $0.fields[0].text.trimmed }.filter { !$0.isEmpty && !$0.hasPrefix("#") }
    }
}
