import NIOCore

/// Turns line ends into CRLF, as RFC 9051 section 2.3.1 and RFC 5322 section 2.3 want them: files of a Maildir have LF
/// alone, which Dovecot changes silently and Cyrus refuses.
struct CanonicalText: Sendable {
    private var endsWithCR = false

    /// The next piece. Gives the same buffer back where nothing has to change.
    mutating func canonical(_ buffer: ByteBuffer) -> ByteBuffer {
        var last: UInt8 = endsWithCR ? 0x0D : 0
        var bare = 0
        for byte in buffer.readableBytesView {
            if byte == 0x0A, last != 0x0D { bare += 1 }
            last = byte
        }
        defer { endsWithCR = last == 0x0D }
        guard bare > 0 else { return buffer }
        var result = ByteBuffer()
        result.reserveCapacity(buffer.readableBytes + bare)
        last = endsWithCR ? 0x0D : 0
        for byte in buffer.readableBytesView {
            if byte == 0x0A, last != 0x0D { result.writeInteger(0x0D as UInt8) }
            result.writeInteger(byte)
            last = byte
        }
        return result
    }

    /// Whether a piece that begins a content has a line end without CR.
    static func hasBareLF(_ buffer: ByteBuffer) -> Bool {
        var last: UInt8 = 0
        for byte in buffer.readableBytesView {
            if byte == 0x0A, last != 0x0D { return true }
            last = byte
        }
        return false
    }
}
