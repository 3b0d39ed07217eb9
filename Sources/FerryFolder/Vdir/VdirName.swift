import FerryConnector
import FerryCore
import FerryFormats

/// The names that Ferry gives to files and directories of a vdir at a target.
///
/// A source's name is kept if it is what the item's key was made of and safe; else the name carries the key, so that it
/// leads back to the key without a table.
enum VdirName {
    private static let prefix = "ferry-"
    /// Short enough for every file system in use.
    private static let longest = 200

    static func item(_ header: ItemHeader, _ kind: VdirKind) -> FileName {
        if let name = safe(header.name), kind.isItem(name), ItemKey(name: header.name) == header.key { return name }
        return made(header.key, kind.suffix)
    }

    /// The key of the item that a file at a target holds.
    static func key(of name: FileName, _ kind: VdirKind) -> ItemKey {
        if name.bytes.starts(with: prefix.utf8),
            let key = ItemKey(hexadecimal: name.bytes.dropFirst(prefix.utf8.count).prefix(32)),
            name == made(key, kind.suffix)
        {
            return key
        }
        return ItemKey(hashing: name.bytes)
    }

    /// The directory of a collection: its name if there is one and it is safe.
    static func collection(_ path: [String]) -> FileName {
        if path.count == 1, let name = safe(path[0]), !Markers.mayBeMarker(name) { return name }
        return made(ItemKey(name: path.joined(separator: "\u{0}")), "")
    }

    private static func made(_ key: ItemKey, _ suffix: String) -> FileName {
        guard let name = FileName(prefix + key.hexadecimal + suffix) else { preconditionFailure("It is short.") }
        return name
    }

    /// Never a name that `made` could give, else a source could pass off one item for another.
    private static func safe(_ text: String) -> FileName? {
        guard let name = FileName(text), name.count <= longest, !name.hasPrefix("."), !name.hasPrefix("ferry-"),
            text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) })
        else { return nil }
        return name
    }
}
