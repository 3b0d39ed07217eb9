import FerryCore

/// Where a page ended, as `$skiptoken` carries it: opaque to clients, good only for the list it was made for.
///
/// Layout before base64url: version 1, eight octets of the list's digest, count of values, the values (tag, then eight
/// octets of microseconds or length and UTF-8), then the id's length and UTF-8. Numbers are big-endian, lengths two octets.
enum SkipToken {
    private static let version: UInt8 = 1

    static func encode(_ position: PagePosition, list: String) -> String {
        var bytes: [UInt8] = [version]
        append(digest(list), to: &bytes)
        bytes.append(UInt8(clamping: position.values.count))
        for value in position.values {
            switch value {
            case .null: bytes.append(0)
            case .instant(let instant):
                bytes.append(1)
                append(UInt64(bitPattern: instant.microseconds), to: &bytes)
            case .text(let text):
                bytes.append(2)
                append(text, to: &bytes)
            }
        }
        append(position.id, to: &bytes)
        return Base64URL.encode(bytes)
    }

    /// Throws `Failure.badRequest` for anything that was not made by `encode` for the same list.
    static func decode(_ token: String, list: String) throws(Failure) -> PagePosition {
        guard let bytes = Base64URL.decode(token), let position = read(bytes, digest(list)) else {
            throw .badRequest(
                "$skiptoken was not made for this request. Follow @odata.nextLink as it is, or begin again.",
                target: "$skiptoken")
        }
        return position
    }

    private static func read(_ bytes: [UInt8], _ digest: UInt64) -> PagePosition? {
        var rest = bytes[...]
        guard rest.popFirst() == version, number(&rest, 8) == digest, let count = rest.popFirst() else { return nil }
        var values: [QueryValue] = []
        for _ in 0..<count {
            switch rest.popFirst() {
            case 0: values.append(.null)
            case 1:
                guard let raw = number(&rest, 8) else { return nil }
                values.append(.instant(Instant(microseconds: Int64(bitPattern: raw))))
            case 2:
                guard let text = text(&rest) else { return nil }
                values.append(.text(text))
            default: return nil
            }
        }
        guard let id = text(&rest), rest.isEmpty else { return nil }
        return PagePosition(values: values, id: id)
    }

    private static func number(_ rest: inout ArraySlice<UInt8>, _ octets: Int) -> UInt64? {
        guard rest.count >= octets else { return nil }
        let value = rest.prefix(octets).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        rest = rest.dropFirst(octets)
        return value
    }

    private static func text(_ rest: inout ArraySlice<UInt8>) -> String? {
        guard let length = number(&rest, 2), rest.count >= Int(length) else { return nil }
        defer { rest = rest.dropFirst(Int(length)) }
        return String(validating: rest.prefix(Int(length)), as: UTF8.self)
    }

    private static func append(_ value: UInt64, to bytes: inout [UInt8]) {
        for shift in stride(from: UInt64(56), through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    /// Longer texts are cut between characters: a display name has 256 characters, so none is.
    private static func append(_ text: String, to bytes: inout [UInt8]) {
        let content = Array(text.utf8.prefix(Int(UInt16.max)))
        bytes.append(UInt8(truncatingIfNeeded: content.count >> 8))
        bytes.append(UInt8(truncatingIfNeeded: content.count))
        bytes.append(contentsOf: content)
    }

    /// FNV-1a, 64 bits: tells lists apart, guards nothing (a forged position only shows the forger his own list).
    private static func digest(_ text: String) -> UInt64 {
        text.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
    }
}
