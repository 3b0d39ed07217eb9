import Crypto
import FerryAPI
package import FerryCore
package import FerryEngine
import FoundationEssentials

/// Makes and knows tokens by a local key: for one organization's own server, the demo and tests.
///
/// The tokens are those of reference 7.7 in shape, signed with ES256 (RFC 7518 section 3.4).
package struct EmbeddedIssuer: Sendable {
    private let key: P256.Signing.PrivateKey
    /// JWK thumbprint of the public key (RFC 7638), base64url.
    package let keyID: String

    /// Reads the key from the file, or makes one there with mode 600. Blocks on the file system: to be called before
    /// the server runs.
    package init(keyFile path: String) throws(KeyFileError) {
        self.init(key: try KeyFile.open(path))
    }

    private init(key: P256.Signing.PrivateKey) {
        self.key = key
        keyID = Self.thumbprint(key.publicKey)
    }

    /// With a key that lives as long as the process.
    package static func ephemeral() -> EmbeddedIssuer { EmbeddedIssuer(key: P256.Signing.PrivateKey()) }

    var publicKey: P256.Signing.PublicKey { key.publicKey }

    /// The public key in PEM form, for others that want to check our tokens.
    package var publicKeyPEM: String { key.publicKey.pemRepresentation }

    /// `iss` of a tenant's tokens.
    package static func issuer(of tenant: TenantID) -> String { "ferry:embedded/\(tenant)" }

    /// A signed token, valid from now on. Fails only when the library cannot sign.
    package func issue(_ request: TokenRequest, effects: Effects) throws -> String {
        let now = effects.now().seconds
        var claims = JSONWriter(capacity: 1_024)
        claims.object { json in
            json.member("aud", request.audience)
            json.member("iss", Self.issuer(of: request.tenant))
            json.member("iat", now)
            json.member("nbf", now)
            json.member("exp", now + request.lifetime.wholeMicroseconds / 1_000_000)
            json.member("tid", request.tenant.guid)
            json.member("oid", request.objectID)
            json.member("sub", request.objectID)
            json.member("appid", request.applicationID)
            json.member("uti", effects.makeGUID())
            json.member("ver", "1.0")
            switch request.rights {
            case .delegated(let name, let scopes, let roles):
                json.member("idtyp", "user")
                json.member("upn", name)
                json.member("scp", scopes.joined(separator: " "))
                json.key("wids")
                json.array { json in for role in roles { json.string(role) } }
            case .application(let permissions):
                json.member("idtyp", "app")
                json.key("roles")
                json.array { json in for permission in permissions { json.string(permission) } }
            }
        }
        return try sign(claims.bytes)
    }

    /// The claims in compact serialization (RFC 7515 section 3.1).
    func sign(_ claims: [UInt8]) throws -> String {
        var header = JSONWriter(capacity: 128)
        header.object { json in
            json.member("typ", "JWT")
            json.member("alg", "ES256")
            json.member("kid", keyID)
        }
        let signed = "\(Base64URL.encode(header.bytes)).\(Base64URL.encode(claims))"
        let signature = try key.signature(for: Array(signed.utf8))
        return "\(signed).\(Base64URL.encode([UInt8](signature.rawRepresentation)))"
    }

    private static func thumbprint(_ key: P256.Signing.PublicKey) -> String {
        let point = [UInt8](key.rawRepresentation)
        let (x, y) = (Base64URL.encode(Array(point[..<32])), Base64URL.encode(Array(point[32...])))
        let canonical = #"{"crv":"P-256","kty":"EC","x":"\#(x)","y":"\#(y)"}"#
        return Base64URL.encode(Array(SHA256.hash(data: Array(canonical.utf8))))
    }
}
