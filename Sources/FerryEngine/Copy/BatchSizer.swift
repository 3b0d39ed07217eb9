import FerryConnector
import Synchronization

/// Decides how much goes into the next batch, from how long the last ones took.
///
/// A batch should take `aim`: then a crash costs little and commits do not matter. Grows and shrinks by at most a factor
/// of two per batch, so that one stalled write does not throw the size away.
struct BatchSizer: Sendable, Hashable {
    /// Items of the next batch, 1 ... `largestItems`.
    private(set) var items: Int
    /// Bytes of the next batch, 64 KiB ... `largestBytes`.
    private(set) var bytes: Int64

    private let aim: Duration
    private let largestItems: Int
    private let largestBytes: Int64

    init(_ capabilities: TargetCapabilities, _ settings: CopySettings) {
        aim = settings.batchTime
        largestItems = max(1, settings.largestBatchItems)
        largestBytes = max(1, settings.largestBatchBytes)
        items = min(max(1, capabilities.batchItems), largestItems)
        bytes = min(max(1, capabilities.batchBytes), largestBytes)
    }

    /// Learns from a batch that was written.
    mutating func learn(items written: Int, bytes size: Int64, took time: Duration) {
        let factor = time <= .zero ? 2 : min(2, max(0.5, aim / time))
        // A batch that did not fill the limits says nothing about whether they could be larger.
        if factor < 1 || written >= items || size >= bytes {
            items = min(largestItems, max(1, Int(Double(items) * factor)))
            bytes = min(largestBytes, max(min(64 << 10, largestBytes), Int64(Double(bytes) * factor)))
        }
    }
}

/// The size of batches, and whether the target updates metadata: learned by the target side, asked by the source side.
final class SharedSizer: Sendable {
    struct Limits: Sendable {
        var items: Int
        var bytes: Int64
    }

    private let state: Mutex<(sizer: BatchSizer, canUpdate: Bool)>

    init(_ sizer: BatchSizer) { state = Mutex((sizer, true)) }

    var limits: Limits { state.withLock { Limits(items: $0.sizer.items, bytes: $0.sizer.bytes) } }
    var targetCanUpdate: Bool { state.withLock { $0.canUpdate } }

    func learn(items: Int, bytes: Int64, took time: Duration) {
        state.withLock { $0.sizer.learn(items: items, bytes: bytes, took: time) }
    }

    func noteThatTargetCannotUpdate() { state.withLock { $0.canUpdate = false } }
}
