import Crypto
import CryptoExtras
import FerryAPI
import FerryCore
import Foundation
import Testing

@testable import FerryServer

/// Tokens of issuers beside the embedded one: discovery, keys, algorithms, and what forgers try (reference 7.7).
///
/// One after the other: each opens a server or two, and the number of open files is everybody's.
@Suite(.serialized)
struct OpenIDConnectTests {
    static let path = "GET \(World.v1)"

    /// Claims of a migration administrator's token by the issuer.
    static func claims(_ issuer: String, _ changes: [String: String] = [:]) -> String {
        Forge.claims(["iss": "\"\(issuer)\""].merging(changes) { $1 })
    }

    /// A server that trusts the site, and only it.
    static func run(
        _ change: @escaping @Sendable (IssuerSite, inout AuthenticationSettings) throws -> Void = { _, _ in },
        _ body: @escaping @Sendable (IssuerSite, World, Client) async throws -> Void
    ) async throws {
        try await IssuerSite.run { site in
            let trusted = try TrustedIssuer(name: site.url)
            try await World.run(
                authentication: { settings in
                    settings.issuers = [trusted]
                    try change(site, &settings)
                }
            ) { world, client in try await body(site, world, client) }
        }
    }

    // MARK: algorithms

    static func key(for algorithm: String) throws -> IssuerKey {
        switch algorithm {
        case "ES256": .p256(P256.Signing.PrivateKey())
        case "ES384": .p384(P384.Signing.PrivateKey())
        default: try IssuerKey.rsaA.get()
        }
    }

    @Test(
        "A token is good by discovery and key set, whatever accepted algorithm signed it",
        arguments: SignatureAlgorithm.allCases.map(\.rawValue))
    func algorithms(_ algorithm: String) async throws {
        try await Self.run { site, _, client in
            let key = try Self.key(for: algorithm)
            site.publish(try key.jwk("a"))
            let token = try key.token(Self.claims(site.url), algorithm, "a")
            let reply = try await client.send(Self.path, token: token)
            #expect(reply.status == 200, "\(reply.text)")
            // One character of the claims, and one of the signature.
            let parts = token.split(separator: ".").map(String.init)
            let changed = Base64URL.encode(Array(Self.claims(site.url, ["oid": "\"oid-2\""]).utf8))
            #expect(
                AuthenticationTests.refused(
                    try await client.send(Self.path, token: "\(parts[0]).\(changed).\(parts[2])")))
            let flipped = (parts[2].first == "A" ? "B" : "A") + parts[2].dropFirst()
            #expect(
                AuthenticationTests.refused(
                    try await client.send(Self.path, token: "\(parts[0]).\(parts[1]).\(flipped)")))
        }
    }

    @Test("The JWK fixes the algorithm: another one of the same key, another key type and a symmetric one are 401")
    func confusion() async throws {
        try await Self.run { site, _, client in
            let (rsa, curve) = (try IssuerKey.rsaA.get(), IssuerKey.p256(P256.Signing.PrivateKey()))
            site.publish(try rsa.jwk("rsa", ["alg": "RS256"]), try curve.jwk("curve"))
            let claims = Self.claims(site.url)
            #expect(try await client.send(Self.path, token: try rsa.token(claims, "RS256", "rsa")).status == 200)
            for (key, algorithm, id) in [
                (rsa, "PS256", "rsa"), (rsa, "RS512", "rsa"), (rsa, "RS256", "curve"), (curve, "ES256", "rsa"),
                (curve, "ES384", "curve"), (rsa, "none", "rsa"), (rsa, "HS256", "rsa"), (rsa, "rs256", "rsa"),
            ] {
                let reply = try await client.send(Self.path, token: try key.token(claims, algorithm, id))
                #expect(AuthenticationTests.refused(reply), "\(algorithm) by \(id)")
            }
            // The public key, which everybody has, as the shared secret.
            guard case .rsa(let pair) = rsa else { return }
            for secret in [pair.publicKey.pemRepresentation, pair.publicKey.pkcs1PEMRepresentation, try rsa.jwk("rsa")]
            {
                let head = Base64URL.encode(Array(#"{"alg":"HS256","kid":"rsa"}"#.utf8))
                let signed = "\(head).\(Base64URL.encode(Array(claims.utf8)))"
                let code = HMAC<SHA256>.authenticationCode(
                    for: Array(signed.utf8), using: SymmetricKey(data: Array(secret.utf8)))
                let reply = try await client.send(Self.path, token: "\(signed).\(Base64URL.encode(Array(code)))")
                #expect(AuthenticationTests.refused(reply))
            }
        }
    }

    @Test(
        "Headers that bring or point to a key, that are critical, or of another kind of token are 401 although the signature is good",
        arguments: [
            #","jku":"https://evil.example/keys""#, #","x5u":"https://evil.example/cert""#, #","jwk":{"kty":"RSA"}"#,
            #","x5c":["MII="]"#, #","crit":["exp"]"#, #","b64":false,"crit":["b64"]"#, #","typ":"logout+jwt""#,
            #","typ":"dpop+jwt""#, #","typ":7"#,
        ])
    func headers(_ header: String) async throws {
        try await Self.run { site, _, client in
            let key = IssuerKey.p256(P256.Signing.PrivateKey())
            site.publish(try key.jwk("a"))
            let bad = try key.token(Self.claims(site.url), "ES256", "a", header: header)
            #expect(AuthenticationTests.refused(try await client.send(Self.path, token: bad)))
            let good = try key.token(Self.claims(site.url), "ES256", "a", header: #","typ":"at+jwt","x5t":"abc""#)
            #expect(try await client.send(Self.path, token: good).status == 200)
        }
    }

    @Test(
        "Keys that are too small, for encryption, symmetric or malformed are passed over; without any other the issuer is of no use"
    )
    func uselessKeys() async throws {
        let small = IssuerKey.rsa(try _RSA.Signing.PrivateKey(unsafeKeySize: .init(bitCount: 1_024)))
        let key = try IssuerKey.rsaA.get()
        let curve = IssuerKey.p256(P256.Signing.PrivateKey())
        let useless = [
            try small.jwk("a"), try key.jwk("a", ["use": "enc"]), try key.jwk("a", ["alg": "RSA-OAEP"]),
            try key.jwk("a", ["alg": "ES256"]), #"{"kty":"oct","kid":"a","k":"AAAA"}"#, #"{"kty":"RSA","kid":"a"}"#,
            try key.jwk("a", ["e": ""]), try key.jwk("a", ["n": "=="]), try curve.jwk("a", ["x": "AAAA"]),
            try curve.jwk("a", ["crv": "P-384"]), "7", "{}",
            try key.jwk("a").dropLast() + #","key_ops":["sign"]}"#,
        ]
        for jwk in useless {
            let bytes = Array("{\"keys\":[\(jwk)]}".utf8)
            #expect(Self.problem(with: bytes) == .noUsableKey(published: 1))
        }
        let all = try KeySet(jwks: Array("{\"keys\":[\(useless.joined(separator: ",")),\(try key.jwk("a"))]}".utf8))
        #expect(all.keys.count == 1)
        #expect(all.ignored == useless.count)
        for text in [
            "", "[]", "{}", #"{"keys":7}"#, "{\"keys\":[\(Array(repeating: "1", count: 65).joined(separator: ","))]}",
        ] {
            #expect(Self.problem(with: Array(text.utf8)) == .notAKeySet)
        }
    }

    /// Why these bytes are no key set; `nil` when they are one.
    private static func problem(with bytes: [UInt8]) -> IssuerProblem? {
        do {
            _ = try KeySet(jwks: bytes)
            return nil
        } catch {
            return error
        }
    }

    @Test("A token without kid is checked by the only key that fits, and refused when there are two")
    func withoutKeyID() async throws {
        try await Self.run { site, world, client in
            let (one, two) = (IssuerKey.p256(P256.Signing.PrivateKey()), IssuerKey.p256(P256.Signing.PrivateKey()))
            site.publish(try one.jwk(nil), try IssuerKey.rsaA.get().jwk("rsa"))
            let token = try one.token(Self.claims(site.url), "ES256", nil)
            #expect(try await client.send(Self.path, token: token).status == 200)
            site.publish(try one.jwk(nil), try two.jwk("two"))
            world.pass(.seconds(3_600))
            #expect(AuthenticationTests.refused(try await client.send(Self.path, token: token)))
        }
    }

    // MARK: whose token

    @Test("Two issuers with the same key id do not mix, and an issuer that is not configured is 401 without a visit")
    func separateIssuers() async throws {
        try await IssuerSite.run { other in
            try await Self.run { site, settings in
                settings.issuers.append(try TrustedIssuer(name: other.url))
            } _: { site, _, client in
                let (mine, theirs) = (
                    IssuerKey.p256(P256.Signing.PrivateKey()), IssuerKey.p256(P256.Signing.PrivateKey())
                )
                site.publish(try mine.jwk("same"))
                other.publish(try theirs.jwk("same"))
                #expect(
                    try await client.send(Self.path, token: try mine.token(Self.claims(site.url), "ES256", "same"))
                        .status == 200)
                #expect(
                    try await client.send(Self.path, token: try theirs.token(Self.claims(other.url), "ES256", "same"))
                        .status == 200)
                for issuer in [site.url, "\(other.url)/", "http://127.0.0.1:1", ""] {
                    let reply = try await client.send(
                        Self.path, token: try theirs.token(Self.claims(issuer), "ES256", "same"))
                    #expect(AuthenticationTests.refused(reply), "\(issuer)")
                }
                #expect(site.visits("/keys") == 1)
                #expect(other.visits("/keys") == 1)
            }
        }
    }

    @Test(
        "A name with {tid} is one issuer per tenant, and its tokens speak for that tenant only",
        arguments: TrustedIssuer.placeholders)
    func perTenant(_ placeholder: String) async throws {
        try await Self.run { site, settings in
            settings.issuers = [try TrustedIssuer(name: "\(site.url)/\(placeholder)/v2.0")]
        } _: { site, _, client in
            let key = IssuerKey.p256(P256.Signing.PrivateKey())
            // Entra says in each key whose it is.
            site.publish(
                try key.jwk("a", ["issuer": "\(site.url)/{tenantid}/v2.0"]),
                try key.jwk("b", ["issuer": "\(site.url)/\(World.other)/v2.0"]))
            func send(_ issuer: TenantID, tenant: String, key id: String = "a") async throws -> Reply {
                let claims = Self.claims("\(site.url)/\(issuer)/v2.0", ["tid": tenant])
                return try await client.send(Self.path, token: try key.token(claims, "ES256", id))
            }
            #expect(try await send(World.target, tenant: "\"\(World.target)\"").status == 200)
            #expect(try await send(World.other, tenant: "\"\(World.other)\"").status == 200)
            #expect(try await send(World.other, tenant: "\"\(World.other)\"", key: "b").status == 200)
            #expect(AuthenticationTests.refused(try await send(World.target, tenant: "\"\(World.target)\"", key: "b")))
            #expect(AuthenticationTests.refused(try await send(World.other, tenant: "\"\(World.target)\"")))
            #expect(AuthenticationTests.refused(try await send(World.target, tenant: "")))
            #expect(AuthenticationTests.refused(try await send(World.source, tenant: "\"\(World.source)\"")))
            #expect(site.visits("/\(World.target)/v2.0/.well-known/openid-configuration") == 1)
        }
    }

    @Test("An issuer of one tenant may leave tid out; claims go by configured names, audiences and roles too")
    func ownNames() async throws {
        try await Self.run { site, settings in
            settings.issuers = [
                try TrustedIssuer(
                    name: site.url, audiences: ["ferry"], tenant: World.target,
                    claims: .init(tenant: "org", roles: "realm_access.roles"))
            ]
            settings.roles["mover"] = .readWrite
            settings.roles["auditor"] = .read
        } _: { site, world, client in
            let key = IssuerKey.p256(P256.Signing.PrivateKey())
            site.publish(try key.jwk("a"))
            func send(_ changes: [String: String], _ request: String = Self.path) async throws -> Reply {
                let claims = Self.claims(
                    site.url,
                    [
                        "tid": "", "aud": "[\"account\",\"ferry\"]", "wids": "", "scp": "", "upn": "", "appid": "",
                        "preferred_username": "\"ada@south.example\"",
                        "scope": "\"openid \(Permission.readWrite.rawValue)\"",
                        "realm_access": #"{"roles":["offline_access","Mover"]}"#,
                    ].merging(changes) { $1 })
                let body = request.hasPrefix("POST") ? World.body("wave-\(UInt32.random(in: 0 ... .max))") : nil
                return try await client.send(request, body: body, token: try key.token(claims, "ES256", "a"))
            }
            let created = try await send([:], "POST \(World.v1)")
            #expect(created.status == 201)
            #expect(created.json["createdBy"]?.string == "ada@south.example")
            #expect(created.json["targetTenantId"]?.string == "\(World.target)")
            // The role bounds the scope, the scope bounds the role.
            #expect(try await send(["realm_access": #"{"roles":["auditor"]}"#]).status == 200)
            #expect(try await send(["realm_access": #"{"roles":["auditor"]}"#], "POST \(World.v1)").status == 403)
            #expect(try await send(["scope": "\"\(Permission.read.rawValue)\""], "POST \(World.v1)").status == 403)
            #expect(try await send(["realm_access": #"{"roles":["stranger"]}"#]).status == 403)
            #expect(try await send(["realm_access": ""]).status == 403)
            #expect(try await send(["scope": "\"openid\""]).status == 403)
            // A tenant that is said must be the one.
            #expect(try await send(["org": "\"\(World.target)\""]).status == 200)
            #expect(AuthenticationTests.refused(try await send(["org": "\"\(World.other)\""])))
            #expect(AuthenticationTests.refused(try await send(["org": "7"])))
            #expect(AuthenticationTests.refused(try await send(["aud": "\"https://graph.microsoft.com\""])))
            // An application is its own subject (RFC 9068 section 2.2); custom roles are enough for it.
            let application = ["sub": "\"robot\"", "client_id": "\"robot\"", "oid": "", "scope": "\"openid\""]
            #expect(try await send(application, "POST \(World.v1)").status == 201)
            #expect(try await send(application.merging(["realm_access": ""]) { $1 }).status == 403)
        }
    }

    @Test("Without a tenant of the issuer every token must name one")
    func tenantIsRequired() async throws {
        try await Self.run { site, _, client in
            let key = IssuerKey.p256(P256.Signing.PrivateKey())
            site.publish(try key.jwk("a"))
            for (tenant, status) in [("\"\(World.other)\"", 200), ("", 401), ("\"\(World.source)\"", 401)] {
                let token = try key.token(Self.claims(site.url, ["tid": tenant]), "ES256", "a")
                #expect(try await client.send(Self.path, token: token).status == status, "\(tenant)")
            }
        }
    }

    @Test("Addresses of issuers: https, or this machine; no query, no fragment, no user, one placeholder")
    func addresses() throws {
        for name in [
            "https://id.example.org", "https://id.example.org/realms/it/", "https://login.example/{tid}/v2.0",
            "http://127.0.0.1:8080", "http://localhost:1/x", "http://[::1]:8080",
        ] {
            #expect((try? TrustedIssuer(name: name)) != nil, "\(name)")
        }
        for name in [
            "http://id.example.org", "http://127.0.0.1.evil.example", "http://127.evil.example", "ftp://id.example.org",
            "id.example.org", "", "https://", "https://id.example.org?x=1", "https://id.example.org#x",
            "https://user:secret@id.example.org", "https://{tid}/{tid}/{tenant}", "https://id.example/{other}",
            "https://id.example.org/a b", "https://id.example.org/\"",
        ] {
            #expect((try? TrustedIssuer(name: name)) == nil, "\(name)")
        }
        #expect((try? TrustedIssuer(name: "https://login.example/{tid}", tenant: World.target)) == nil)
    }
}
