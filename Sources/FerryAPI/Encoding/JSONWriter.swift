package import FerryCore
import FerryFormats

/// Writes JSON by hand: names are constants, values go straight into the bytes. The caller keeps the order of members
/// and the balance of brackets, which the closures make easy.
package struct JSONWriter: ~Copyable {
    package private(set) var bytes: [UInt8] = []
    /// A value was written on this level, so the next one needs a comma.
    private var needsComma = false

    package init(capacity: Int) { bytes.reserveCapacity(capacity) }

    package mutating func object(_ body: (inout JSONWriter) -> Void) { bracketed("{", "}", body) }
    package mutating func array(_ body: (inout JSONWriter) -> Void) { bracketed("[", "]", body) }

    private mutating func bracketed(_ open: Unicode.Scalar, _ close: Unicode.Scalar, _ body: (inout JSONWriter) -> Void)
    {
        separate()
        bytes.append(UInt8(ascii: open))
        needsComma = false
        body(&self)
        bytes.append(UInt8(ascii: close))
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    /// Members of the object that were written elsewhere, with commas between them and without brackets.
    mutating func members(written: [UInt8]) {
        separate()
        bytes.append(contentsOf: written)
    }

    /// The members of the object that is all that was written.
    var memberBytes: [UInt8] { Array(bytes.dropFirst().dropLast()) }

    /// The name of the member that is written next. `name` needs no escapes.
    package mutating func key(_ name: String) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        bytes.append(contentsOf: name.utf8)
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// The elements of the array that is all that was written, to stand in a larger one: with a comma before them unless
    /// they are the first.
    func elements(isFirst: Bool) -> [UInt8] {
        let inner = bytes.dropFirst().dropLast()
        return isFirst || inner.isEmpty ? Array(inner) : [UInt8(ascii: ",")] + inner
    }

    /// A name that a client chose.
    mutating func name(_ name: String) {
        string(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// A value that was read before, with its numbers as they were spelled.
    mutating func value(_ value: JSONValue) {
        switch value {
        case .null: null()
        case .bool(let bool): self.bool(bool)
        case .number(let digits):
            separate()
            bytes.append(contentsOf: digits.utf8)
        case .string(let text): string(text)
        case .array(let elements): array { json in for element in elements { json.value(element) } }
        case .object(let members):
            object { json in
                for member in members {
                    json.name(member.name)
                    json.value(member.value)
                }
            }
        }
    }

    package mutating func member(_ name: String, _ text: String) {
        key(name)
        string(text)
    }

    package mutating func member(_ name: String, _ guid: GUID) {
        key(name)
        self.guid(guid)
    }

    package mutating func member(_ name: String, _ instant: Instant) {
        key(name)
        self.instant(instant)
    }

    package mutating func member(_ name: String, _ number: some BinaryInteger) {
        key(name)
        self.number(number)
    }

    /// Writes `null` for `nil`.
    package mutating func member(_ name: String, ifKnown number: (some BinaryInteger)?) {
        key(name)
        if let number { self.number(number) } else { null() }
    }

    /// Two fraction digits at most: rates and seconds are for people. `null` for `nil` and what is not finite.
    package mutating func member(_ name: String, decimal value: Double?) {
        key(name)
        guard let value, value.isFinite, abs(value) < 1e15 else { return null() }
        let hundredths = Int64((value * 100).rounded())
        separate()
        if hundredths < 0 { bytes.append(UInt8(ascii: "-")) }
        let magnitude = hundredths.magnitude
        bytes.append(contentsOf: String(magnitude / 100).utf8)
        guard magnitude % 100 != 0 else { return }
        bytes.append(UInt8(ascii: "."))
        bytes.append(UInt8(ascii: "0") + UInt8(magnitude % 100 / 10))
        if magnitude % 10 != 0 { bytes.append(UInt8(ascii: "0") + UInt8(magnitude % 10)) }
    }

    package mutating func string(_ text: String) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        escaped(text)
        bytes.append(UInt8(ascii: "\""))
    }

    /// A string made of pieces, without building it first.
    package mutating func string(joining pieces: String...) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        for piece in pieces { escaped(piece) }
        bytes.append(UInt8(ascii: "\""))
    }

    package mutating func guid(_ guid: GUID) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        for nibble in 0..<32 {
            if nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20 { bytes.append(UInt8(ascii: "-")) }
            let word = nibble < 16 ? guid.high : guid.low
            let digit = UInt8(truncatingIfNeeded: word >> UInt64(60 - nibble % 16 * 4) & 0xF)
            bytes.append(Hexadecimal.character(digit))
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// `2031-02-10T08:15:30.123456Z`, trailing zeros of the fraction cut (reference 7.5).
    package mutating func instant(_ instant: Instant) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        RFC3339.append(instant, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    /// Whole seconds and no zone, UTC meant: the form of `innerError.date` (reference 7.2).
    package mutating func instantWithoutZone(_ instant: Instant) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        RFC3339.append(Instant(seconds: instant.seconds), to: &bytes)
        bytes.removeLast()
        bytes.append(UInt8(ascii: "\""))
    }

    package mutating func number(_ value: some BinaryInteger) {
        separate()
        bytes.append(contentsOf: String(value).utf8)
    }

    package mutating func bool(_ value: Bool) {
        separate()
        bytes.append(contentsOf: (value ? "true" : "false").utf8)
    }

    package mutating func null() {
        separate()
        bytes.append(contentsOf: "null".utf8)
    }

    /// RFC 8259 section 7: quote, backslash and control characters; everything else stays UTF-8.
    private mutating func escaped(_ text: String) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0x0A: bytes.append(contentsOf: "\\n".utf8)
            case 0x0D: bytes.append(contentsOf: "\\r".utf8)
            case 0x09: bytes.append(contentsOf: "\\t".utf8)
            case 0..<0x20, 0x7F:
                bytes.append(contentsOf: "\\u00".utf8)
                bytes.append(Hexadecimal.character(byte >> 4))
                bytes.append(Hexadecimal.character(byte & 0xF))
            default: bytes.append(byte)
            }
        }
    }
}
