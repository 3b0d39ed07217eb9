import FerryConnector
import FerryCore

/// What a vdir's collections hold: iCalendar objects or vCards. (vdirsyncer's "The Vdir Storage Format".)
enum VdirKind: Sendable {
    case calendars, addressBooks

    static let displayName = FileName(constant: "displayname")
    static let color = FileName(constant: "color")
    static let description = FileName(constant: "description")
    static let order = FileName(constant: "order")
    /// Files beside the items that describe the collection.
    private static let properties: Set<FileName> = [
        displayName, color, description, order,
    ]

    var suffix: String {
        switch self {
        case .calendars: ".ics"
        case .addressBooks: ".vcf"
        }
    }

    var metadata: ItemMetadata {
        switch self {
        case .calendars: .calendarObject
        case .addressBooks: .contact
        }
    }

    func isItem(_ name: FileName) -> Bool {
        let tail = name.bytes.suffix(suffix.utf8.count)
        return name.count > suffix.utf8.count && !Self.isHidden(name)
            && tail.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 } == Array(suffix.utf8)
    }

    /// Files that are neither items nor worth a word: hidden and unfinished ones, properties.
    func isIgnored(_ name: FileName) -> Bool {
        Self.isHidden(name) || Self.properties.contains(name) || name.bytes.suffix(4).elementsEqual(".tmp".utf8)
    }

    static func isHidden(_ name: FileName) -> Bool { name.hasPrefix(".") }

    /// A collection's properties as they lie in its directory.
    func details(of directory: Directory) throws(SystemError) -> ContainerDetails {
        let displayName = try directory.content(of: Self.displayName).flatMap(Self.trimmed)
        let color = try directory.content(of: Self.color).flatMap(Self.trimmed).flatMap(Self.checkedColor)
        let traits = CollectionTraits(
            description: try directory.content(of: Self.description).flatMap(Self.trimmed),
            order: try directory.content(of: Self.order).flatMap(Self.trimmed))
        return switch self {
        case .calendars: .calendar(displayName: displayName, color: color, traits: traits)
        case .addressBooks: .addressBook(displayName: displayName, color: color, traits: traits)
        }
    }

    /// `nil` when nothing is left.
    private static func trimmed(_ content: [UInt8]) -> String? {
        let isSpace: (UInt8) -> Bool = { $0 <= 0x20 }
        let text = content.drop(while: isSpace).reversed().drop(while: isSpace).reversed()
        return text.isEmpty ? nil : String(decoding: text, as: UTF8.self)
    }

    /// `#RRGGBB` in any case; `nil` for everything else.
    static func checkedColor(_ text: String) -> String? {
        let bytes = Array(text.utf8)
        guard bytes.count == 7, bytes[0] == UInt8(ascii: "#"),
            bytes.dropFirst().allSatisfy({ Hexadecimal.digit($0) != nil })
        else { return nil }
        return text
    }
}
