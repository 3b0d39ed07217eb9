import FerryAPI
import FerryCore
import HTTPTypes

/// What the embedded issuer tells others about itself, so that they can check its tokens without a call per token.
/// Needs no token.
///
/// - `/ferry/issuer/{tenant}/.well-known/openid-configuration`: discovery (OpenID Connect Discovery 1.0 section 4), where
///   the server was told under which address others reach it.
/// - `/ferry/issuer/keys`: the public key (RFC 7517), the same for all tenants.
struct IssuerDocuments: Sendable {
    let authenticator: Authenticator

    /// How long others may keep the documents: half of what they would take as a short time.
    private static let caching = "public, max-age=300"

    /// `nil` for every other path. Throws `Failure.notFound` where there is no such issuer.
    func answer(_ segments: [String], _ method: FerryAPI.Method) async throws(Failure) -> Answer? {
        guard segments.count >= 3, segments[0] == "ferry", segments[1] == "issuer" else { return nil }
        guard method == .get || method == .head else { throw .methodNotAllowed(allow: [.get]) }
        var answer = Answer(
            status: .ok, body: .bytes(try await body(Array(segments[2...]))), contentType: "application/json")
        answer.isGraph = false
        answer.headers = [(.cacheControl, Self.caching)]
        return answer
    }

    private func body(_ rest: [String]) async throws(Failure) -> [UInt8] {
        if rest == ["keys"] {
            guard let keys = try await authenticator.publishedKeys() else {
                throw .notFound("This server has no issuer of its own.")
            }
            return keys
        }
        guard rest.count == 3, rest[1...] == [".well-known", "openid-configuration"],
            let tenant = TenantID(rest[0]), authenticator.serves(tenant)
        else { throw .notFound("There is no such issuer here.") }
        guard let issuer = authenticator.embedded, let address = issuer.address else {
            throw .notFound("The issuer of this server has no address for others: configure `embedded: ADDRESS`.")
        }
        var json = JSONWriter(capacity: 512)
        json.object { json in
            json.member("issuer", issuer.issuer(of: tenant))
            json.member("jwks_uri", address + "/ferry/issuer/keys")
            list("response_types_supported", ["none"], &json)
            list("subject_types_supported", ["public"], &json)
            list("id_token_signing_alg_values_supported", [SignatureAlgorithm.es256.rawValue], &json)
            list("scopes_supported", Permission.allCases.map(\.rawValue), &json)
        }
        return json.bytes
    }

    private func list(_ name: String, _ texts: [String], _ json: inout JSONWriter) {
        json.key(name)
        json.array { json in for text in texts { json.string(text) } }
    }
}
