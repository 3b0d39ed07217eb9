/// A message's number in its mailbox, as RFC 9051 section 2.3.1.1 has it: 1 ... 4,294,967,295, rising.
package typealias UID = UInt32

/// A set of UIDs as ascending ranges that neither touch nor overlap: a mailbox of a million messages without gaps is one
/// range.
package struct UIDSet: Sendable, Hashable {
    /// Ascending; between two ranges at least one UID is missing.
    package private(set) var ranges: [ClosedRange<UID>]

    package init() { ranges = [] }

    package init(_ range: ClosedRange<UID>) { ranges = [range] }

    /// UIDs in any order, repeated or not.
    package init(_ uids: some Sequence<UID>) {
        self.init(ranges: uids.map { $0...$0 })
    }

    /// Ranges in any order, overlapping or not.
    package init(ranges unordered: [ClosedRange<UID>]) {
        ranges = []
        let isOrdered = zip(unordered, unordered.dropFirst()).allSatisfy { $0.lowerBound <= $1.lowerBound }
        for range in isOrdered ? unordered : unordered.sorted(by: { $0.lowerBound < $1.lowerBound }) { insert(range) }
    }

    package var isEmpty: Bool { ranges.isEmpty }
    package var count: Int { ranges.reduce(0) { $0 + $1.count } }
    package var first: UID? { ranges.first?.lowerBound }
    package var last: UID? { ranges.last?.upperBound }

    package mutating func insert(_ uid: UID) { insert(uid...uid) }

    /// Cheap at the upper end, where UIDs usually arrive.
    package mutating func insert(_ range: ClosedRange<UID>) {
        guard let last = ranges.last, range.lowerBound <= last.upperBound else {
            guard let last = ranges.last, last.upperBound &+ 1 == range.lowerBound else { return ranges.append(range) }
            return ranges[ranges.count - 1] = last.lowerBound...range.upperBound
        }
        // The ranges from `start` up to `end` touch the new one and become one with it.
        let start = firstIndex { UInt64($0.upperBound) + 1 >= UInt64(range.lowerBound) }
        let end = firstIndex { UInt64($0.lowerBound) > UInt64(range.upperBound) + 1 }
        guard start < end else { return ranges.insert(range, at: start) }
        let lower = min(range.lowerBound, ranges[start].lowerBound)
        let upper = max(range.upperBound, ranges[end - 1].upperBound)
        ranges.replaceSubrange(start..<end, with: CollectionOfOne(lower...upper))
    }

    package mutating func formUnion(_ other: UIDSet) {
        for range in other.ranges { insert(range) }
    }

    package func contains(_ uid: UID) -> Bool {
        let index = firstIndex { $0.upperBound >= uid }
        return index < ranges.count && ranges[index].contains(uid)
    }

    /// What is in this set and not in the other.
    package func subtracting(_ other: UIDSet) -> UIDSet {
        var result = UIDSet()
        var index = 0
        for range in ranges {
            var lower = UInt64(range.lowerBound)
            let upper = UInt64(range.upperBound)
            while index < other.ranges.count, UInt64(other.ranges[index].upperBound) < lower { index += 1 }
            var next = index
            while lower <= upper {
                guard next < other.ranges.count, UInt64(other.ranges[next].lowerBound) <= upper else {
                    result.ranges.append(UID(lower)...UID(upper))
                    break
                }
                let hole = other.ranges[next]
                if lower < UInt64(hole.lowerBound) { result.ranges.append(UID(lower)...(hole.lowerBound - 1)) }
                lower = UInt64(hole.upperBound) + 1
                next += 1
            }
        }
        return result
    }

    /// The same UIDs in sets that are at most `bytes` long as text and hold at most `count` UIDs each.
    package func split(bytes: Int, count: Int = .max) -> [UIDSet] {
        var parts = [UIDSet]()
        var part = UIDSet()
        var length = 0
        var held = 0
        for whole in ranges {
            var range = whole
            while true {
                let text = String(range.lowerBound).utf8.count + String(range.upperBound).utf8.count + 2
                if !part.isEmpty, length + text > bytes || held >= count {
                    parts.append(part)
                    (part, length, held) = (UIDSet(), 0, 0)
                }
                let room = count - held
                length += text
                guard range.count > room else {
                    part.ranges.append(range)
                    held += range.count
                    break
                }
                let cut = range.lowerBound + UID(room)
                part.ranges.append(range.lowerBound...(cut - 1))
                held = count
                range = cut...range.upperBound
            }
        }
        if !part.isEmpty { parts.append(part) }
        return parts
    }

    /// Every UID, ascending.
    package var uids: some Sequence<UID> { ranges.lazy.joined() }

    /// The first index whose range fulfils a condition that, once true, stays true for all ranges after it.
    private func firstIndex(where condition: (ClosedRange<UID>) -> Bool) -> Int {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if condition(ranges[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

extension UIDSet: CustomStringConvertible {
    /// As in a command (`sequence-set` of RFC 9051 section 9): `1:5,9`; empty for the empty set, which no command takes.
    package var description: String {
        var text = ""
        for range in ranges {
            if !text.isEmpty { text += "," }
            text += String(range.lowerBound)
            if range.count > 1 { text += ":" + String(range.upperBound) }
        }
        return text
    }
}
