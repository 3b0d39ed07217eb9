import FerryConnector
import FerryCore
import FerryFormats

/// The names that Ferry gives to objects and collections at a target.
///
/// A source's name is kept if it is what the item's key was made of and safe; else the name carries the key, so that it
/// leads back to the key without a table.
enum ObjectName {
    private static let prefix = "ferry-"
    /// Bytes. Short enough for every server in use, which keep objects in files.
    private static let longest = 200

    static func item(_ header: ItemHeader, _ kind: CollectionKind) -> String {
        if isKept(header.name), hasSuffix(header.name, kind), ItemKey(name: header.name) == header.key {
            return header.name
        }
        return prefix + header.key.hexadecimal + kind.suffix
    }

    /// The key of the item that an object at a target is.
    static func key(of name: String, _ kind: CollectionKind) -> ItemKey {
        if name.hasPrefix(prefix), name.hasSuffix(kind.suffix),
            let key = ItemKey(hexadecimal: name.dropFirst(prefix.count).dropLast(kind.suffix.count))
        {
            return key
        }
        return ItemKey(name: name)
    }

    static func collection(_ path: [String]) -> String {
        if path.count == 1, isKept(path[0]), path[0].utf8.allSatisfy(isPlain) { return path[0] }
        return prefix + ItemKey(name: path.joined(separator: "\u{0}")).hexadecimal
    }

    /// Cyrus has collections as mailboxes, and takes no other letters in their names.
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private static func hasSuffix(_ name: String, _ kind: CollectionKind) -> Bool {
        name.utf8.count > kind.suffix.utf8.count && name.lowercased().hasSuffix(kind.suffix)
    }

    /// Never a name that carries a key, else a source could pass off one item for another.
    private static func isKept(_ name: String) -> Bool {
        DAVPath.isSafe(name) && name.utf8.count <= longest && !name.hasPrefix(".") && !name.hasPrefix(prefix)
            && name.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) }
    }
}
