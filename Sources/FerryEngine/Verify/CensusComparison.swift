/// Two censuses held against each other, as multisets: what pairs up, and what is left over on either side.
struct CensusComparison: Sendable {
    private(set) var identical: Int64 = 0
    /// Source and target record of an item with the same content and other metadata.
    private(set) var otherMetadata: [(source: Census.Record, target: Census.Record)] = []
    /// Source and target record of an item with the same identity and other content.
    private(set) var otherContent: [(source: Census.Record, target: Census.Record)] = []
    private(set) var missing: [Census.Record] = []
    private(set) var unexpected: [Census.Record] = []
    /// At the target only, with contents that the source has nowhere in the container: what others have put there.
    private(set) var foreign: Int64 = 0
    private(set) var skipped: Int64 = 0
    private(set) var elsewhere: Int64 = 0
    /// All events are there, in another order.
    private(set) var hasOtherOrder = false

    /// - Parameters:
    ///   - isShared: others than Ferry put items into such containers as a matter of course, as mail arrives.
    ///   - isOneSide: both were taken on the same side, at two times, by the side's own keys. Then a key says which item
    ///     it is before anything else does, and only what has no namesake may be the same under another one.
    init(source: Census, target: Census, isShared: Bool = false, isOneSide: Bool = false) {
        var (left, right) = (source.records, target.records)
        var pairs: [(source: Census.Record, target: Census.Record)]
        if isOneSide {
            (left, right, pairs) = Self.match(left, right) { Trait(name: $0.name, high: $0.high, low: $0.low) }
            identical += Int64(pairs.count)
            (left, right, pairs) = Self.match(left, right) { Trait(name: $0.name) }
            note(pairs.filter { $0.source.content == $0.target.content }, in: \.otherMetadata)
            note(pairs.filter { $0.source.content != $0.target.content }, in: \.otherContent)
        }
        (left, right) = pairOff(left, right) { ($0.high, $0.low) }
        hasOtherOrder = identical == source.records.count && right.isEmpty && source.order != target.order
        (left, right, pairs) = Self.match(left, right, by: \.place) { $0.place != 0 }
        note(pairs.filter { $0.source.content == $0.target.content }, in: \.otherMetadata)
        note(pairs.filter { $0.source.content != $0.target.content }, in: \.otherContent)
        (left, right, pairs) = Self.match(left, right, by: \.content)
        note(pairs, in: \.otherMetadata)
        // Where a target names its items itself, equal names mean nothing.
        (left, right, pairs) = Self.match(left, right, by: \.name) { $0.place == 0 }
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

    /// Counts equal records and returns the others of both sides. Among equal ones those of the same name are paired
    /// first, so that of two copies of a message the one is named that is really gone; then those without an excuse.
    private mutating func pairOff(
        _ source: [Census.Record], _ target: [Census.Record], by key: (Census.Record) -> (UInt64, UInt64)
    ) -> ([Census.Record], [Census.Record]) {
        let left = source.sorted { (key($0).0, key($0).1, $0.excuse) < (key($1).0, key($1).1, $1.excuse) }
        let right = target.sorted { key($0) < key($1) }
        var (leftOver, rightOver): ([Census.Record], [Census.Record]) = ([], [])
        var (i, j) = (0, 0)
        while i < left.count, j < right.count {
            if key(left[i]) < key(right[j]) {
                leftOver.append(left[i])
                i += 1
            } else if key(right[j]) < key(left[i]) {
                rightOver.append(right[j])
                j += 1
            } else {
                let iEnd = left[i...].firstIndex { key($0) != key(left[i]) } ?? left.count
                let jEnd = right[j...].firstIndex { key($0) != key(right[j]) } ?? right.count
                identical += Int64(min(iEnd - i, jEnd - j))
                if iEnd - i != jEnd - j {
                    let (some, others) = Self.pairOff(twins: left[i..<iEnd], right[j..<jEnd])
                    leftOver += some
                    rightOver += others
                }
                (i, j) = (iEnd, jEnd)
            }
        }
        return (leftOver + left[i...], rightOver + right[j...])
    }

    /// What is over of equal records, of which one side has more.
    private static func pairOff(
        twins source: ArraySlice<Census.Record>, _ target: ArraySlice<Census.Record>
    ) -> ([Census.Record], [Census.Record]) {
        var names = Dictionary(target.map { ($0.name, 1) }, uniquingKeysWith: +)
        func takes(_ name: UInt64) -> Bool {
            guard let count = names[name], count > 0 else { return false }
            names[name] = count - 1
            return true
        }
        let left = source.filter { $0.excuse != .none || !takes($0.name) }
        let right = target.filter { takes($0.name) }
        let pairs = min(left.count, right.count)
        return (Array(left.dropFirst(pairs)), Array(right.dropFirst(pairs)))
    }

    /// What a pair has in common; 0 for what does not matter.
    private struct Trait: Hashable {
        var name: UInt64 = 0
        var content: UInt64 = 0
        var high: UInt64 = 0
        var low: UInt64 = 0
    }

    /// Pairs records that agree in one respect, as far as they are to be considered: those of the same name first, if
    /// they have no excuse, then those without an excuse.
    private static func match(
        _ source: [Census.Record], _ target: [Census.Record], by key: KeyPath<Census.Record, UInt64>,
        where isConsidered: (Census.Record) -> Bool = { _ in true }
    ) -> Matching {
        guard !source.isEmpty, !target.isEmpty else { return (source, target, []) }
        let bare = source.filter { $0.excuse == .none && isConsidered($0) }
        let excused = source.filter { $0.excuse != .none && isConsidered($0) }.sorted { $0.excuse < $1.excuse }
        let (unnamed, rest, namesakes) = match(bare, target.filter(isConsidered)) {
            Trait(name: $0.name, content: $0[keyPath: key])
        }
        let (left, right, others) = match(unnamed + excused, rest) { Trait(content: $0[keyPath: key]) }
        return (
            left + source.filter { !isConsidered($0) }, right + target.filter { !isConsidered($0) }, namesakes + others
        )
    }

    private typealias Matching = (
        [Census.Record], [Census.Record], pairs: [(source: Census.Record, target: Census.Record)]
    )

    /// Pairs records with the same trait, in the order of the source.
    private static func match(
        _ source: [Census.Record], _ target: [Census.Record], sharing trait: (Census.Record) -> Trait
    ) -> Matching {
        guard !source.isEmpty, !target.isEmpty else { return (source, target, []) }
        var waiting = Dictionary(grouping: target.indices, by: { trait(target[$0]) })
        var isTaken = [Bool](repeating: false, count: target.count)
        var pairs: [(source: Census.Record, target: Census.Record)] = []
        var left: [Census.Record] = []
        for record in source {
            if let partner = waiting[trait(record)]?.popLast() {
                isTaken[partner] = true
                pairs.append((record, target[partner]))
            } else {
                left.append(record)
            }
        }
        return (left, target.indices.filter { !isTaken[$0] }.map { target[$0] }, pairs)
    }
}
