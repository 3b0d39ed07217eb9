import ArgumentParser
import FerryCore
import FerryFormats
import FoundationEssentials

struct ValidateJob: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate", abstract: "Check everybody in a job without moving anything.",
        discussion: """
            With --wait returns when the result is there: exit code 0 for validatePassed, 1 otherwise; what is wrong \
            is then listed person by person.

            With --dry-run nothing is judged and the job stays in its state: all data are listed, and what a move would \
            come to is shown: how much there is, what would be skipped and why, who is not mapped, how long it takes.

            Examples:
              ferry job validate wave-1 --wait
              ferry job validate wave-1 --dry-run --html wave-1.html
            """)

    @OptionGroup var options: ServerOptions
    @OptionGroup var argument: JobArgument
    @Flag(help: "Wait for the result.")
    var wait = false
    @Flag(help: "List all data and say what a move would come to; waits for the end.")
    var dryRun = false
    @Option(help: ArgumentHelp("With --dry-run: a CSV file to write.", valueName: "file"))
    var csv: String?
    @Option(help: ArgumentHelp("With --dry-run: an HTML file to write.", valueName: "file"))
    var html: String?

    func validate() throws {
        guard dryRun || (csv == nil && html == nil) else {
            throw ValidationError("--csv and --html belong to --dry-run.")
        }
    }

    /// Makes a dry run, or joins one that runs, and waits for its end.
    private func showDryRun(_ client: APIClient) async throws {
        let path = "/ferry/jobs/\(APIClient.escaped(argument.job))/dryRun"
        var answer = try await client.post(path)
        var body: DryRunBody = try client.decode(answer)
        while body.state == "running" {
            try await ContinuousClock().sleep(for: .seconds(1))
            answer = try await client.get(path)
            body = try client.decode(answer)
        }
        if let csv { try LocalFile.write(try await client.get(path + "?format=csv").body, to: csv) }
        if let html { try LocalFile.write(try await client.get(path + "?format=html").body, to: html) }
        if options.json {
            Terminal.output.print(String(decoding: answer.body, as: UTF8.self))
        } else {
            for line in DryRunText.lines(body, style: Terminal.output.style) { Terminal.output.print(line) }
        }
        if body.state != "completed" { throw ExitCode(ExitReason.failed.rawValue) }
    }

    func run() async throws {
        let client = try options.client()
        if dryRun { return try await showDryRun(client) }
        let answer = try await client.post(APIClient.job(argument.job) + "/validate")
        guard wait else { return try JobCard.show(answer, options: options) }
        let id = try (client.decode(answer) as JobBody).id
        let status = try await WatchJob.show(
            id, client: client, quietly: options.json, until: { !JobWatch.validatingStates.contains($0) })
        try JobCard.show(try await client.get(APIClient.job(id)), options: options)
        guard status != "validatePassed" else { return }
        if !options.json {
            var tasks: [TaskBody] = []
            try await client.pages(of: APIClient.job(id) + "/users", as: TaskBody.self, follow: true) { page, _ in
                tasks += page.filter { $0.currentStatus.contains { !($0.errors ?? []).isEmpty } }
            }
            for line in ListJobUsers.lines(tasks, style: Terminal.output.style) { Terminal.output.print(line) }
        }
        throw ExitCode(ExitReason.failed.rawValue)
    }
}

struct MigrateJob: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Start moving; the cutover waits for the job's date.",
        discussion: """
            The job must have passed validation within the last seven days; a job that failed is tried again, and \
            only what failed. With --wait shows the progress to the end: exit code 0 for completed, 1 otherwise.

            Example: ferry job migrate wave-1 --wait
            """)

    @OptionGroup var options: ServerOptions
    @OptionGroup var argument: JobArgument
    @Flag(help: "Show the progress until the job has ended.")
    var wait = false

    func run() async throws {
        let client = try options.client()
        let answer = try await client.post(APIClient.job(argument.job) + "/migrate")
        guard wait else { return try JobCard.show(answer, options: options) }
        let id = try (client.decode(answer) as JobBody).id
        let status = try await WatchJob.show(
            id, client: client, quietly: options.json, until: JobWatch.finalStates.contains)
        try JobCard.show(try await client.get(APIClient.job(id)), options: options)
        if status != "completed" { throw ExitCode(ExitReason.failed.rawValue) }
    }
}

struct RescheduleJob: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reschedule", abstract: "Change a job's date; a past one means now.",
        discussion: "Example: ferry job reschedule wave-1 --date +2d")

    @OptionGroup var options: ServerOptions
    @OptionGroup var argument: JobArgument
    @Option(help: "RFC 3339, a day, or from now on (+14d, +36h).")
    var date: String

    func validate() throws {
        guard JobDate.instant(date, now: Instant(seconds: 0)) != nil else {
            throw ValidationError("\(date.quoted) is no date. Write 2031-03-01T06:00:00Z, 2031-03-01 or +14d.")
        }
    }

    func run() async throws {
        guard let instant = JobDate.instant(date, now: SystemEffects.now()) else { return }
        let body = try JSONEncoder().encode(["completeAfterDateTime": RFC3339.format(instant)])
        _ = try await options.client().patch(APIClient.job(argument.job), body: Array(body))
        if !options.json { Terminal.output.print("The date is now \(RFC3339.format(instant)).") }
    }
}

struct CancelJob: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "Stop a job, or take one person out of it.",
        discussion: """
            Examples:
              ferry job cancel wave-1
              ferry job cancel wave-1 --user 20000000-bbbb-4000-8000-00000000000a
            """)

    @OptionGroup var options: ServerOptions
    @OptionGroup var argument: JobArgument
    @Option(help: "Id of the user to take out; the others go on.")
    var user: String?

    func run() async throws {
        let client = try options.client()
        let person = user.map { "/users/\(APIClient.escaped($0))" } ?? ""
        let answer = try await client.post(APIClient.job(argument.job) + person + "/cancel")
        if options.json {
            Terminal.output.print(String(decoding: answer.body, as: UTF8.self))
        } else {
            let body: CancelBody = try client.decode(answer)
            Terminal.output.print(body.message ?? body.status ?? "Accepted.")
        }
    }
}

struct ApproveJob: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "approve", abstract: "Agree to leave behind what a job cannot move.",
        discussion: """
            A job that shows adminActionRequired has users of whom a few items cannot be moved; ferry job report lists \
            them. Whoever is approved is cut over at once, and the items stay at the source.

            Examples:
              ferry job approve wave-1
              ferry job approve wave-1 --user 20000000-bbbb-4000-8000-00000000000a
            """)

    @OptionGroup var options: ServerOptions
    @OptionGroup var argument: JobArgument
    @Option(help: "Id of the one user to approve; without it everybody who waits.")
    var user: String?

    func run() async throws {
        let client = try options.client()
        let person = user.map { "/users/\(APIClient.escaped($0))" } ?? ""
        let answer = try await client.post("/ferry/jobs/\(APIClient.escaped(argument.job))\(person)/approve")
        if options.json {
            Terminal.output.print(String(decoding: answer.body, as: UTF8.self))
        } else {
            let body: ProgressBody = try client.decode(answer)
            Terminal.output.print("Approved. The job is now \(body.job.status).")
        }
    }
}

struct DeleteJob: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Remove a job that has ended. What was moved stays.",
        discussion: "Example: ferry job delete wave-1")

    @OptionGroup var options: ServerOptions
    @OptionGroup var argument: JobArgument

    func run() async throws {
        _ = try await options.client().delete(APIClient.job(argument.job))
        if !options.json { Terminal.output.print("The deletion was accepted.") }
    }
}
