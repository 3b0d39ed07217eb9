import Crypto
import CryptoExtras
import FerryAPI
import FoundationEssentials

/// A public key that an issuer signs with, as its JWK describes it (RFC 7517, RFC 7518 section 6).
///
/// The JWK alone decides what the key is good for; a token only names one of the algorithms that remain.
struct SigningKey: Sendable {
    /// Why a JWK is of no use here.
    enum Unusable: Error, Sendable, Hashable {
        /// For encryption, symmetric, or of a kind that is not accepted.
        case otherPurpose
        /// An RSA modulus below 2,048 or above 8,192 bits.
        case size
        /// Members are missing or are not what they should be.
        case malformed
    }

    private enum Material: Sendable {
        case p256(P256.Signing.PublicKey)
        case p384(P384.Signing.PublicKey)
        case rsa(_RSA.Signing.PublicKey)
    }

    /// `kid`; `nil` when the issuer names none.
    let id: String?
    /// Algorithms whose signatures by this key count.
    let algorithms: Set<SignatureAlgorithm>
    /// The one issuer that the key belongs to, where a key set serves several (a member that Entra adds); with a
    /// placeholder in it, it serves every tenant's.
    let issuer: String?
    /// Says whether two keys are the same key.
    let identity: String
    private let material: Material

    /// Whether tokens of the issuer `name` may be signed with this key.
    func mayServe(_ name: String) -> Bool {
        guard let issuer, !TrustedIssuer.placeholders.contains(where: issuer.contains) else { return true }
        return issuer == name
    }

    /// An accepted RSA modulus, in bits: below it forgers can count, above it every check costs too much.
    static let rsaBits = 2_048...8_192

    init(jwk: JSONValue) throws(Unusable) {
        func text(_ name: String) -> String? { jwk[name]?.string }
        guard case .object = jwk, let kind = text("kty") else { throw .malformed }
        guard text("use") ?? "sig" == "sig" else { throw .otherPurpose }
        if let operations = jwk["key_ops"] {
            guard case .array(let names) = operations, names.contains(.string("verify")) else { throw .otherPurpose }
        }
        var possible: Set<SignatureAlgorithm>
        switch (kind, text("crv")) {
        case ("EC", "P-256"):
            let point = try Self.point(jwk, size: 32)
            guard let key = try? P256.Signing.PublicKey(x963Representation: point) else { throw .malformed }
            (material, possible) = (.p256(key), [.es256])
        case ("EC", "P-384"):
            let point = try Self.point(jwk, size: 48)
            guard let key = try? P384.Signing.PublicKey(x963Representation: point) else { throw .malformed }
            (material, possible) = (.p384(key), [.es384])
        case ("RSA", _):
            guard let modulus = Self.number(jwk, "n"), let exponent = Self.number(jwk, "e") else { throw .malformed }
            let bits = modulus.count * 8 - (modulus.first?.leadingZeroBitCount ?? 0)
            guard Self.rsaBits.contains(bits) else { throw .size }
            guard let key = try? _RSA.Signing.PublicKey(n: modulus, e: exponent) else { throw .malformed }
            (material, possible) = (.rsa(key), SignatureAlgorithm.rsa)
        default: throw .otherPurpose
        }
        if let named = jwk["alg"] {
            guard let algorithm = named.string.flatMap(SignatureAlgorithm.init(rawValue:)),
                possible.contains(algorithm)
            else { throw .otherPurpose }
            possible = [algorithm]
        }
        id = text("kid")
        algorithms = possible
        issuer = text("issuer")
        identity = ["kid", "kty", "crv", "alg", "x", "y", "n", "e", "issuer"].map { text($0) ?? "" }
            .joined(separator: "\u{0}")
    }

    /// Whether `signature` over `signed` was made with this key. False for an algorithm that is not the key's.
    func isValid(_ signature: [UInt8], over signed: [UInt8], by algorithm: SignatureAlgorithm) -> Bool {
        guard algorithms.contains(algorithm) else { return false }
        switch material {
        case .p256(let key):
            guard let signature = try? P256.Signing.ECDSASignature(rawRepresentation: signature) else { return false }
            return key.isValidSignature(signature, for: signed)
        case .p384(let key):
            guard let signature = try? P384.Signing.ECDSASignature(rawRepresentation: signature) else { return false }
            return key.isValidSignature(signature, for: signed)
        case .rsa(let key):
            let signature = _RSA.Signing.RSASignature(rawRepresentation: signature)
            return switch algorithm {
            case .rs256: key.isValidSignature(signature, for: SHA256.hash(data: signed), padding: .insecurePKCS1v1_5)
            case .rs384: key.isValidSignature(signature, for: SHA384.hash(data: signed), padding: .insecurePKCS1v1_5)
            case .rs512: key.isValidSignature(signature, for: SHA512.hash(data: signed), padding: .insecurePKCS1v1_5)
            case .ps256: key.isValidSignature(signature, for: SHA256.hash(data: signed), padding: .PSS)
            case .ps384: key.isValidSignature(signature, for: SHA384.hash(data: signed), padding: .PSS)
            case .ps512: key.isValidSignature(signature, for: SHA512.hash(data: signed), padding: .PSS)
            case .es256, .es384: false
            }
        }
    }

    /// The uncompressed point of `x` and `y` (RFC 7518 section 6.2.1), each of exactly `size` bytes.
    private static func point(_ jwk: JSONValue, size: Int) throws(Unusable) -> [UInt8] {
        guard let x = jwk["x"]?.string.flatMap(Base64URL.decode), let y = jwk["y"]?.string.flatMap(Base64URL.decode),
            x.count == size, y.count == size
        else { throw .malformed }
        return [0x04] + x + y
    }

    /// A Base64urlUInt (RFC 7518 section 2) without the zeros that some issuers put in front of it.
    private static func number(_ jwk: JSONValue, _ name: String) -> [UInt8]? {
        guard let bytes = jwk[name]?.string.flatMap(Base64URL.decode) else { return nil }
        let number = Array(bytes.drop { $0 == 0 })
        return number.isEmpty ? nil : number
    }
}
