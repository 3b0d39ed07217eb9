import Crypto

/// The private key that manifests are signed with: Ed25519 (RFC 8032).
package struct ManifestKey: Sendable {
    /// Octets of a private key (RFC 8032 section 5.1.5).
    package static let seedBytes = 32
    /// What stands before the seed in a PKCS #8 structure (RFC 8410 section 7).
    private static let prefix: [UInt8] = [
        0x30, 0x2E, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
    ]

    private let key: Curve25519.Signing.PrivateKey

    /// `nil` unless there are 32 octets. They must come from a source of chance that nobody can foresee.
    package init?(seed: [UInt8]) {
        guard let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed) else { return nil }
        self.key = key
    }

    /// Reads a PKCS #8 structure of an Ed25519 key without attributes, as OpenSSL writes it.
    package init?(der: [UInt8]) {
        guard der.count == Self.prefix.count + Self.seedBytes, der.starts(with: Self.prefix) else { return nil }
        self.init(seed: Array(der.dropFirst(Self.prefix.count)))
    }

    /// PKCS #8 (RFC 8410 section 7). A secret.
    package var der: [UInt8] { Self.prefix + [UInt8](key.rawRepresentation) }

    package var publicKey: ManifestPublicKey { ManifestPublicKey(key.publicKey) }

    /// 64 octets. `nil` only when the library cannot sign.
    package func signature(over bytes: [UInt8]) -> [UInt8]? {
        (try? key.signature(for: bytes)).map { [UInt8]($0) }
    }
}

/// The public half of a `ManifestKey`, by which anybody can check a manifest.
package struct ManifestPublicKey: Sendable, Equatable {
    /// What stands before the key in a SubjectPublicKeyInfo (RFC 8410 section 4).
    private static let prefix: [UInt8] = [0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00]

    private let key: Curve25519.Signing.PublicKey

    fileprivate init(_ key: Curve25519.Signing.PublicKey) { self.key = key }

    /// Reads a SubjectPublicKeyInfo of an Ed25519 key.
    package init?(der: [UInt8]) {
        guard der.count == Self.prefix.count + 32, der.starts(with: Self.prefix),
            let key = try? Curve25519.Signing.PublicKey(rawRepresentation: Array(der.dropFirst(Self.prefix.count)))
        else { return nil }
        self.key = key
    }

    /// SubjectPublicKeyInfo (RFC 8410 section 4).
    package var der: [UInt8] { Self.prefix + raw }

    /// 32 octets (RFC 8032 section 5.1.5).
    package var raw: [UInt8] { [UInt8](key.rawRepresentation) }

    /// SHA-256 of the SubjectPublicKeyInfo in hexadecimal digits: what a manifest names its key by.
    package var id: String { ContentHasher.hexadecimal(of: der) }

    package func isValid(_ signature: [UInt8], over bytes: [UInt8]) -> Bool {
        key.isValidSignature(signature, for: bytes)
    }

    package static func == (left: ManifestPublicKey, right: ManifestPublicKey) -> Bool { left.raw == right.raw }
}
