import FerryConnector
import FerryCore

/// What the copier keeps beside the entries of a container's ledger, in the ledger's `cursor`.
///
/// The container itself is among it, because items have to be removed at the target after the source has forgotten that
/// the container ever was.
struct ContainerMemo: Sendable, Hashable {
    var container: Container
    /// Under which rules items were rewritten (`Rewriter.fingerprint`).
    var rules: UInt64
    /// Content bytes of the items that are copied, as the source counts them.
    var copiedBytes: Int64 = 0
    /// Content bytes of all items of the container that this workload is to move.
    var expectedBytes: Int64 = 0
    /// The source's cursor at the beginning of the last complete pass; `nil` before one has ended.
    var cursor: Cursor?

    init(container: Container, rules: UInt64) {
        self.container = container
        self.rules = rules
    }
}

// The form: a version byte, then fields in order. Numbers are big-endian; texts and bytes follow their 32-bit length.
extension ContainerMemo {
    private static let form: UInt8 = 1

    var bytes: [UInt8] {
        var writer = Writer()
        writer.put(Self.form)
        writer.put(container.name)
        writer.put(UInt32(container.path.count))
        for component in container.path { writer.put(component) }
        switch container.details {
        case .mailFolder(let isSubscribed, let use):
            writer.put(0 as UInt8)
            writer.put((isSubscribed ? 1 : 0) | (use?.rawValue ?? 0) << 1 as UInt8)
        case .calendar(let displayName, let color, let traits):
            writer.putCollection(1, displayName, color, traits)
        case .addressBook(let displayName, let color, let traits):
            writer.putCollection(2, displayName, color, traits)
        case .fileTree:
            writer.put(3 as UInt8)
        case .room(let state):
            writer.put(4 as UInt8)
            writer.put(state)
        }
        writer.put(rules)
        writer.put(UInt64(bitPattern: copiedBytes))
        writer.put(UInt64(bitPattern: expectedBytes))
        writer.put(cursor == nil ? 0 : 1 as UInt8)
        if let cursor { writer.put(cursor.bytes) }
        return writer.bytes
    }

    /// `nil` for bytes of another form; the container is then listed as if for the first time.
    init?(_ bytes: [UInt8]?) {
        guard let bytes else { return nil }
        var reader = Reader(bytes: bytes[...])
        guard reader.byte() == Self.form, let name = reader.text(), let count = reader.word32(), count <= 4096 else {
            return nil
        }
        var path: [String] = []
        for _ in 0..<count {
            guard let component = reader.text() else { return nil }
            path.append(component)
        }
        let details: ContainerDetails
        let kind = reader.byte()
        switch kind {
        case 0:
            // The lowest bit says whether it is subscribed, the others what it is for.
            guard let flags = reader.byte() else { return nil }
            let use = MailFolderUse(rawValue: flags >> 1)
            guard use != nil || flags < 2 else { return nil }
            details = .mailFolder(isSubscribed: flags & 1 == 1, use: use)
        case 1, 2, 5, 6:
            guard let displayName = reader.optionalText(), let color = reader.optionalText(),
                let traits = kind == 1 || kind == 2 ? CollectionTraits() : reader.traits()
            else { return nil }
            details =
                kind == 1 || kind == 5
                ? .calendar(displayName: displayName, color: color, traits: traits)
                : .addressBook(displayName: displayName, color: color, traits: traits)
        case 3:
            details = .fileTree
        case 4:
            guard let state = reader.field() else { return nil }
            details = .room(state: Array(state))
        default:
            return nil
        }
        guard let rules = reader.word64(), let copied = reader.word64(), let expected = reader.word64(),
            let hasCursor = reader.byte()
        else { return nil }
        self.init(container: Container(name: name, path: path, details: details), rules: rules)
        copiedBytes = Int64(bitPattern: copied)
        expectedBytes = Int64(bitPattern: expected)
        if hasCursor == 1 {
            guard let field = reader.field() else { return nil }
            cursor = Cursor(Array(field))
        }
    }

    private struct Writer {
        var bytes: [UInt8] = []

        mutating func put(_ byte: UInt8) { bytes.append(byte) }
        mutating func put(_ word: UInt32) {
            for shift in [24, 16, 8, 0] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
        }
        mutating func put(_ word: UInt64) {
            put(UInt32(truncatingIfNeeded: word >> 32))
            put(UInt32(truncatingIfNeeded: word))
        }
        mutating func put(_ field: some Collection<UInt8>) {
            put(UInt32(field.count))
            bytes.append(contentsOf: field)
        }
        mutating func put(_ text: String) { put(text.utf8) }
        mutating func put(_ text: String?) {
            put(text == nil ? 0 : 1 as UInt8)
            put(text ?? "")
        }
        /// `kind` without traits, 4 more with them.
        mutating func putCollection(_ kind: UInt8, _ displayName: String?, _ color: String?, _ traits: CollectionTraits)
        {
            let isPlain = traits == CollectionTraits()
            put(isPlain ? kind : kind + 4)
            put(displayName)
            put(color)
            guard !isPlain else { return }
            put(traits.description)
            put(traits.order)
            put(traits.timeZone)
            put(traits.components.joined(separator: ","))
        }
    }

    private struct Reader {
        var bytes: ArraySlice<UInt8>

        mutating func byte() -> UInt8? { bytes.popFirst() }
        mutating func word32() -> UInt32? {
            guard bytes.count >= 4 else { return nil }
            defer { bytes = bytes.dropFirst(4) }
            return bytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
        }
        mutating func word64() -> UInt64? {
            guard let high = word32(), let low = word32() else { return nil }
            return UInt64(high) << 32 | UInt64(low)
        }
        mutating func field() -> ArraySlice<UInt8>? {
            guard let count = word32(), bytes.count >= count else { return nil }
            defer { bytes = bytes.dropFirst(Int(count)) }
            return bytes.prefix(Int(count))
        }
        mutating func text() -> String? { field().map { String(decoding: $0, as: UTF8.self) } }
        mutating func optionalText() -> String?? {
            guard let isPresent = byte(), let text = text() else { return nil }
            return .some(isPresent == 1 ? text : nil)
        }
        mutating func traits() -> CollectionTraits? {
            guard let description = optionalText(), let order = optionalText(), let timeZone = optionalText(),
                let components = text()
            else { return nil }
            return CollectionTraits(
                description: description, order: order, timeZone: timeZone,
                components: components.split(separator: ",").map(String.init))
        }
    }
}
