import FerryConnector
import FerryCore
import Synchronization

/// Counts one pass: what it changed, and how the run's progress moves with each checkpoint. Shared by all that work on the pass.
///
/// Progress counts what the ledger says, so each checkpoint moves it by the difference that its entries make. An item
/// that is copied again after a crash makes none.
final class PassTally: Sendable {
    /// Counted over whole containers while they are gone through; the truth at the end of the pass.
    struct Sums: Sendable, Hashable {
        var copied: Int64 = 0
        var copiedBytes: Int64 = 0
        var expectedBytes: Int64 = 0
        var skipped: Int64 = 0
        var failed: Int64 = 0

        mutating func add(_ entries: LedgerEntries.Tally) {
            copied += Int64(entries.copied)
            skipped += Int64(entries.skipped)
            failed += Int64(entries.failed)
        }
    }

    private struct State: Sendable {
        var progress: RunProgress
        var changes: Int64 = 0
        var arrivals: Int64 = 0
        var changedPlaces: Set<ContainerPlace> = []
        var sums = Sums()
    }

    private let state: Mutex<State>
    private let activeBefore: Int64
    private let elapsed: @Sendable () -> Duration
    private let survey: Survey.Result

    init(_ progress: RunProgress, clock: any Clock<Duration>, survey: Survey.Result) {
        state = Mutex(State(progress: progress))
        self.survey = survey
        activeBefore = progress.activeMicroseconds
        elapsed = Self.stopwatch(clock)
    }

    /// The progress to be stored now.
    var current: RunProgress { timed(state.withLock { $0.progress }) }

    /// What the pass came to.
    var result: PassResult {
        state.withLock { state in
            PassResult(
                changes: state.changes, arrivals: state.arrivals, changedPlaces: state.changedPlaces,
                progress: state.progress)
        }
    }

    private func timed(_ progress: RunProgress) -> RunProgress {
        var current = progress
        current.activeMicroseconds = activeBefore + elapsed().wholeMicroseconds
        if current.itemsExpected == nil, let found = survey.found {
            current.itemsExpected = found.items
            current.bytesExpected = found.bytes
        }
        return current
    }

    /// An item's outcome changes in the ledger; `nil` stands for "not in it".
    func count(from old: ItemOutcome?, to new: ItemOutcome?, bytes: Int64) {
        guard old != new else { return }
        state.withLock { state in
            switch old {
            case .copied:
                state.progress.items = max(0, state.progress.items - 1)
                state.progress.bytes = max(0, state.progress.bytes - bytes)
            case .skipped: state.progress.skipped = max(0, state.progress.skipped - 1)
            case .failed: state.progress.failed = max(0, state.progress.failed - 1)
            case .elsewhere, nil: break
            }
            switch new {
            case .copied:
                state.progress.items += 1
                state.progress.bytes += bytes
            case .skipped: state.progress.skipped += 1
            case .failed: state.progress.failed += 1
            case .elsewhere, nil: break
            }
        }
    }

    /// Items were copied, updated or removed at the target; `nil` for a place that the source does not have any more.
    func note(changes: Int64, in place: ContainerPlace?) {
        guard changes > 0 else { return }
        state.withLock { state in
            state.changes += changes
            if let place { state.changedPlaces.insert(place) }
        }
    }

    /// An item came to the target for the first time, and the pass reports those.
    func noteArrival() { state.withLock { $0.arrivals += 1 } }

    /// A container was gone through: what its ledger holds, and the content bytes that are copied and that are to be.
    func complete(_ entries: LedgerEntries.Tally, copiedBytes: Int64 = 0, expectedBytes: Int64 = 0) {
        state.withLock { state in
            state.sums.add(entries)
            state.sums.copiedBytes += copiedBytes
            state.sums.expectedBytes += expectedBytes
        }
    }

    /// Starts from what the route's ledger holds already: the run is new, the person's data has been on the way before.
    func adopt(_ sums: Sums) {
        state.withLock { $0.progress.take(sums) }
    }

    /// The pass is complete: what was counted over the whole ledger replaces what was counted step by step.
    func complete() {
        state.withLock { state in
            let sums = state.sums
            state.progress.take(sums)
            state.progress.itemsExpected = sums.copied + sums.skipped + sums.failed
            state.progress.bytesExpected = sums.expectedBytes
            state.progress.passes += 1
            state.progress = timed(state.progress)
        }
    }

    static func stopwatch(_ clock: some Clock<Duration>) -> @Sendable () -> Duration {
        let start = clock.now
        return { start.duration(to: clock.now) }
    }
}

extension RunProgress {
    fileprivate mutating func take(_ sums: PassTally.Sums) {
        items = sums.copied
        bytes = sums.copiedBytes
        skipped = sums.skipped
        failed = sums.failed
    }
}
