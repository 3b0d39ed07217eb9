import FerryCore

/// Follows a job until something ends the watch.
struct JobWatch {
    let client: APIClient
    let clock: any Clock<Duration>
    let now: @Sendable () -> Instant
    /// Between two looks.
    var interval: Duration = .seconds(1)

    /// States that a job does not leave without somebody asking for it.
    static let restingStates: Set<String> = [
        "completed", "completedWithErrors", "failed", "cancelled", "validatePassed", "validateFailed", "submitted",
        "deleted", "adminActionRequired",
    ]

    /// Final states, from which only migrate leads on.
    static let finalStates: Set<String> = ["completed", "completedWithErrors", "failed", "cancelled", "deleted"]

    /// States in which the checks are on their way.
    static let validatingStates: Set<String> = ["validateSubmitted", "validateProcessing", "validateInProgress"]

    /// Asks again and again, gives each answer to `each`, and returns the status for which `isOver` is true.
    func follow(
        _ job: String, until isOver: (String) -> Bool, each: (ProgressSnapshot) -> Void
    ) async throws -> String {
        var meter = ProgressMeter(began: now())
        while true {
            let body: ProgressBody = try await client.decode(
                client.get("/ferry/jobs/\(APIClient.escaped(job))/progress"))
            each(meter.snapshot(of: body, at: now()))
            if isOver(body.job.status) { return body.job.status }
            try await clock.sleep(for: interval)
        }
    }
}
