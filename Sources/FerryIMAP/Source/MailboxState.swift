import FerryConnector
import FerryCore

/// By what one STATUS tells whether a mailbox is as it was: nothing new (UIDNEXT), nothing gone (MESSAGES), no flag
/// changed (HIGHESTMODSEQ, RFC 7162), still the same mailbox (UIDVALIDITY).
struct MailboxState: Sendable, Hashable {
    private static let form: UInt8 = 1

    private(set) var uidValidity: UInt32
    private var uidNext: UID
    private var messages: UInt32
    /// 0 where the server keeps none; then changed flags cannot be seen.
    private(set) var highestModSeq: UInt64

    init(_ status: MailboxStatus) {
        uidValidity = status.uidValidity ?? 0
        uidNext = status.uidNext ?? 0
        messages = status.messages ?? 0
        highestModSeq = status.highestModSeq ?? 0
    }

    /// `nil` for what `cursor` did not make.
    init?(_ cursor: Cursor) {
        guard cursor.bytes.count == 21, cursor.bytes[0] == Self.form else { return nil }
        let words = stride(from: 1, to: 21, by: 4).map { UInt32(bigEndianBytes: cursor.bytes[$0..<$0 + 4]) }
        (uidValidity, uidNext, messages) = (words[0], words[1], words[2])
        highestModSeq = UInt64(words[3]) << 32 | UInt64(words[4])
    }

    /// Whether the server can be asked for what has happened between another state and this one: still the same mailbox,
    /// and a modification sequence that only rises.
    func follows(_ before: MailboxState) -> Bool {
        uidValidity != 0 && uidValidity == before.uidValidity && uidNext >= before.uidNext && before.highestModSeq != 0
            && highestModSeq >= before.highestModSeq
    }

    /// `false` when it cannot tell.
    func isUnchanged(since cursor: Cursor) -> Bool {
        guard uidValidity != 0, uidNext != 0, cursor == self.cursor else { return false }
        return highestModSeq != 0 || messages == 0
    }

    /// The form, then the four numbers, big-endian.
    var cursor: Cursor {
        var bytes = [Self.form]
        for word in [uidValidity, uidNext, messages] { bytes.append(contentsOf: word.bigEndianBytes) }
        bytes.append(contentsOf: UInt32(truncatingIfNeeded: highestModSeq >> 32).bigEndianBytes)
        bytes.append(contentsOf: UInt32(truncatingIfNeeded: highestModSeq).bigEndianBytes)
        return Cursor(bytes)
    }
}

/// How far a listing is that goes from the highest number down.
struct ListingPlace: Sendable, Hashable {
    private static let form: UInt8 = 2

    var uidValidity: UInt32
    /// Everything from here up was listed.
    var lowest: UID

    init(uidValidity: UInt32, lowest: UID) {
        self.uidValidity = uidValidity
        self.lowest = lowest
    }

    init?(_ cursor: Cursor) {
        guard cursor.bytes.count == 9, cursor.bytes[0] == Self.form else { return nil }
        uidValidity = UInt32(bigEndianBytes: cursor.bytes[1..<5])
        lowest = UInt32(bigEndianBytes: cursor.bytes[5..<9])
    }

    var cursor: Cursor { Cursor([Self.form] + uidValidity.bigEndianBytes + lowest.bigEndianBytes) }
}

extension UInt32 {
    var bigEndianBytes: [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: self >> $0) } }

    init(bigEndianBytes bytes: some Collection<UInt8>) { self = bytes.reduce(0) { $0 << 8 | UInt32($1) } }
}

extension UIDSet {
    /// The `count` highest that are below `limit`.
    func top(_ count: Int, below limit: UID?) -> UIDSet {
        var left = UInt64(count)
        var found: [ClosedRange<UID>] = []
        for range in ranges.reversed() where left > 0 {
            var upper = range.upperBound
            if let limit {
                guard range.lowerBound < limit else { continue }
                upper = Swift.min(upper, limit - 1)
            }
            let width = UInt64(upper - range.lowerBound) + 1
            let lower = width > left ? UID(UInt64(upper) - left + 1) : range.lowerBound
            found.append(lower...upper)
            left -= Swift.min(width, left)
        }
        var set = UIDSet()
        for range in found.reversed() { set.insert(range) }
        return set
    }
}
