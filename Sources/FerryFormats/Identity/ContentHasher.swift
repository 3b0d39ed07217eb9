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
}

extension ContentDigest {
    /// The digest of content that is in memory as a whole.
    package init(hashing bytes: some Collection<UInt8>) {
        var hasher = ContentHasher()
        hasher.update(bytes)
        self = hasher.finish()
    }

    /// 64 lower-case hexadecimal digits.
    package var hexadecimal: String {
        var text = [UInt8]()
        text.reserveCapacity(bytes.count * 2)
        for byte in bytes {
            text.append(Hexadecimal.character(byte >> 4))
            text.append(Hexadecimal.character(byte & 0xF))
        }
        return String(decoding: text, as: UTF8.self)
    }
}
