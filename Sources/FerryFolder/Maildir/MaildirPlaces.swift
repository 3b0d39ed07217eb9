import FerryCore

/// Under which name each item of a target folder lies: about 90 bytes each, since a folder may hold a million.
struct MaildirPlaces: Sendable {
    struct Place: Sendable, Hashable {
        var name: FileName
        /// Lies in `new` and not in `cur`.
        var isNew: Bool
    }

    /// A name in the arena.
    private struct Spot: Sendable {
        var offset: UInt32
        var length: UInt8
        var isNew: Bool
    }

    /// All names, one after the other; those of renamed items stay until the folder is listed again.
    private var arena: [UInt8] = []
    private var spots: [ItemKey: Spot] = [:]

    subscript(key: ItemKey) -> Place? {
        get {
            guard let spot = spots[key] else { return nil }
            let start = Int(spot.offset)
            guard let name = FileName(arena[start..<start + Int(spot.length)]) else {
                preconditionFailure("The arena holds file names only.")
            }
            return Place(name: name, isNew: spot.isNew)
        }
        set {
            guard let newValue else { return spots[key] = nil }
            spots[key] = Spot(
                offset: UInt32(arena.count), length: UInt8(newValue.name.bytes.count), isNew: newValue.isNew)
            arena.append(contentsOf: newValue.name.bytes)
        }
    }
}
