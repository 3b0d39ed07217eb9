import FerryCore
import FerryFormats

/// Makes snapshots for a display out of what the server says from time to time; rates per workload are its own, taken
/// over the last few answers.
struct ProgressMeter {
    private struct Sample {
        var at: Instant
        var items: [String: Int64]
        var bytes: [String: Int64]
    }

    private let began: Instant
    private var samples: [Sample] = []
    /// Answers that the rate is taken over.
    private static let window = 8

    init(began: Instant) { self.began = began }

    mutating func snapshot(of body: ProgressBody, at now: Instant) -> ProgressSnapshot {
        samples.append(
            Sample(
                at: now, items: Dictionary(body.workloads.map { ($0.workload, $0.items) }, uniquingKeysWith: +),
                bytes: Dictionary(body.workloads.map { ($0.workload, $0.bytes) }, uniquingKeysWith: +)))
        if samples.count > Self.window { samples.removeFirst(samples.count - Self.window) }
        let remaining = body.estimatedEnd.flatMap { RFC3339.parse($0) }.map { ($0 - now).inSeconds }
        return ProgressSnapshot(
            name: body.job.displayName, status: body.job.status,
            peopleDone: body.job.peopleCompleted + body.job.peopleCancelled, people: body.job.people,
            elapsedSeconds: (now - began).inSeconds,
            remainingSeconds: remaining.flatMap { $0 > 0 ? $0 : nil },
            lines: body.workloads.map { workload in
                ProgressSnapshot.Line(
                    name: workload.workload, items: workload.items, itemsExpected: workload.itemsExpected,
                    bytes: workload.bytes, bytesExpected: workload.bytesExpected, skipped: workload.skipped,
                    failed: workload.failed, itemsPerSecond: rate(of: workload.workload, \.items),
                    bytesPerSecond: rate(of: workload.workload, \.bytes), states: workload.states)
            })
    }

    /// Growth per second over the window; `nil` with fewer than two answers.
    private func rate(of workload: String, _ counts: KeyPath<Sample, [String: Int64]>) -> Double? {
        guard let first = samples.first, let last = samples.last, first.at < last.at,
            let before = first[keyPath: counts][workload], let after = last[keyPath: counts][workload]
        else { return nil }
        return max(0, Double(after - before)) / (last.at - first.at).inSeconds
    }
}
