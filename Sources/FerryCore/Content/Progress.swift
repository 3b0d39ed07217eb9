/// How far one workload run is. Written by the holder of the run's lease only; sums over a person or job are made on read.
package struct RunProgress: Hashable, Sendable, Codable {
    /// Items whose outcome is `copied` in the ledger, over all passes.
    package var items: Int64 = 0
    /// Content bytes of those.
    package var bytes: Int64 = 0
    /// Items found by the last complete listing; `nil` until one has ended.
    package var itemsExpected: Int64?
    package var bytesExpected: Int64?
    package var skipped: Int64 = 0
    package var failed: Int64 = 0
    /// Complete passes over the source.
    package var passes: Int64 = 0
    /// Time spent moving, in microseconds, over all passes.
    package var activeMicroseconds: Int64 = 0
    /// Time between freeze and release, in microseconds.
    package var frozenMicroseconds: Int64 = 0

    package init() {}

    /// The sum of two runs' progress; an unknown expectation makes the sum's unknown too.
    package static func + (left: RunProgress, right: RunProgress) -> RunProgress {
        var sum = left
        sum.items += right.items
        sum.bytes += right.bytes
        sum.itemsExpected = left.itemsExpected.flatMap { one in right.itemsExpected.map { one + $0 } }
        sum.bytesExpected = left.bytesExpected.flatMap { one in right.bytesExpected.map { one + $0 } }
        sum.skipped += right.skipped
        sum.failed += right.failed
        sum.passes = max(left.passes, right.passes)
        sum.activeMicroseconds += right.activeMicroseconds
        sum.frozenMicroseconds = max(left.frozenMicroseconds, right.frozenMicroseconds)
        return sum
    }
}
