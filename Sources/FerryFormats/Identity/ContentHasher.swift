import Crypto
package import FerryCore

/// SHA-256 of content that comes in pieces. The same bytes give the same digest however they are cut.
package struct ContentHasher: Sendable {
    private var state = SHA256()

    package init() {}

    package mutating func update(_ bytes: some Collection<UInt8>) {
        let contiguous: Void? = bytes.withContiguousStorageIfAvailable { buffer in
            // SAFETY: the buffer is only read, and only while the collection lends it.
            unsafe state.update(bufferPointer: UnsafeRawBufferPointer(buffer))
        }
        if contiguous == nil { state.update(data: Array(bytes)) }
    }

    /// The digest of everything so far; more may follow.
    package func finish() -> ContentDigest { ContentDigest(Array(state.finalize())) }

    /// The digest of the bytes as 64 lower-case hexadecimal digits.
    package static func hexadecimal(of bytes: [UInt8]) -> String { ContentDigest(hashing: bytes).hexadecimal }
}

extension ContentDigest {
    /// The digest of content that is in memory as a whole.
    package init(hashing bytes: some Collection<UInt8>) {
        var hasher = ContentHasher()
        hasher.update(bytes)
        self = hasher.finish()
    }

    /// 64 lower-case hexadecimal digits.
    package var hexadecimal: String { String(decoding: Hexadecimal.encode(bytes), as: UTF8.self) }

    /// Reads 64 hexadecimal digits.
    package init?(hexadecimal text: some StringProtocol) {
        guard let bytes = Hexadecimal.decode(text), bytes.count == 32 else { return nil }
        self.init(bytes)
    }
}
