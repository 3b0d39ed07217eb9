import FerryAPI
import FerryCore
import FerryEngine
import Foundation
import JWTKit
import Logging
import NIOPosix
import Testing

@testable import FerryServer

/// The lines of checklist "Auth" of reference 11, and the token cache.
struct AuthenticationTests {
    static let path = "GET \(World.v1)"

    static func refused(_ reply: Reply) -> Bool {
        reply.status == 401 && reply.code == "InvalidAuthenticationToken"
            && reply["WWW-Authenticate"]?.hasPrefix("Bearer realm=\"\", authorization_uri=\"") == true
    }

    @Test("C54 Auth: no token, an empty one and garbage are 401 with WWW-Authenticate")
    func garbage() async throws {
        try await World.run { world, client in
            #expect(Self.refused(try await client.send(Self.path, token: .some(nil))))
            #expect(Self.refused(try await client.send(Self.path, token: "")))
            #expect(Self.refused(try await client.send(Self.path, token: "a.b.c")))
            #expect(Self.refused(try await client.send(Self.path, token: "a b")))
            let good = try world.token()
            #expect(
                Self.refused(
                    try await client.send(Self.path, token: .some(nil), headers: ["Authorization": "Basic \(good)"])))
            #expect(
                try await client.send(Self.path, token: .some(nil), headers: ["Authorization": "bearer \(good)"]).status
                    == 200)
        }
    }

    @Test("C55 Auth: a token is good until exp plus 5 minutes, from the cache too")
    func lifetime() async throws {
        try await World.run { world, client in
            let token = try world.token(lifetime: .seconds(600))
            #expect(try await client.send(Self.path, token: token).status == 200)
            world.pass(.seconds(600 + 299))
            #expect(try await client.send(Self.path, token: token).status == 200)
            world.pass(.seconds(1))
            let late = try await client.send(Self.path, token: token)
            #expect(Self.refused(late))
            #expect(late.json["error"]?["message"]?.string?.contains("expired") == true)
        }
    }

    @Test("Auth: a token from the future is 401 beyond 5 minutes, also when it was seen before")
    func notBefore() async throws {
        try await World.run { world, client in
            let now = world.effects.now().seconds
            let early = try Forge(world.issuer).token(["nbf": "\(now + 301)", "iat": "\(now)"])
            #expect(Self.refused(try await client.send(Self.path, token: early)))
            let near = try Forge(world.issuer).token(["nbf": "\(now + 300)", "iat": "\(now)"])
            #expect(try await client.send(Self.path, token: near).status == 200)
            world.pass(.seconds(-10))
            #expect(Self.refused(try await client.send(Self.path, token: near)))
            #expect(Self.refused(try await client.send(Self.path, token: Forge(world.issuer).token(["exp": ""]))))
        }
    }

    @Test("C56 C57 Auth: wrong aud, iss or tid is 401")
    func claims() async throws {
        try await World.run { world, client in
            let forge = Forge(world.issuer)
            let good = try await client.send(Self.path, token: forge.token([:]))
            #expect(good.status == 200)
            for wrong in [
                ["aud": "\"https://else.example\""], ["aud": "[]"], ["aud": "7"], ["iss": "\"https://else.example\""],
                ["iss": "\"ferry:embedded/\(World.other)\""], ["tid": "\"\(World.source)\""], ["tid": ""],
                ["exp": "\"soon\""],
            ] {
                #expect(Self.refused(try await client.send(Self.path, token: forge.token(wrong))), "\(wrong)")
            }
            for audience in ["https://graph.microsoft.com/", AuthenticationSettings.applicationID] {
                #expect(try await client.send(Self.path, token: world.token(audience: audience)).status == 200)
            }
            #expect(
                try await client.send(Self.path, token: forge.token(["aud": "[\"x\",\"https://graph.microsoft.com\"]"]))
                    .status == 200)
        }
    }

    @Test(
        "C58 Auth: alg none, another algorithm, another key and a changed payload are 401, even next to a cached good token"
    )
    func forgeries() async throws {
        try await World.run { world, client in
            let forge = Forge(world.issuer)
            let good = try forge.token([:])
            #expect(try await client.send(Self.path, token: good).status == 200)
            let parts = good.split(separator: ".").map(String.init)
            for header in [
                #"{"alg":"none"}"#, #"{"alg":"HS256","kid":"\#(world.issuer.keyID)"}"#,
                #"{"alg":"RS256","kid":"\#(world.issuer.keyID)"}"#,
                #"{"alg":"ES256"}"#, #"{"alg":"ES256","kid":"x"}"#,
                #"{"alg":"ES256","kid":"\#(world.issuer.keyID)","crit":["x"]}"#,
            ] {
                let head = Base64URL.encode(Array(header.utf8))
                #expect(Self.refused(try await client.send(Self.path, token: "\(head).\(parts[1]).")), "\(header)")
                #expect(
                    Self.refused(try await client.send(Self.path, token: "\(head).\(parts[1]).\(parts[2])")),
                    "\(header)")
            }
            let other = EmbeddedIssuer.ephemeral()
            let foreign = try other.issue(
                TokenRequest(
                    tenant: World.target, rights: .application(permissions: [Permission.readWrite.rawValue]),
                    objectID: GUID(high: 1, low: 1)), effects: world.effects)
            #expect(Self.refused(try await client.send(Self.path, token: foreign)))
            // The right key id over the wrong key's signature.
            let borrowed = foreign.split(separator: ".").map(String.init)
            #expect(Self.refused(try await client.send(Self.path, token: "\(parts[0]).\(borrowed[1]).\(borrowed[2])")))
            let payload = Base64URL.encode(Array(Forge.claims(["tid": "\"\(World.other)\""]).utf8))
            #expect(Self.refused(try await client.send(Self.path, token: "\(parts[0]).\(payload).\(parts[2])")))
            #expect(Self.refused(try await client.send(Self.path, token: String(good.dropLast(3)))))
        }
    }

    @Test("C59 Auth: Read.All reads but a POST is 403 Authorization_RequestDenied")
    func readOnly() async throws {
        try await World.run { world, client in
            let token = try world.token(scopes: [Permission.read.rawValue])
            #expect(try await client.send(Self.path, token: token).status == 200)
            let reply = try await client.send("POST \(World.v1)", body: World.body("wave-1"), token: token)
            #expect(reply.status == 403)
            #expect(reply.code == "Authorization_RequestDenied")
        }
    }

    @Test("C60 C61 Auth: a scope without a role and a role without a scope are 403, Global Administrator is a role")
    func roles() async throws {
        try await World.run { world, client in
            #expect(try await client.send(Self.path, token: world.token(roles: [])).status == 403)
            #expect(try await client.send(Self.path, token: world.token(roles: ["\(World.source)"])).status == 403)
            #expect(try await client.send(Self.path, token: world.token(scopes: [])).status == 403)
            #expect(try await client.send(Self.path, token: world.token(scopes: ["User.Read"])).status == 403)
            let global = try world.token(roles: [AuthenticationSettings.globalAdministrator.uppercased()])
            #expect(try await client.send(Self.path, token: global).status == 200)
        }
    }

    @Test("C62 Auth: an application needs the permission in roles, and its name is in createdBy")
    func applications() async throws {
        try await World.run { world, client in
            func token(_ permissions: [String]) throws -> String {
                try world.issuer.issue(
                    TokenRequest(
                        tenant: World.target, rights: .application(permissions: permissions),
                        objectID: GUID(high: 8, low: 8), applicationID: "nightly"), effects: world.effects)
            }
            let reply = try await client.send(
                "POST \(World.v1)", body: World.body("wave-1"), token: try token([Permission.readWrite.rawValue]))
            #expect(reply.status == 201)
            #expect(reply.json["createdBy"]?.string == "\(GUID(high: 8, low: 8))")
            #expect(try await client.send(Self.path, token: token([Permission.read.rawValue])).status == 200)
            #expect(try await client.send(Self.path, token: token([])).status == 403)
            // Permissions of an application are no rights of a person, and the other way round.
            let mixed = try Forge(world.issuer).token(["idtyp": "\"app\""])
            #expect(try await client.send(Self.path, token: mixed).status == 403)
        }
    }

    @Test("Auth: createdBy is upn, else preferred_username, else oid, else the application")
    func names() async throws {
        try await World.run { world, client in
            let forge = Forge(world.issuer)
            for (number, (changes, name)) in [
                ([:], "mover@south.example"), (["upn": "", "preferred_username": "\"p@x\""], "p@x"),
                (["upn": ""], "oid-1"), (["upn": "", "oid": ""], "app-1"),
            ].enumerated() {
                let reply = try await client.send(
                    "POST \(World.v1)", body: World.body("wave-\(number)"), token: try forge.token(changes))
                #expect(reply.json["createdBy"]?.string == name)
            }
        }
    }

    @Test("The token cache forgets, stays bounded and never confuses tokens")
    func cache() {
        let cache = TokenCache(capacity: 8)
        let keys = KeyRing(
            name: "", source: KeyFileKeys(issuer: .ephemeral(), eventLoop: MultiThreadedEventLoopGroup.singleton.any()),
            rhythm: .init(
                minimumInterval: .zero, freshness: .zero ... .zero, usualFreshness: .zero, outlasts: .zero),
            uptime: { .zero }, logger: Logger(label: "test"))
        func entry(_ number: Int) -> TokenCache.Entry {
            .init(
                principal: Principal(
                    tenant: World.target, subject: "\(number)", name: "", canRead: true, canWrite: false),
                lifetime: .init(notBefore: .distantPast, expires: .distantFuture), keys: keys, generation: 0)
        }
        for number in 0..<100 {
            cache.insert(entry(number), for: "t\(number)")
            #expect(cache["t\(number)"]?.principal.subject == "\(number)")
            #expect(cache["t0"]?.principal.subject == "0", "what is used stays")
            #expect(cache.count <= 8)
        }
        #expect(cache["t1"] == nil)
        cache.remove("t0")
        #expect(cache["t0"] == nil)
    }

    @Test("A token of the embedded issuer is a JWT that another library verifies")
    func independentLibrary() async throws {
        struct Claims: JWTPayload {
            var aud: String
            var tid: String
            var upn: String
            var exp: ExpirationClaim
            func verify(using _: some JWTAlgorithm) throws {}
        }
        try await World.run { world, _ in
            let keys = await JWTKeyCollection().add(
                ecdsa: try ES256PublicKey(pem: world.issuer.publicKeyPEM),
                kid: JWKIdentifier(string: world.issuer.keyID))
            let claims = try await keys.verify(try world.token(), as: Claims.self)
            #expect(claims.tid == World.target.description)
            #expect(claims.upn == "mover@south.example")
        }
    }

    @Test("The key file is made with mode 600, kept, and refused when others can read it or it is no key")
    func keyFile() throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("ferry-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let path = directory.appendingPathComponent("issuer.pem").path
        let first = try EmbeddedIssuer(keyFile: path)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        #expect(try EmbeddedIssuer(keyFile: path).keyID == first.keyID)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["issuer.pem"])
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        let open = #expect(throws: KeyFileError.self) { try EmbeddedIssuer(keyFile: path) }
        #expect(open?.description.contains("chmod 600") == true)
        let other = directory.appendingPathComponent("other.pem").path
        try Data("no key".utf8).write(to: URL(fileURLWithPath: other))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: other)
        #expect(throws: KeyFileError.self) { try EmbeddedIssuer(keyFile: other) }
        #expect(throws: KeyFileError.self) { try EmbeddedIssuer(keyFile: directory.path) }
        #expect(throws: KeyFileError.self) {
            try EmbeddedIssuer(keyFile: directory.appendingPathComponent("none/a.pem").path)
        }
    }
}

/// Makes tokens with the issuer's own key whose claims the issuer would never write.
struct Forge {
    private let issuer: EmbeddedIssuer

    init(_ issuer: EmbeddedIssuer) { self.issuer = issuer }

    /// Claims of a good token with some replaced; an empty replacement leaves the claim out.
    static func claims(_ changes: [String: String]) -> String {
        var claims = [
            "aud": "\"https://graph.microsoft.com\"", "iss": "\"ferry:embedded/\(World.target)\"",
            "tid": "\"\(World.target)\"", "exp": "\(World.start.seconds + 86_400)", "oid": "\"oid-1\"",
            "appid": "\"app-1\"",
            "upn": "\"mover@south.example\"", "scp": "\"\(Permission.readWrite.rawValue)\"",
            "wids": "[\"\(AuthenticationSettings.migrationAdministrator)\"]",
        ]
        claims.merge(changes) { $1 }
        return "{" + claims.filter { !$0.value.isEmpty }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",")
            + "}"
    }

    func token(_ changes: [String: String]) throws -> String {
        try issuer.sign(Array(Self.claims(changes).utf8))
    }
}
