import ArgumentParser
import FerryCore

struct WatchJob: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch", abstract: "Show how a job gets on, until it rests.",
        discussion: """
            Redrawn in place on a terminal; elsewhere a line for each change, or each answer as it came with --json. \
            Exit code 0 when the job is completed or passed validation, 1 when it ended otherwise.

            Example: ferry job watch wave-1
            """)

    @OptionGroup var options: ServerOptions
    @OptionGroup var argument: JobArgument

    @Option(help: "Seconds between two looks, from 1 on.")
    var interval = 1

    func validate() throws {
        guard (1...3600).contains(interval) else { throw ValidationError("--interval is 1 to 3600 seconds.") }
    }

    func run() async throws {
        let client = try options.client()
        guard !options.json else {
            var status = ""
            repeat {
                if !status.isEmpty { try await ContinuousClock().sleep(for: .seconds(interval)) }
                let answer = try await client.get("/ferry/jobs/\(APIClient.escaped(argument.job))/progress")
                Terminal.output.print(String(decoding: answer.body, as: UTF8.self))
                status = try (client.decode(answer) as ProgressBody).job.status
            } while !JobWatch.restingStates.contains(status)
            return try Self.judge(status)
        }
        let status = try await Self.show(
            argument.job, client: client, interval: .seconds(interval), until: JobWatch.restingStates.contains)
        try Self.judge(status)
    }

    private static func judge(_ status: String) throws {
        if !["completed", "validatePassed", "submitted"].contains(status) {
            throw ExitCode(ExitReason.failed.rawValue)
        }
    }

    /// Follows the job on the terminal; returns the status that ended the watch.
    static func show(
        _ job: String, client: APIClient, quietly: Bool = false, interval: Duration = .seconds(1),
        until isOver: (String) -> Bool
    ) async throws -> String {
        var display = LiveDisplay(on: .output)
        defer { display.finish() }
        let watch = JobWatch(client: client, clock: ContinuousClock(), now: SystemEffects.now, interval: interval)
        return try await watch.follow(job, until: isOver) { snapshot in
            if !quietly { display.show(snapshot) }
        }
    }
}
