/// Writes the parts of the compact forms.
struct OctetWriter {
    var bytes: [UInt8] = []

    mutating func byte(_ byte: UInt8) { bytes.append(byte) }

    /// LEB128: seven bits per byte, lowest first, the top bit says that more follow.
    mutating func varint(_ number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    /// Eight bytes, little-endian.
    mutating func word(_ word: UInt64) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
    }

    /// Four bytes that show damage to everything before.
    mutating func checksum() {
        let sum = OctetReader.checksum(bytes[...])
        for shift in [0, 8, 16, 24] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: sum >> shift)) }
    }
}

/// Reads the parts of the compact forms; every verb gives `nil` at the end of the bytes.
struct OctetReader {
    private let bytes: ArraySlice<UInt8>
    private var position: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    var isAtEnd: Bool { position == bytes.endIndex }

    mutating func byte() -> UInt8? {
        guard position < bytes.endIndex else { return nil }
        position += 1
        return bytes[position - 1]
    }

    /// At most ten bytes and 64 bits.
    mutating func varint() -> UInt64? {
        var number: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard let byte = byte() else { return nil }
            if shift == 63, byte > 1 { return nil }
            number |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return number }
        }
        return nil
    }

    mutating func word() -> UInt64? {
        guard bytes.endIndex - position >= 8 else { return nil }
        var word: UInt64 = 0
        for index in 0..<8 { word |= UInt64(bytes[position + index]) << UInt64(8 * index) }
        position += 8
        return word
    }

    mutating func octets(_ count: UInt64) -> ArraySlice<UInt8>? {
        guard count <= UInt64(bytes.endIndex - position) else { return nil }
        defer { position += Int(count) }
        return bytes[position..<position + Int(count)]
    }

    /// Where the checksum begins; `nil` where it is not that of what is before.
    static func checkedEnd(of bytes: [UInt8]) -> Int? {
        guard bytes.count >= 5 else { return nil }
        let end = bytes.count - 4
        let stored = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[end + $1]) << UInt32(8 * $1) }
        return stored == checksum(bytes[..<end]) ? end : nil
    }

    /// FNV-1a.
    static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.reduce(0x811C_9DC5) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
    }
}
