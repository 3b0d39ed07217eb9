import FerryConnector
import FerryCore
import FerryFormats

/// What one side has in one container: a record per item, without names and contents. 48 bytes per item.
struct Census: Sendable {
    /// Why an item of the source need not be at the target; ordered so that an item without an excuse is matched first.
    enum Excuse: UInt8, Sendable, Comparable {
        case none, skipped, elsewhere
        static func < (left: Excuse, right: Excuse) -> Bool { left.rawValue < right.rawValue }
    }

    struct Record: Sendable, Hashable {
        /// The first 128 bits of a digest of content and metadata together.
        var high: UInt64
        var low: UInt64
        /// The first 64 bits of the content's digest.
        var content: UInt64
        /// The identity's hash.
        var name: UInt64
        /// Of a source: where the ledger says that the copy is. Of a target: where the item is. 0 for unknown.
        var place: UInt64
        var excuse: Excuse
    }

    var records: [Record] = []
    /// Fingerprints of events in the order of the listing, where order means something.
    var order: [UInt64] = []
    /// Names of what could not be listed, with what the ledger says of it.
    var unlisted: [(name: String, excuse: Excuse)] = []
    var bytesHashed: Int64 = 0

    /// What a record remembers of which item it is about.
    enum Identity: Sendable {
        /// What it is called: people know it by that, and the other side may call it the same.
        case name
        /// What the side itself tells it from others by; compares with the same side at another time only.
        case key

        func hash(_ header: ItemHeader) -> UInt64 {
            switch self {
            case .name: ItemKey(name: header.name).high
            case .key: hash(header.key)
            }
        }

        func hash(_ key: ItemKey) -> UInt64 {
            var hasher = VersionHasher()
            hasher.combine(Int64(bitPattern: key.high))
            hasher.combine(Int64(bitPattern: key.low))
            return hasher.finish().bits
        }
    }

    mutating func add(
        _ header: ItemHeader, content: ContentDigest, at place: ItemPlace?, excuse: Excuse,
        by identity: Identity = .name
    ) {
        let fingerprint = Fingerprint.of(header, content: content).bytes
        let record = Record(
            high: Self.word(fingerprint, at: 0), low: Self.word(fingerprint, at: 8),
            content: Self.word(content.bytes, at: 0),
            name: identity.hash(header), place: place?.number ?? 0, excuse: excuse)
        records.append(record)
        if case .event = header.metadata, excuse == .none { order.append(record.high) }
    }

    /// Adds what cannot be read as an item of its own, the same only as one of that name that cannot be read either. For
    /// records by key.
    mutating func add(unreadable name: String) {
        let key = ItemKey(name: name)
        records.append(
            Record(
                high: key.low, low: .max, content: key.low, name: Identity.key.hash(key), place: 0, excuse: .none))
    }

    mutating func add(_ other: Census) {
        records.append(contentsOf: other.records)
        order.append(contentsOf: other.order)
        unlisted.append(contentsOf: other.unlisted)
        bytesHashed += other.bytesHashed
    }

    private static func word(_ bytes: [UInt8], at start: Int) -> UInt64 {
        bytes[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) }
    }
}

/// What makes two items the same item.
enum Fingerprint {
    /// Content and what the kind of item has besides: a message its flags, keywords and arrival (in seconds), a file its
    /// path, time (in seconds) and right to be executed, a folder its path; others have nothing that a move must keep.
    static func of(_ header: ItemHeader, content: ContentDigest) -> ContentDigest {
        var hasher = ContentHasher()
        hasher.update(content.bytes)
        switch header.metadata {
        case .message(let metadata):
            hasher.update([1, metadata.flags.rawValue])
            hasher.update(bigEndian(metadata.internalDate.seconds))
            for keyword in metadata.keywords.sorted() {
                hasher.update(keyword.utf8)
                hasher.update([0])
            }
        case .calendarObject: hasher.update([2])
        case .contact: hasher.update([3])
        case .file(let metadata):
            hasher.update([4, metadata.isExecutable ? 1 : 0])
            hasher.update(bigEndian(metadata.modified.seconds))
            hasher.update(header.name.utf8)
        case .fileFolder:
            hasher.update([5])
            hasher.update(header.name.utf8)
        case .event: hasher.update([6])
        case .media: hasher.update([7])
        }
        return hasher.finish()
    }

    private static func bigEndian(_ number: Int64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - $0 * 8)) }
    }
}
