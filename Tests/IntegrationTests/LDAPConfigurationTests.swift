import FerryConnector
import FerryCore
import FerryLDAP
import Testing

@testable import ferry

/// `directory: { ldap: … }`, scopes that are groups, and the halves of a trust, as they are written.
struct LDAPConfigurationTests {
    private func read(
        ldap: String = #"url: "ldaps://ldap.contoso.example", base: "dc=contoso,dc=example""#, trust: String = "",
        people: String = ""
    ) throws(ConfigurationFailure) -> Configuration {
        let yaml = """
            tenants:
              - id: 11111111-1111-1111-1111-111111111111
                name: Contoso
                domains: [contoso.example]
                \(people)
                directory: { ldap: { \(ldap) } }
                services: { mail: { folder: m } }
              - id: 22222222-2222-2222-2222-222222222222
                name: Fabrikam
                domains: [fabrikam.example]
                people: fabrikam.csv
                services: { mail: { folder: n } }
            trust:
              - { source: 11111111-1111-1111-1111-111111111111, target: 22222222-2222-2222-2222-222222222222, endpoint: E\(trust) }

            """
        let files = [
            "/etc/ferry.yaml": yaml, "/etc/secret": "pw\n", "/etc/ca.pem": "PEM",
            "/etc/fabrikam.csv": "id,userPrincipalName,displayName\n",
            "/etc/leaving.csv": "mail\nada@contoso.example\n",
            "/etc/map.csv": "source,target\nada@contoso.example,ada@fabrikam.example\n",
        ]
        struct NoSuchFile: Error {}
        return try ConfigurationReader(file: "/etc/ferry.yaml") { path in
            guard let text = files[path] else { throw NoSuchFile() }
            return Array(text.utf8)
        }.read()
    }

    private func problem(_ ldap: String, trust: String = "", people: String = "") -> String {
        do throws(ConfigurationFailure) {
            _ = try read(ldap: ldap, trust: trust, people: people)
            return "none"
        } catch {
            return error.description
        }
    }

    @Test func `everything that can be said of a directory`() throws {
        let plain = try #require(try read().tenants[0].directory)
        #expect(plain.settings.url == "ldaps://ldap.contoso.example:636" && plain.settings.security == .implicit)
        #expect(plain.settings.bind == nil && plain.refresh == .seconds(900))
        let ldap = """
            url: "ldap://[::1]:1389/", tls: starttls, ca: ca.pem, base: "ou=people", scope: one, filter: "(uid=*)",
            bind: { dn: "cn=ferry", password: { file: secret } }, page: 100, refresh: 1h, timeout: 5s,
            attributes: { id: objectGUID, mail: [mail, email], login: uid, filesLogin: [home, uid] }
            """
        let full = try #require(try read(ldap: ldap).tenants[0].directory)
        #expect(full.settings.host == "::1" && full.settings.port == 1389 && full.settings.url == "ldap://[::1]:1389")
        #expect(full.settings.security == .startTLS && full.settings.authorities == "/etc/ca.pem")
        #expect(full.settings.bind?.name == "cn=ferry" && full.settings.bind?.password.value == "pw")
        #expect(!"\(full)".contains("pw\""))
        #expect(full.settings.scope == .one && full.settings.filter == "(uid=*)" && full.settings.pageSize == 100)
        #expect(full.refresh == .seconds(3600) && full.settings.timeout == .seconds(5))
        #expect(full.settings.attributes.id == ["objectGUID"] && full.settings.attributes.mail == ["mail", "email"])
        #expect(full.settings.attributes.logins[.files] == ["home", "uid"])
        #expect(full.settings.attributes.logins[.mail] == ["uid"])
    }

    @Test(arguments: [
        (#"base: "dc=x""#, "ldap.url: The key is missing."),
        (#"url: "ldaps://h""#, "ldap.base: The key is missing."),
        (#"url: "https://h", base: b"#, "begins neither with ldap:// nor with ldaps://"),
        (#"url: "ldap://h/dc=x", base: b"#, "is not the address of a server"),
        (#"url: "ldaps://h", base: b, tls: starttls"#, "does not go with this url"),
        (#"url: "ldaps://h", base: b, scope: all"#, "is not a scope. Write base, one or subtree."),
        (
            #"url: "ldap://h.example", base: b, bind: { dn: d, password: { file: secret } }"#,
            "would cross the network in clear"
        ),
        (#"url: "ldaps://h", base: b, bind: { dn: d, password: pw }"#, "A secret does not stand in the configuration"),
        (#"url: "ldaps://h", base: b, refresh: 0s"#, "asked without a pause"),
        (#"url: "ldaps://h", base: b, atributes: {}"#, "Did you mean attributes?"),
    ])
    func `what is wrong is told`(ldap: String, expected: String) {
        let text = problem(ldap)
        #expect(text.contains(expected), "\(text)")
    }

    @Test func `people come from one place, and groups from a directory`() {
        #expect(
            problem(#"url: "ldaps://h", base: b"#, people: "people: fabrikam.csv").contains(
                "People come from one place."))
        let back = """
            }
              - { source: 22222222-2222-2222-2222-222222222222, target: 11111111-1111-1111-1111-111111111111, endpoint: R, \
            scope: { ldap: "cn=x" }
            """
        #expect(
            problem(#"url: "ldaps://h", base: b"#, trust: " " + back).contains("Fabrikam has no directory with groups.")
        )
    }

    @Test func `names in files wait for the directory`() throws {
        let trust = try read(trust: ", scope: leaving.csv, identityMap: map.csv").trusts[0]
        guard case .named(let leavers) = trust.scope, case .named(let pairs) = trust.identities else {
            Issue.record("\(trust)")
            return
        }
        #expect(leavers.map(\.text) == ["ada@contoso.example"] && pairs.map(\.target.text) == ["ada@fabrikam.example"])
        #expect(try read(trust: #", scope: { ldap: "cn=leaving" }"#).trusts[0].scope == .group("cn=leaving"))
    }

    @Test func `a trust with one half needs the other, one without halves is agreed to by both`() throws {
        func halves(_ text: String) throws(ConfigurationFailure) -> [Trust.Consent] {
            let trust = try read(trust: text).trusts[0]
            return [trust.inbound, trust.outbound]
        }
        #expect(try halves("") == [.given, .given])
        #expect(try halves(", inbound: { enabled: true }") == [.given, .missing])
        #expect(try halves(", outbound: { enabled: true }") == [.missing, .given])
        #expect(try halves(", inbound: { enabled: true }, outbound: { enabled: false }") == [.given, .disabled])
        #expect(
            problem(#"url: "ldaps://h", base: b"#, trust: ", inbound: {}").contains(
                "inbound.enabled: The key is missing."))
        let directory = ConfiguredDirectory(
            try read(trust: ", inbound: { enabled: false }, outbound: { enabled: true }"))
        let tenants = try read().tenants
        let objections = directory.trust(from: tenants[0].id, to: tenants[1].id)?.objections
        #expect(objections?.map(\.side) == [.target] && objections?.map(\.consent) == [.disabled])
    }
}
