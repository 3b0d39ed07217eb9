package import FerryCore

extension ItemKey {
    /// The first 128 bits of the SHA-256 of an identifier, most significant octet first.
    ///
    /// Kept in the ledger: changing it would make every known item look new.
    package init(hashing bytes: some Sequence<UInt8>) {
        let digest = ContentDigest(hashing: Array(bytes)).bytes
        func word(_ range: Range<Int>) -> UInt64 { digest[range].reduce(0) { $0 << 8 | UInt64($1) } }
        self.init(high: word(0..<8), low: word(8..<16))
    }

    /// The key of an item that is known by a name; the name's UTF-8 is taken as it is, without normalization.
    package init(name: String) { self.init(hashing: name.utf8) }

    /// 32 lower-case hexadecimal digits.
    package var hexadecimal: String {
        let bytes = [high, low].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - $0 * 8)) } }
        return String(decoding: Hexadecimal.encode(bytes), as: UTF8.self)
    }

    /// Reads 32 hexadecimal digits.
    package init?(hexadecimal text: some StringProtocol) {
        guard let bytes = Hexadecimal.decode(text), bytes.count == 16 else { return nil }
        func word(_ range: Range<Int>) -> UInt64 { bytes[range].reduce(0) { $0 << 8 | UInt64($1) } }
        self.init(high: word(0..<8), low: word(8..<16))
    }
}
