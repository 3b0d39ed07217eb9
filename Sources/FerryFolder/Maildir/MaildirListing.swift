import FerryCore
import FerryFormats

/// The messages of a folder at one moment: names only, about 200 bytes each.
struct MaildirListing: Sendable {
    struct Entry: Sendable {
        var key: ItemKey
        var name: MaildirFileName
        /// Lies in `new`, so nobody has seen it yet.
        var isNew: Bool
    }

    /// By base name: bytes, ascending. Base names begin with the time of arrival, so this is the order of arrival.
    let entries: [Entry]
    /// Index into `entries`.
    private let places: [ItemKey: Int]

    /// How often a folder that changes while it is read is read again.
    private static let attempts = 3

    /// `key` makes an item's key from the base name.
    init(of folder: MaildirFolder, key: (ArraySlice<UInt8>) -> ItemKey) throws(SystemError) {
        var found = [ItemKey: Entry]()
        for _ in 0..<Self.attempts {
            let before = try Self.times(of: folder)
            // `new` first: a message that moves on to `cur` meanwhile is seen twice and not never.
            for (directory, isNew) in [(folder.new, true), (folder.cur, false)] {
                guard let directory else { continue }
                let names = try directory.names()
                found.reserveCapacity(found.count + names.count)
                for file in names where !file.hasPrefix(".") {
                    let name = MaildirFileName(file)
                    let entry = Entry(key: key(name.base), name: name, isNew: isNew)
                    found[entry.key] = entry
                }
            }
            // Renaming a file moves it within its directory, so a reader can miss it. What several readings found
            // is put together: names that are there no more are noticed when they are looked at.
            if try Self.times(of: folder) == before { break }
        }
        let sorted = found.values.sorted { $0.name.base.lexicographicallyPrecedes($1.name.base) }
        var places = [ItemKey: Int](minimumCapacity: sorted.count)
        for (index, entry) in sorted.enumerated() { places[entry.key] = index }
        entries = sorted
        self.places = places
    }

    subscript(key: ItemKey) -> Entry? { places[key].map { entries[$0] } }

    /// The first entry whose base name comes after `base`.
    func index(after base: [UInt8]) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if base.lexicographicallyPrecedes(entries[middle].name.base) { high = middle } else { low = middle + 1 }
        }
        return low
    }

    private static func times(of folder: MaildirFolder) throws(SystemError) -> [Timestamp?] {
        [try folder.new?.status().modified, try folder.cur?.status().modified]
    }
}
