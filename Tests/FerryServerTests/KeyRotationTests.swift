import Crypto
import FerryAPI
import FerryCore
import Foundation
import HTTPTypes
import Synchronization
import Testing

@testable import FerryServer

/// Keys of an issuer over time: cached, renewed, rotated, unreachable. Time is the test's.
///
/// One after the other: each opens a server or two, and the number of open files is everybody's.
@Suite(.serialized)
struct KeyRotationTests {
    private static let path = OpenIDConnectTests.path

    private static func makeKey() -> IssuerKey { .p256(P256.Signing.PrivateKey()) }

    private static func token(_ site: IssuerSite, _ key: IssuerKey, _ id: String, oid: Int = 1) throws -> String {
        try key.token(OpenIDConnectTests.claims(site.url, ["oid": "\"oid-\(oid)\""]), "ES256", id)
    }

    @Test("Many tokens and many requests at once cost one visit to each document")
    func sharedFetch() async throws {
        try await OpenIDConnectTests.run { site, _, client in
            let key = Self.makeKey()
            site.publish(try key.jwk("a"))
            let (gate, opener) = AsyncStream.makeStream(of: Void.self)
            site.manners.withLock { $0.gate = gate }
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<20 {
                    let token = try Self.token(site, key, "a", oid: number)
                    group.addTask { try await client.send(Self.path, token: token).status }
                }
                while site.visits("openid-configuration") == 0 { await Task.yield() }
                site.manners.withLock { $0.gate = nil }
                opener.finish()
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses == Array(repeating: 200, count: 20))
            #expect(site.visits("openid-configuration") == 1)
            #expect(site.visits("/keys") == 1)
        }
    }

    @Test("Invented key ids cost the issuer one visit per interval, a new key is found by it, and both are told apart")
    func unknownKeys() async throws {
        try await OpenIDConnectTests.run { site, world, client in
            let (old, new) = (Self.makeKey(), Self.makeKey())
            site.publish(try old.jwk("old"))
            #expect(try await client.send(Self.path, token: try Self.token(site, old, "old")).status == 200)
            world.pass(.seconds(10))
            for number in 0..<30 {
                let reply = try await client.send(Self.path, token: try Self.token(site, new, "forged-\(number)"))
                #expect(AuthenticationTests.refused(reply))
                #expect(reply.json["error"]?["message"]?.string?.contains("key that is not known") == true)
            }
            #expect(site.visits("/keys") == 2)
            site.publish(try old.jwk("old"), try new.jwk("new"))
            let token = try Self.token(site, new, "new")
            // Too early to ask again: forgers have used up the visit of this interval.
            #expect(AuthenticationTests.refused(try await client.send(Self.path, token: token)))
            world.pass(.seconds(10))
            #expect(try await client.send(Self.path, token: token).status == 200)
            #expect(site.visits("/keys") == 3)
        }
    }

    @Test(
        "A key that was rotated out closes the door when the keys are renewed, for cached tokens too",
        arguments: [
            (nil, 600), ("max-age=120", 120), ("max-age=1", 60), ("public, max-age=86400", 900), ("no-store", 60),
        ]
            as [(String?, Int)])
    func rotatedOut(_ header: String?, _ seconds: Int) async throws {
        try await OpenIDConnectTests.run { site, world, client in
            let (old, new) = (Self.makeKey(), Self.makeKey())
            site.manners.withLock { $0.cacheControl = header }
            site.publish(try old.jwk("old"))
            let token = try Self.token(site, old, "old")
            #expect(try await client.send(Self.path, token: token).status == 200)
            site.publish(try new.jwk("new"))
            world.pass(.seconds(seconds - 1))
            #expect(try await client.send(Self.path, token: token).status == 200)
            #expect(site.visits("/keys") == 1, "fresh keys are not asked for again")
            // Twice as old: nothing is decided before the new keys are there.
            world.pass(.seconds(seconds + 1))
            #expect(AuthenticationTests.refused(try await client.send(Self.path, token: token)))
            #expect(site.visits("/keys") == 2)
            #expect(try await client.send(Self.path, token: try Self.token(site, new, "new")).status == 200)
            #expect(site.visits("/keys") == 2)
        }
    }

    @Test("A new key under the old id is found by the first token that it signs, forgeries cost one visit per interval")
    func sameID() async throws {
        try await OpenIDConnectTests.run { site, world, client in
            let (old, new) = (Self.makeKey(), Self.makeKey())
            site.publish(try old.jwk("key"))
            let (before, after) = (try Self.token(site, old, "key"), try Self.token(site, new, "key"))
            #expect(try await client.send(Self.path, token: before).status == 200)
            world.pass(.seconds(10))
            for number in 0..<10 {
                let forged = try Self.token(site, new, "key", oid: number)
                #expect(AuthenticationTests.refused(try await client.send(Self.path, token: forged)))
            }
            #expect(site.visits("/keys") == 2)
            site.publish(try new.jwk("key"))
            world.pass(.seconds(10))
            #expect(try await client.send(Self.path, token: after).status == 200)
            #expect(AuthenticationTests.refused(try await client.send(Self.path, token: before)))
            #expect(site.visits("/keys") == 3)
        }
    }

    @Test("Keys a little late are renewed behind the back of the request, which does not wait")
    func lateKeys() async throws {
        try await OpenIDConnectTests.run { site, world, client in
            let key = Self.makeKey()
            site.publish(try key.jwk("a"))
            let token = try Self.token(site, key, "a")
            #expect(try await client.send(Self.path, token: token).status == 200)
            let (gate, opener) = AsyncStream.makeStream(of: Void.self)
            site.manners.withLock { $0.gate = gate }
            world.pass(.seconds(601))
            #expect(try await client.send(Self.path, token: token).status == 200)
            #expect(try await client.send(Self.path, token: try Self.token(site, key, "a", oid: 2)).status == 200)
            while site.visits("openid-configuration") < 2 { await Task.yield() }
            site.manners.withLock { $0.gate = nil }
            opener.finish()
        }
    }

    @Test("An issuer that is down at the start is 503 with Retry-After, told by /readyz, and comes back by itself")
    func downAtStart() async throws {
        let key = Self.makeKey()
        let port = try RefusingPort()
        let trusted = try TrustedIssuer(name: "http://127.0.0.1:\(port.number)")
        try await World.run(authentication: { $0.issuers = [trusted] }) { world, client in
            let token = try key.token(OpenIDConnectTests.claims(trusted.name), "ES256", "a")
            let reply = try await client.send(Self.path, token: token)
            #expect(reply.status == 503)
            #expect(reply.code == "ServiceUnavailable")
            #expect(reply["Retry-After"] != nil)
            #expect(reply.json["error"]?["message"]?.string?.contains("issuer") == true)
            // The embedded issuer works, so the server does; what is wrong is said all the same.
            #expect(try await client.send(Self.path).status == 200)
            let ready = try await client.send("GET /readyz", token: .some(nil))
            #expect(ready.status == 200)
            #expect(ready.text.hasPrefix("ready\nissuer \(trusted.name): "))
            #expect(ready.text.contains("cannot be reached"))
            world.pass(.seconds(10))
            port.release()
            try await IssuerSite.run(port: port.number) { site in
                site.publish(try key.jwk("a"))
                #expect(try await client.send(Self.path, token: token).status == 200)
                #expect(try await client.send("GET /readyz", token: .some(nil)).text == "ready\n")
            }
        }
    }

    @Test("Without any issuer that works /readyz is 503")
    func nobodyWorks() async throws {
        let port = try RefusingPort()
        defer { port.release() }
        let trusted = try TrustedIssuer(name: "http://127.0.0.1:\(port.number)")
        try await World.run(issuer: nil, authentication: { $0.issuers = [trusted] }) { world, client in
            let token = try Self.makeKey().token(OpenIDConnectTests.claims(trusted.name), "ES256", "a")
            #expect(try await client.send(Self.path, token: token).status == 503)
            #expect(try await client.send("GET /readyz", token: .some(nil)).status == 503)
            // And nobody takes the key of an issuer that is not wanted.
            #expect(AuthenticationTests.refused(try await client.send(Self.path, token: try world.token())))
        }
    }

    @Test("While the issuer is down known keys keep working for a day, then nothing is taken for granted")
    func outage() async throws {
        try await OpenIDConnectTests.run { site, world, client in
            let key = Self.makeKey()
            site.publish(try key.jwk("a"))
            func send(_ oid: Int, _ id: String = "a") async throws -> Int {
                let claims = OpenIDConnectTests.claims(
                    site.url, ["oid": "\"oid-\(oid)\"", "exp": "\(World.start.seconds + 30 * 86_400)"])
                return try await client.send(Self.path, token: try key.token(claims, "ES256", id)).status
            }
            #expect(try await send(1) == 200)
            site.manners.withLock { $0.status = .badGateway }
            for hour in 1..<24 {
                world.pass(.seconds(3_600))
                #expect(try await send(1) == 200, "a cached token, hour \(hour)")
                #expect(try await send(hour + 1) == 200, "a new token, hour \(hour)")
            }
            #expect(try await send(1, "unknown") == 503, "it may be a new key that cannot be had")
            world.pass(.seconds(3_601))
            #expect(try await send(1) == 503)
            #expect(try await send(99) == 503)
            site.manners.withLock { $0.status = .ok }
            world.pass(.seconds(10))
            #expect(try await send(1) == 200)
        }
    }

    /// What an issuer does wrong, and what is said about it.
    private static let mistakes: [(spoil: @Sendable (inout IssuerSite.Manners) -> Void, words: String)] = [
        ({ $0.metadata["issuer"] = "https://other.example" }, "calls itself 'https://other.example'"),
        ({ $0.metadata["issuer"] = "" }, "calls itself ''"), ({ $0.metadata["jwks_uri"] = "" }, "no jwks_uri"),
        ({ $0.metadata["jwks_uri"] = "http://keys.example/x" }, "not https"),
        ({ $0.metadata["jwks_uri"] = "file:///etc/passwd" }, "not https"),
        ({ $0.keys = [] }, "None of the 0 published keys"), ({ $0.keys = ["{"] }, "no JSON Web Key Set"),
        ({ $0.padding = DocumentFetcher.maximumBytes }, "more than 262144 bytes"),
        ({ $0.status = .found }, "answers 302, a redirection"), ({ $0.status = .notFound }, "answers 404"),
    ]

    @Test("An issuer whose documents are of no use is 503, and why is told", arguments: mistakes.indices)
    func badDocuments(_ index: Int) async throws {
        let mistake = Self.mistakes[index]
        try await OpenIDConnectTests.run { site, _, client in
            let key = Self.makeKey()
            site.publish(try key.jwk("a"))
            site.manners.withLock { mistake.spoil(&$0) }
            #expect(try await client.send(Self.path, token: try Self.token(site, key, "a")).status == 503)
            let ready = try await client.send("GET /readyz", token: .some(nil))
            #expect(ready.text.contains(mistake.words), "\(ready.text)")
            #expect(site.visits("/elsewhere") == 0)
        }
    }

    @Test("An issuer that never answers is given up in time")
    func silentIssuer() async throws {
        try await OpenIDConnectTests.run { _, settings in
            settings.issuerTimeout = .milliseconds(50)
        } _: { site, _, client in
            let (gate, opener) = AsyncStream.makeStream(of: Void.self)
            site.manners.withLock { $0.gate = gate }
            let reply = try await client.send(Self.path, token: try Self.token(site, Self.makeKey(), "a"))
            #expect(reply.status == 503)
            let ready = try await client.send("GET /readyz", token: .some(nil))
            #expect(ready.text.contains("did not answer in time"))
            opener.finish()
        }
    }

    @Test("The challenge leads to the issuer's page for signing in, once it is known")
    func challenge() async throws {
        try await OpenIDConnectTests.run { site, _, client in
            let key = Self.makeKey()
            site.publish(try key.jwk("a"))
            let before = try await client.send(Self.path, token: .some(nil))
            #expect(before["WWW-Authenticate"]?.contains(#"authorization_uri="https://move.example""#) == true)
            #expect(try await client.send(Self.path, token: try Self.token(site, key, "a")).status == 200)
            let after = try await client.send(Self.path, token: .some(nil))
            #expect(
                after["WWW-Authenticate"]
                    == #"Bearer realm="", authorization_uri="\#(site.url)/authorize", client_id="00000003-0000-0000-c000-000000000000""#
            )
        }
    }

    @Test("A replaced key file is seen without a restart, and ends the tokens of the old key")
    func keyFile() async throws {
        let path = FileManager.default.temporaryDirectory.path + "/ferry-key-\(UUID().uuidString).pem"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let issuer = try EmbeddedIssuer(keyFile: path)
        try await World.run(issuer: issuer) { world, client in
            let old = try world.token()
            #expect(try await client.send(Self.path, token: old).status == 200)
            try FileManager.default.removeItem(atPath: path)
            let new = try EmbeddedIssuer(keyFile: path).issue(
                TokenRequest(
                    tenant: World.target, rights: .application(permissions: [Permission.readWrite.rawValue]),
                    objectID: GUID(high: 1, low: 1)), effects: world.effects)
            world.pass(.seconds(10))
            #expect(try await client.send(Self.path, token: new).status == 200)
            #expect(AuthenticationTests.refused(try await client.send(Self.path, token: old)))
            // A file that is gone leaves the key that is known.
            try FileManager.default.removeItem(atPath: path)
            world.pass(.seconds(10))
            #expect(try await client.send(Self.path, token: new).status == 200)
        }
    }
}
