/// Two censuses held against each other, as multisets: what pairs up, and what is left over on either side.
struct CensusComparison: Sendable {
    private(set) var identical: Int64 = 0
    /// Source and target record of an item with the same content and other metadata.
    private(set) var otherMetadata: [(source: Census.Record, target: Census.Record)] = []
    /// Source and target record of an item with the same name and other content.
    private(set) var otherContent: [(source: Census.Record, target: Census.Record)] = []
    private(set) var missing: [Census.Record] = []
    private(set) var unexpected: [Census.Record] = []
    /// At the target only, with contents that the source has nowhere in the container: what others have put there.
    private(set) var foreign: Int64 = 0
    private(set) var skipped: Int64 = 0
    private(set) var elsewhere: Int64 = 0
    /// All events are there, in another order.
    private(set) var hasOtherOrder = false

    /// - Parameter isShared: others than Ferry put items into such containers as a matter of course, as mail arrives.
    init(source: Census, target: Census, isShared: Bool = false) {
        var (left, right) = pairOff(source.records, target.records) { ($0.high, $0.low) }
        hasOtherOrder = left.isEmpty && right.isEmpty && source.order != target.order
        var pairs: [(source: Census.Record, target: Census.Record)]
        (left, right, pairs) = match(left, right, by: \.place) { $0.place != 0 }
        note(pairs.filter { $0.source.content == $0.target.content }, in: \.otherMetadata)
        note(pairs.filter { $0.source.content != $0.target.content }, in: \.otherContent)
        (left, right, pairs) = match(left, right, by: \.content)
        note(pairs, in: \.otherMetadata)
        // Where a target names its items itself, equal names mean nothing.
        (left, right, pairs) = match(left, right, by: \.name) { $0.place == 0 }
        note(pairs, in: \.otherContent)
        for record in left {
            switch record.excuse {
            case .none: missing.append(record)
            case .skipped: skipped += 1
            case .elsewhere: elsewhere += 1
            }
        }
        unexpected = right
        if isShared, !right.isEmpty {
            let contents = Set(source.records.map(\.content))
            unexpected = right.filter { contents.contains($0.content) }
            foreign = Int64(right.count - unexpected.count)
        }
    }

    /// An item that is excused is not held to be the same on both sides: an older state of it may well be there.
    private mutating func note(
        _ pairs: [(source: Census.Record, target: Census.Record)],
        in list: WritableKeyPath<Self, [(source: Census.Record, target: Census.Record)]>
    ) {
        for pair in pairs {
            switch pair.source.excuse {
            case .none: self[keyPath: list].append(pair)
            case .skipped: skipped += 1
            case .elsewhere: elsewhere += 1
            }
        }
    }

    /// Counts equal records and returns the others of both sides.
    private mutating func pairOff(
        _ source: [Census.Record], _ target: [Census.Record], by key: (Census.Record) -> (UInt64, UInt64)
    ) -> ([Census.Record], [Census.Record]) {
        let left = source.sorted { (key($0).0, key($0).1, $0.excuse) < (key($1).0, key($1).1, $1.excuse) }
        let right = target.sorted { key($0) < key($1) }
        var (leftOver, rightOver): ([Census.Record], [Census.Record]) = ([], [])
        var (i, j) = (0, 0)
        while i < left.count, j < right.count {
            if key(left[i]) == key(right[j]) {
                identical += 1
                i += 1
                j += 1
            } else if key(left[i]) < key(right[j]) {
                leftOver.append(left[i])
                i += 1
            } else {
                rightOver.append(right[j])
                j += 1
            }
        }
        return (leftOver + left[i...], rightOver + right[j...])
    }

    /// Pairs records that agree in one respect, those without an excuse first, as far as they are to be considered.
    private func match(
        _ source: [Census.Record], _ target: [Census.Record], by key: KeyPath<Census.Record, UInt64>,
        where isConsidered: (Census.Record) -> Bool = { _ in true }
    ) -> (
        [Census.Record], [Census.Record], pairs: [(source: Census.Record, target: Census.Record)]
    ) {
        guard !source.isEmpty, !target.isEmpty else { return (source, target, []) }
        let others = target.filter { !isConsidered($0) }
        var waiting = Dictionary(grouping: target.filter(isConsidered)) { $0[keyPath: key] }
        var pairs: [(source: Census.Record, target: Census.Record)] = []
        var left: [Census.Record] = []
        for record in source.sorted(by: { $0.excuse < $1.excuse }) {
            if isConsidered(record), let partner = waiting[record[keyPath: key]]?.popLast() {
                pairs.append((record, partner))
            } else {
                left.append(record)
            }
        }
        return (left, others + waiting.values.flatMap { $0 }, pairs)
    }
}
