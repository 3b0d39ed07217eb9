import FerryConnector
import FerryCore
import Synchronization

/// Counts one pass: what it changed, and how the run's progress moves with each checkpoint.
///
/// Progress counts what the ledger says, so each checkpoint moves it by the difference that its entries make. An item
/// that is copied again after a crash makes none.
struct PassTally: Sendable {
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

    private(set) var progress: RunProgress
    var changes: Int64 = 0
    /// Items that came to the target for the first time, where the pass reports them.
    var arrivals: Int64 = 0
    /// Where something changed.
    var changedPlaces: Set<ContainerPlace> = []
    var sums = Sums()
    private let activeBefore: Int64
    private let elapsed: @Sendable () -> Duration
    private let survey: Survey.Result

    init(_ progress: RunProgress, clock: any Clock<Duration>, survey: Survey.Result) {
        self.progress = progress
        self.survey = survey
        activeBefore = progress.activeMicroseconds
        elapsed = Self.stopwatch(clock)
    }

    /// The progress to be stored now.
    var current: RunProgress {
        var current = progress
        current.activeMicroseconds = activeBefore + elapsed().wholeMicroseconds
        if current.itemsExpected == nil, let found = survey.found {
            current.itemsExpected = found.items
            current.bytesExpected = found.bytes
        }
        return current
    }

    /// An item's outcome changes in the ledger; `nil` stands for "not in it".
    mutating func count(from old: ItemOutcome?, to new: ItemOutcome?, bytes: Int64) {
        guard old != new else { return }
        switch old {
        case .copied:
            progress.items = max(0, progress.items - 1)
            progress.bytes = max(0, progress.bytes - bytes)
        case .skipped: progress.skipped = max(0, progress.skipped - 1)
        case .failed: progress.failed = max(0, progress.failed - 1)
        case .elsewhere, nil: break
        }
        switch new {
        case .copied:
            progress.items += 1
            progress.bytes += bytes
        case .skipped: progress.skipped += 1
        case .failed: progress.failed += 1
        case .elsewhere, nil: break
        }
    }

    /// Starts from what the route's ledger holds already: the run is new, the person's data has been on the way before.
    mutating func adopt(_ sums: Sums) {
        progress.items = sums.copied
        progress.bytes = sums.copiedBytes
        progress.skipped = sums.skipped
        progress.failed = sums.failed
    }

    /// The pass is complete: what was counted over the whole ledger replaces what was counted step by step.
    mutating func complete() {
        progress.items = sums.copied
        progress.bytes = sums.copiedBytes
        progress.skipped = sums.skipped
        progress.failed = sums.failed
        progress.itemsExpected = sums.copied + sums.skipped + sums.failed
        progress.bytesExpected = sums.expectedBytes
        progress.passes += 1
        progress = current
    }

    static func stopwatch(_ clock: some Clock<Duration>) -> @Sendable () -> Duration {
        let start = clock.now
        return { start.duration(to: clock.now) }
    }
}
