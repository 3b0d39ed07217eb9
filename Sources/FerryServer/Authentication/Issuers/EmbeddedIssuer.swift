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
    /// The key's file; `nil` for a key that lives as long as the process.
    private let path: String?
    /// Where others reach this server, without a slash at the end; `nil` while nobody else shall trust the tokens.
    package let address: String?
    /// JWK thumbprint of the public key (RFC 7638), base64url.
    package let keyID: String

    /// Reads the key from the file, or makes one there with mode 600. Blocks on the file system: to be called before
    /// the server runs.
    /// - Parameter address: scheme and authority under which other servers reach this one, such as
    ///   `https://ferry.example.org`; tokens then carry an issuer that they can discover.
    package init(keyFile path: String, address: String? = nil) throws(KeyFileError) {
        self.init(key: try KeyFile.open(path), path: path, address: address)
    }

    private init(key: P256.Signing.PrivateKey, path: String?, address: String?) {
        self.key = key
        self.path = path
        self.address = address.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
        keyID = Self.thumbprint(key.publicKey)
    }

    /// With a key that lives as long as the process.
    package static func ephemeral(address: String? = nil) -> EmbeddedIssuer {
        EmbeddedIssuer(key: P256.Signing.PrivateKey(), path: nil, address: address)
    }

    /// The issuer as its file makes it now. Blocks on the file system.
    func reread() throws(IssuerProblem) -> EmbeddedIssuer {
        guard let path else { return self }
        do throws(KeyFileError) {
            guard let key = try KeyFile.read(path) else { throw KeyFileError.missing(path) }
            return EmbeddedIssuer(key: key, path: path, address: address)
        } catch {
            throw .keyFile(error.description)
        }
    }

    /// The public key in PEM form, for others that want to check our tokens.
    package var publicKeyPEM: String { key.publicKey.pemRepresentation }

    /// The public key as others see it (RFC 7517 section 5).
    var jwks: [UInt8] {
        let point = [UInt8](key.publicKey.rawRepresentation)
        var json = JSONWriter(capacity: 512)
        json.object { json in
            json.key("keys")
            json.array { json in
                json.object { json in
                    json.member("kty", "EC")
                    json.member("crv", "P-256")
                    json.member("use", "sig")
                    json.member("alg", SignatureAlgorithm.es256.rawValue)
                    json.member("kid", keyID)
                    json.member("x", Base64URL.encode(Array(point[..<32])))
                    json.member("y", Base64URL.encode(Array(point[32...])))
                }
            }
        }
        return json.bytes
    }

    /// The same key, to check signatures with.
    var keySet: KeySet {
        get throws(IssuerProblem) { try KeySet(jwks: jwks) }
    }

    /// `iss` of a tenant's tokens.
    package func issuer(of tenant: TenantID) -> String { Self.issuer(of: tenant, at: address) }

    /// The same for a server at that address; a slash at its end makes no difference.
    package static func issuer(of tenant: TenantID, at address: String?) -> String {
        guard let address else { return localIssuer(of: tenant) }
        return (address.hasSuffix("/") ? String(address.dropLast()) : address) + path(of: tenant)
    }

    /// `iss` where no address is configured. Accepted ever after, so that an address can be given later on.
    static func localIssuer(of tenant: TenantID) -> String { "ferry:embedded/\(tenant)" }

    /// Below which a tenant's discovery document is.
    static func path(of tenant: TenantID) -> String { "/ferry/issuer/\(tenant)" }

    /// A signed token, valid from now on. Fails only when the library cannot sign.
    package func issue(_ request: TokenRequest, effects: Effects) throws -> String {
        let now = effects.now().seconds
        var claims = JSONWriter(capacity: 1_024)
        claims.object { json in
            json.member("aud", request.audience)
            json.member("iss", issuer(of: request.tenant))
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
