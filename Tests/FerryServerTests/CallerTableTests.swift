import Crypto
import FerryCore
import FerryEngine
import Testing

@testable import FerryAPI
@testable import FerryServer

/// Every operation times every kind of caller: who may, who gets 401, 403 and 404 (reference 7.7). The operations are
/// those of the API's own table of paths; one without a row here fails.
///
/// One after the other: each opens a server or two, and the number of open files is everybody's.
@Suite(.serialized)
struct CallerTableTests {
    /// Somebody who calls.
    enum Caller: String, CaseIterable, Sendable {
        case nobody, malformed, expired, notYetValid, wrongAudience, wrongIssuer, algorithmNone, symmetric
        case badSignature, ownKey, unknownTenant
        case withoutRole, withoutScope, otherScope, applicationWithoutPermission, applicationWithScope
        case reader, applicationReader
        case writer, globalAdministrator, applicationWriter
        case otherTenant

        /// What the caller is to the server.
        enum Standing { case stranger, powerless, reader, writer, foreigner }

        var standing: Standing {
            switch self {
            case .nobody, .malformed, .expired, .notYetValid, .wrongAudience, .wrongIssuer, .algorithmNone, .symmetric,
                .badSignature, .ownKey, .unknownTenant:
                .stranger
            case .withoutRole, .withoutScope, .otherScope, .applicationWithoutPermission, .applicationWithScope:
                .powerless
            case .reader, .applicationReader: .reader
            case .writer, .globalAdministrator, .applicationWriter: .writer
            case .otherTenant: .foreigner
            }
        }

        /// The token; `nil` sends none.
        func token(_ world: World) throws -> String? {
            let forge = Forge(world.issuer)
            let now = world.effects.now().seconds
            func application(_ permissions: [String]) throws -> String {
                try world.issuer.issue(
                    TokenRequest(
                        tenant: World.target, rights: .application(permissions: permissions),
                        objectID: GUID(high: 8, low: 8)), effects: world.effects)
            }
            /// A good token with another head and the signature that goes with it.
            func headed(_ head: String, _ sign: (String) -> [UInt8]) -> String {
                let claims = Base64URL.encode(Array(Forge.claims([:]).utf8))
                let signed = "\(Base64URL.encode(Array(head.utf8))).\(claims)"
                return "\(signed).\(Base64URL.encode(sign(signed)))"
            }
            switch self {
            case .nobody: return nil
            case .malformed: return "a.b.c"
            case .expired: return try forge.token(["exp": "\(now - 300)"])
            case .notYetValid: return try forge.token(["nbf": "\(now + 301)"])
            case .wrongAudience: return try forge.token(["aud": "\"https://else.example\""])
            case .wrongIssuer: return try forge.token(["iss": "\"https://else.example\""])
            case .algorithmNone: return headed(#"{"alg":"none"}"#) { _ in [] }
            case .symmetric:
                let secret = SymmetricKey(data: Array(world.issuer.publicKeyPEM.utf8))
                return headed(#"{"alg":"HS256","kid":"\#(world.issuer.keyID)"}"#) { signed in
                    Array(HMAC<SHA256>.authenticationCode(for: Array(signed.utf8), using: secret))
                }
            case .badSignature:
                let parts = try world.token().split(separator: ".").map(String.init)
                return "\(parts[0]).\(parts[1]).\(parts[2].first == "A" ? "B" : "A")\(parts[2].dropFirst())"
            case .ownKey:
                let own = IssuerKey.p256(P256.Signing.PrivateKey())
                return try own.token(
                    Forge.claims([:]), "ES256", world.issuer.keyID, header: ",\"jwk\":\(own.jwk("own"))")
            case .unknownTenant:
                return try forge.token([
                    "tid": "\"\(World.source)\"", "iss": "\"\(world.issuer.issuer(of: World.source))\"",
                ])
            case .withoutRole: return try world.token(roles: [])
            case .withoutScope: return try world.token(scopes: [])
            case .otherScope: return try world.token(scopes: ["User.Read"])
            case .applicationWithoutPermission: return try application([])
            case .applicationWithScope: return try forge.token(["idtyp": "\"app\""])
            case .reader: return try world.token(scopes: [Permission.read.rawValue])
            case .applicationReader: return try application([Permission.read.rawValue])
            case .writer: return try world.token()
            case .globalAdministrator: return try world.token(roles: [AuthenticationSettings.globalAdministrator])
            case .applicationWriter: return try application([Permission.readWrite.rawValue])
            case .otherTenant: return try world.token(tenant: World.other)
            }
        }
    }

    /// What is answered to somebody who may, and in which state the job must be for it.
    struct Row: Sendable {
        var status: Int
        var body: String?
        var job = JobStatus.submitted
        /// The job of another tenant does not exist for this operation; without it the operation is about the caller's
        /// own tenant.
        var isOfJob = true
    }

    static func row(_ kind: Operation.Kind, _ name: String) -> Row? {
        let rows: [Operation.Kind: Row] = [
            .listJobs: Row(status: 200, isOfJob: false),
            .createJob: Row(status: 201, body: World.body("made-\(name)"), isOfJob: false),
            .job: Row(status: 200),
            .updateJob: Row(status: 204, body: #"{"completeAfterDateTime":"2031-03-04T06:00:00Z"}"#),
            .deleteJob: Row(status: 202, job: .completed),
            .validateJob: Row(status: 200),
            .migrateJob: Row(status: 200, job: .validatePassed),
            .cancelJob: Row(status: 202),
            .listUsers: Row(status: 200),
            .user: Row(status: 200),
            .cancelUser: Row(status: 202),
            .countJobs: Row(status: 200, isOfJob: false),
            .countUsers: Row(status: 200),
            .validateCollection: Row(status: 201, body: World.body("made-\(name)"), isOfJob: false),
            .migrationsRoot: Row(status: 200, isOfJob: false),
            .batch: Row(
                status: 200,
                body:
                    #"{"requests":[{"id":"1","method":"GET","url":"/solutions/migrations/crossTenantMigrationJobs"}]}"#,
                isOfJob: false),
            .metadata: Row(status: 200, isOfJob: false),
            .serviceDocument: Row(status: 200, isOfJob: false),
            .approveJob: Row(status: 200, job: .adminActionRequired),
            // The user is there and waits for nothing.
            .approveUser: Row(status: 409, job: .adminActionRequired),
            .progress: Row(status: 200),
            .items: Row(status: 200),
            .report: Row(status: 200),
            // Nobody has made one, so there is none to see or to end.
            .dryRun: Row(status: 404),
            .startDryRun: Row(status: 202),
            .stopDryRun: Row(status: 409),
            .manifest: Row(status: 200),
            .reversal: Row(status: 200),
            .manifestKey: Row(status: 200, isOfJob: false),
            .audit: Row(status: 200, isOfJob: false),
            .listIdentities: Row(status: 200, isOfJob: false),
            .importIdentities: Row(status: 200, body: #"{"entries":[]}"#, isOfJob: false),
            .checkIdentities: Row(status: 200, isOfJob: false),
            .matchIdentities: Row(status: 200, body: "{}", isOfJob: false),
            .completeIdentities: Row(status: 200, body: "{}", isOfJob: false),
            .identity: Row(status: 200, isOfJob: false),
            .updateIdentity: Row(status: 200, body: #"{"target":null,"overwrite":true}"#, isOfJob: false),
            .removeIdentity: Row(status: 200, isOfJob: false),
        ]
        return rows[kind]
    }

    /// The rule of reference 7.7, in one place.
    static func status(_ standing: Caller.Standing, _ access: Operation.Access, _ row: Row) -> Int {
        switch (access, standing) {
        case (.anonymous, _): row.status
        case (_, .stranger): 401
        case (.authenticated, _): row.status
        case (_, .powerless), (.write, .reader): 403
        case (_, .foreigner): row.isOfJob ? 404 : row.status
        case (.read, .reader), (_, .writer): row.status
        }
    }

    @Test("Every operation has a path in the table, and a row")
    func complete() {
        let kinds = Set(Resource.templates.flatMap(\.described).map(\.operation.kind))
        #expect(kinds == Set(Operation.Kind.allCases))
        for kind in Operation.Kind.allCases { #expect(Self.row(kind, "") != nil, "\(kind) has no row") }
    }

    @Test("Auth: every operation for every kind of caller", arguments: Caller.allCases)
    func table(_ caller: Caller) async throws {
        try await World.run { world, client in
            let token = try caller.token(world)
            for (number, resource) in Resource.templates.enumerated() {
                for (method, operation) in resource.described {
                    let name = "wave-\(number)-\(method.rawValue.lowercased())"
                    let row = try #require(Self.row(operation.kind, name), "\(operation.kind)")
                    let id = try await client.create(name)
                    if row.job != .submitted {
                        try await world.set(id, to: row.job, validated: world.effects.now())
                    }
                    let before = try await world.job(id)
                    let path =
                        (resource.isGraph ? "/v1.0" : "/ferry")
                        + resource.template.replacing(Resource.Placeholder.job, with: id)
                        .replacing(Resource.Placeholder.displayName, with: name)
                        .replacing(Resource.Placeholder.task, with: "\(World.person(0))")
                        .replacing(Resource.Placeholder.person, with: "person1@north.example")
                    let reply = try await client.send(
                        "\(method.rawValue) \(path)", body: row.body, token: .some(token))
                    let expected = Self.status(caller.standing, operation.access, row)
                    #expect(reply.status == expected, "\(caller) \(method.rawValue) \(path): \(reply.text)")
                    #expect((reply["WWW-Authenticate"] != nil) == (expected == 401))
                    switch expected {
                    case 401: #expect(AuthenticationTests.refused(reply))
                    case 403: #expect(reply.code == "Authorization_RequestDenied")
                    case 404: #expect(reply.code == "NotFound")
                    default:
                        if caller.standing == .foreigner, [.listJobs, .batch, .audit].contains(operation.kind) {
                            #expect(!reply.text.contains(id), "a job of another tenant in \(operation.kind)")
                        }
                    }
                    if expected >= 400 {
                        #expect(try await world.job(id) == before, "\(caller) changed something by \(operation.kind)")
                        #expect(!reply.text.contains("made-\(name)"))
                    }
                }
            }
        }
    }
}
