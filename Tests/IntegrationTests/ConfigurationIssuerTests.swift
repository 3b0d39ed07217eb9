import FerryCore
import FerryServer
import Testing

@testable import ferry

/// Who may sign tokens, as the configuration says it.
struct ConfigurationIssuerTests {
    private static let tenants = """
        tenants:
          - { id: 11111111-1111-1111-1111-111111111111, name: A, domains: [a.example], people: people.csv, services: { mail: { folder: a } } }
          - { id: 22222222-2222-2222-2222-222222222222, name: B, domains: [b.example], people: people.csv, services: { mail: { folder: b } } }

        """

    private static func read(_ yaml: String) throws(ConfigurationFailure) -> Configuration {
        let reader = ConfigurationReader(file: "ferry.yaml") { path in
            Array((path == "ferry.yaml" ? tenants + yaml : "id,userPrincipalName,displayName\n").utf8)
        }
        return try reader.read()
    }

    private static func complaint(_ yaml: String) -> String {
        do {
            _ = try read(yaml)
            return ""
        } catch {
            return error.description
        }
    }

    @Test func `issuers are words, addresses and mappings`() throws {
        let configuration = try Self.read(
            """
            issuers:
              - embedded: https://ferry.example.org
              - https://id.example.org/realms/it
              - issuer: https://login.example/{tid}/v2.0
                audience: api://ferry
              - issuer: http://127.0.0.1:8081
                audience: [a, b]
                tenant: 22222222-2222-2222-2222-222222222222
                claims: { tenant: org, roles: realm_access.roles, scopes: permissions, user: email }
                jwks: http://127.0.0.1:8081/keys
            roles: { Mover: readWrite, 11111111-AAAA-4000-8000-000000000000: read }
            """)
        let tenant = try #require(TenantID("22222222-2222-2222-2222-222222222222"))
        let expected: [Configuration.Issuer] = [
            .embedded(address: "https://ferry.example.org"),
            .trusted(try TrustedIssuer(name: "https://id.example.org/realms/it")),
            .trusted(try TrustedIssuer(name: "https://login.example/{tid}/v2.0", audiences: ["api://ferry"])),
            .trusted(
                try TrustedIssuer(
                    name: "http://127.0.0.1:8081", audiences: ["a", "b"], tenant: tenant,
                    claims: .init(tenant: "org", roles: "realm_access.roles", scopes: ["permissions"], user: ["email"]),
                    keys: "http://127.0.0.1:8081/keys")),
        ]
        #expect(configuration.issuers == expected)
        #expect(configuration.roles == ["mover": .readWrite, "11111111-aaaa-4000-8000-000000000000": .read])
    }

    @Test(arguments: [
        ("issuers: []", "issuers: Nobody could sign in."),
        ("issuers: [embedded, embedded]", "issuers[1]: The issuer is there twice."),
        ("issuers: [{ embedded: https://f.example }, embedded]", "issuers[1]: The issuer is there twice."),
        ("issuers: [https://i.example, { issuer: https://i.example }]", "issuers[1]: The issuer is there twice."),
        (
            "issuers: ['https://i.example/{tid}', https://i.example/11111111-1111-1111-1111-111111111111]",
            "issuers[1]: The issuer is there twice."
        ),
        ("issuers: [{ audience: a }]", "issuers[0].issuer: The key is missing."),
        (
            "issuers: [{ isuer: https://i.example }]",
            "issuers[0].isuer: Ferry does not know this key. Did you mean issuer?"
        ),
        ("issuers: [{ issuer: http://i.example }]", "issuers[0].issuer: 'http://i.example' is not https"),
        ("issuers: [{ issuer: https://i.example, jwks: http://i.example/k }]", "'http://i.example/k' is not https"),
        ("issuers: [{ embedded: http://f.example }]", "issuers[0].embedded: 'http://f.example' is not https"),
        (
            "issuers: [{ embedded: 'https://f.example', audience: a }]",
            "issuers[0]: The embedded issuer has nothing but"
        ),
        ("issuers: ['https://i.example/{who}']", "issuers[0]: The name may hold one placeholder"),
        (
            "issuers: [{ issuer: https://i.example, tenant: 33333333-3333-3333-3333-333333333333 }]",
            "issuers[0].tenant: No tenant of this configuration has the id"
        ),
        (
            "issuers: [{ issuer: 'https://i.example/{tid}', tenant: 11111111-1111-1111-1111-111111111111 }]",
            "there is an issuer per tenant; leave tenant out"
        ),
        ("roles: { mover: everything }", "roles.mover: A role may read or readWrite."),
        ("roles: [mover]", "roles: Here belongs a mapping"),
    ])
    func `each slip is reported at its key`(_ yaml: String, _ complaint: String) {
        #expect(Self.complaint(yaml).contains(complaint), "\(Self.complaint(yaml))")
    }

    @Test func `an embedded address would not be taken as the issuer of somebody else`() {
        // The embedded issuer's tokens carry a name below its address; the same name cannot be trusted a second way.
        let yaml = "issuers: [{ embedded: https://f.example }, 'https://f.example/ferry/issuer/{tid}']"
        #expect(Self.complaint(yaml).contains("issuers[1]: The issuer is there twice."))
    }
}
