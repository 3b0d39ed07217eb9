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
}
