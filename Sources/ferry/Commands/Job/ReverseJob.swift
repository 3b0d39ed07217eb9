import ArgumentParser
import FerryCore
import FerryFormats
import FoundationEssentials

struct ReverseJob: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reverse", abstract: "Define the job that brings people back whom a job has moved.",
        discussion: """
            A job belongs to the tenant that people go to, so the way back is a job of the tenant that they left, and is \
            created with a token of that tenant (--back-token or FERRY_BACK_TOKEN). Without one, only shows what would be \
            created. Says what is missing, such as the trust in the other direction, and then creates nothing.

            The new job starts nothing: validate and migrate it as every other. What people have done at their new home \
            comes back with them; what still lies where they were is not doubled. Their old place is opened again when \
            the migration begins, and gets its mail again when they are cut over.

            Examples:
              ferry job reverse wave-1
              ferry job reverse wave-1 --user 20000000-bbbb-4000-8000-00000000000a --date +2d --back-token "$CONTOSO"
            """)

    @OptionGroup var options: ServerOptions
    @OptionGroup var argument: JobArgument

    @Option(
        name: .customLong("user"), help: "Id of one user to bring back; may be repeated. Default: all who have moved.")
    var users: [String] = []

    @Option(help: "Name of the new job. Default: the name of the old one, and -back.")
    var name: String?

    @Option(help: "When people may move at the earliest: RFC 3339, a day, or from now on (+14d, +36h).")
    var date = "+1d"

    @Option(help: "Token of the tenant that people left.")
    var backToken: String?

    func validate() throws {
        guard JobDate.instant(date, now: Instant(seconds: 0)) != nil else {
            throw ValidationError("\(date.quoted) is no date. Write 2031-03-01T06:00:00Z, 2031-03-01 or +14d.")
        }
    }

    func run() async throws {
        let client = try options.client()
        let answer = try await client.get("/ferry/jobs/\(APIClient.escaped(argument.job))/reversal")
        let reversal: ReversalBody = try client.decode(answer)
        let job: JobBody = try client.decode(try await client.get(APIClient.job(argument.job)))
        let chosen = try chosen(from: reversal)
        // What stands in the way of others does not matter.
        let missing = reversal.missing.filter { text in
            users.isEmpty || !reversal.users.contains { text.contains($0.user) }
                || chosen.contains { text.contains($0.user) }
        }
        guard let token = options.backToken(backToken) else {
            return show(reversal, chosen, missing, job.displayName, answer)
        }
        let blocking = missing.filter { !$0.hasSuffix("is left out.") }
        guard blocking.isEmpty else { throw Complaint(lines: blocking, status: .refused) }
        for text in missing { Terminal.errors.print(text) }
        guard let instant = JobDate.instant(date, now: SystemEffects.now()) else { return }
        let body = CreateBody(
            displayName: name ?? "\(job.displayName)-back", completeAfterDateTime: RFC3339.format(instant),
            sourceTenantId: reversal.sourceTenantId,
            exchangeSettings: CreateBody.Exchange(
                sourceEndpoint: reversal.sourceEndpoint, targetDeliveryDomain: reversal.targetDeliveryDomain),
            resources: chosen.map(\.resource), workloads: reversal.workloads)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes]
        let created = try await options.client(token: token).post(APIClient.jobs, body: Array(try encoder.encode(body)))
        try JobCard.show(created, options: options)
    }

    private func chosen(from reversal: ReversalBody) throws -> [ReversalBody.User] {
        for user in users where !reversal.users.contains(where: { $0.user == user.lowercased() }) {
            throw Complaint("User \(user) has not been moved by this job.", status: .refused)
        }
        let wanted = Set(users.map { $0.lowercased() })
        return wanted.isEmpty ? reversal.users : reversal.users.filter { wanted.contains($0.user) }
    }

    private func show(
        _ reversal: ReversalBody, _ chosen: [ReversalBody.User], _ missing: [String], _ name: String,
        _ answer: APIClient.Answer
    ) {
        let terminal = Terminal.output
        if options.json { return terminal.print(String(decoding: answer.body, as: UTF8.self)) }
        terminal.print(
            "\(JobCard.people(chosen.count)) of \(name) would go back from \(reversal.sourceTenantId) to"
                + " \(reversal.targetTenantId).")
        for text in missing { terminal.print(terminal.style(.red, text)) }
        if missing.isEmpty {
            terminal.print("Nothing is missing. Give --back-token, a token of the latter tenant, to create the job.")
        }
    }
}
