import FerryCore

/// What is wrong with a manifest as a text.
package enum ManifestFlaw: Error, Sendable, Hashable {
    /// A line that is no line of a manifest.
    case malformed
    /// A manifest of a later version than this program knows; the number that it gives.
    case version(Int64)
    /// The file ends before what its head announces.
    case truncated
}

/// Writes one line of a manifest: a JSON object (RFC 8259) with its members in a fixed order and no blanks.
struct ManifestLineWriter {
    private var bytes: [UInt8] = [UInt8(ascii: "{")]

    init() { bytes.reserveCapacity(256) }

    mutating func member(_ name: String, _ text: String) {
        key(name)
        bytes += JSONDocument.quoted(text)
    }

    mutating func member(_ name: String, _ number: Int64) {
        key(name)
        bytes += String(number).utf8
    }

    mutating func member(_ name: String, _ flag: Bool) {
        key(name)
        bytes += (flag ? "true" : "false").utf8
    }

    mutating func member(_ name: String, _ texts: [String]) {
        key(name)
        bytes.append(UInt8(ascii: "["))
        for (index, text) in texts.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes += JSONDocument.quoted(text)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    mutating func member(_ name: String, object: [UInt8]) {
        key(name)
        bytes += object
    }

    consuming func finish() -> [UInt8] {
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    private mutating func key(_ name: String) {
        if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
        bytes.append(UInt8(ascii: "\""))
        bytes += name.utf8
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
    }
}

/// Reads the members of one line; every reader throws `ManifestFlaw.malformed` for what is missing or of another kind.
struct ManifestLineReader {
    private let document: JSONDocument
    private let node: JSONDocument.Node

    init(_ bytes: [UInt8]) throws(ManifestFlaw) {
        guard let document = JSONDocument(bytes), document.kind(of: document.root) == .object else { throw .malformed }
        self.document = document
        node = document.root
    }

    private init(_ document: JSONDocument, _ node: JSONDocument.Node) {
        self.document = document
        self.node = node
    }

    func has(_ name: String) -> Bool { document[node, name] != nil }

    func text(_ name: String) throws(ManifestFlaw) -> String {
        guard let text = document[node, name].flatMap({ document.string($0) }) else { throw .malformed }
        return text
    }

    func texts(_ name: String) throws(ManifestFlaw) -> [String] {
        guard let array = document[node, name], document.kind(of: array) == .array else { throw .malformed }
        var texts: [String] = []
        for child in document.children(of: array) {
            guard let text = document.string(child) else { throw .malformed }
            texts.append(text)
        }
        return texts
    }

    func number(_ name: String) throws(ManifestFlaw) -> Int64 {
        guard let number = document[node, name].flatMap({ document.integer($0) }) else { throw .malformed }
        return number
    }

    func count(_ name: String) throws(ManifestFlaw) -> Int64 {
        let number = try number(name)
        guard number >= 0 else { throw .malformed }
        return number
    }

    func digest(_ name: String) throws(ManifestFlaw) -> ContentDigest {
        guard let digest = ContentDigest(hexadecimal: try text(name)) else { throw .malformed }
        return digest
    }

    func key(_ name: String) throws(ManifestFlaw) -> ItemKey {
        guard let key = ItemKey(hexadecimal: try text(name)) else { throw .malformed }
        return key
    }

    func instant(_ name: String) throws(ManifestFlaw) -> Instant {
        guard let instant = RFC3339.parse(try text(name)) else { throw .malformed }
        return instant
    }

    func identifier<ID: GUIDIdentifier>(_ name: String) throws(ManifestFlaw) -> ID {
        guard let id = ID(try text(name)) else { throw .malformed }
        return id
    }

    func object(_ name: String) throws(ManifestFlaw) -> ManifestLineReader {
        guard let object = document[node, name], document.kind(of: object) == .object else { throw .malformed }
        return ManifestLineReader(document, object)
    }
}
