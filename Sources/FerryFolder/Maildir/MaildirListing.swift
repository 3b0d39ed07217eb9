import FerryCore
import FerryFormats

/// The messages of a folder at one moment: names only, about 100 bytes each, since a folder may hold a million.
///
/// A collection in ascending order of base names (bytes). Base names begin with the time of arrival, so this is the order
/// of arrival.
struct MaildirListing: Sendable, RandomAccessCollection {
    struct Entry: Sendable {
        var key: ItemKey
        var name: MaildirFileName
        /// Lies in `new`, so nobody has seen it yet.
        var isNew: Bool
    }

    /// An entry whose name lies in the arena.
    private struct Record: Sendable {
        var key: ItemKey
        var offset: UInt32
        var length: UInt16
        /// Bytes of the name that are its base.
        var baseLength: UInt16
        /// Readings of the directory count up, so of two records of one message the later has the higher place.
        var reading: UInt16
        var isNew: Bool
    }

    /// All names, one after the other: an array of its own for each would cost more than the names do.
    private let arena: [UInt8]
    private let records: [Record]
    /// Places in `records` in ascending order of key.
    private let byKey: [UInt32]

    /// How often a folder that changes while it is read is read again.
    private static let attempts = 3

    /// `key` makes an item's key from the base name.
    init(of folder: MaildirFolder, key: (ArraySlice<UInt8>) -> ItemKey) throws(SystemError) {
        var arena = [UInt8]()
        var records = [Record]()
        var reading: UInt16 = 0
        for _ in 0..<Self.attempts {
            let before = try Self.times(of: folder)
            // `new` first: a message that moves on to `cur` meanwhile is seen twice and not never.
            for (directory, isNew) in [(folder.new, true), (folder.cur, false)] {
                guard let directory else { continue }
                reading += 1
                try directory.forEachName { file in
                    guard !file.hasPrefix("."), arena.count < Int(UInt32.max) else { return }
                    let base = MaildirFileName(file).base
                    records.append(
                        Record(
                            key: key(base), offset: UInt32(arena.count), length: UInt16(file.bytes.count),
                            baseLength: UInt16(base.count), reading: reading, isNew: isNew))
                    arena.append(contentsOf: file.bytes)
                }
            }
            // Renaming a file moves it within its directory, so a reader can miss it. What several readings found
            // is put together: names that are there no more are noticed when they are looked at.
            if try Self.times(of: folder) == before { break }
        }
        Self.sort(&records, arena)
        self.arena = arena
        self.records = records
        byKey = records.indices.map { UInt32($0) }.sorted { records[Int($0)].key < records[Int($1)].key }
    }

    /// By base name, one record each, the one that was read last.
    private static func sort(_ records: inout [Record], _ arena: [UInt8]) {
        func base(_ record: Record) -> ArraySlice<UInt8> {
            arena[Int(record.offset)..<Int(record.offset) + Int(record.baseLength)]
        }
        records.sort { left, right in
            let (one, other) = (base(left), base(right))
            if one.lexicographicallyPrecedes(other) { return true }
            return left.reading < right.reading && !other.lexicographicallyPrecedes(one)
        }
        var kept = 0
        for index in records.indices {
            if kept > 0, base(records[kept - 1]) == base(records[index]) { kept -= 1 }
            records[kept] = records[index]
            kept += 1
        }
        records.removeLast(records.count - kept)
    }

    var startIndex: Int { 0 }
    var endIndex: Int { records.count }

    subscript(place: Int) -> Entry {
        let record = records[place]
        let start = Int(record.offset)
        guard let name = FileName(arena[start..<start + Int(record.length)]) else {
            preconditionFailure("The arena holds file names only.")
        }
        return Entry(key: record.key, name: MaildirFileName(name), isNew: record.isNew)
    }

    /// The message with that key; `nil` when the folder has none.
    func entry(of key: ItemKey) -> Entry? {
        var (low, high) = (0, byKey.count)
        while low < high {
            let middle = (low + high) / 2
            if records[Int(byKey[middle])].key < key { low = middle + 1 } else { high = middle }
        }
        guard low < byKey.count, records[Int(byKey[low])].key == key else { return nil }
        return self[Int(byKey[low])]
    }

    /// The place of the first entry whose base name comes after `base`.
    func index(afterBase base: [UInt8]) -> Int {
        var (low, high) = (0, records.count)
        while low < high {
            let middle = (low + high) / 2
            let start = Int(records[middle].offset)
            let other = arena[start..<start + Int(records[middle].baseLength)]
            if base.lexicographicallyPrecedes(other) { high = middle } else { low = middle + 1 }
        }
        return low
    }

    private static func times(of folder: MaildirFolder) throws(SystemError) -> [Timestamp?] {
        [try folder.new?.status().modified, try folder.cur?.status().modified]
    }
}
