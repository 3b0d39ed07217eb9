import FerryCore
import Testing

@testable import ferry

/// A configuration file that is right, to be spoilt line by line.
private let rightYAML = """
    listen: 127.0.0.1:9090
    store: sqlite:jobs.sqlite
    issuers: [embedded]
    tenants:
      - id: 11111111-1111-1111-1111-111111111111
        name: Contoso
        domains: [Contoso.example]
        people: contoso.csv
        services:
          mail: { folder: contoso/mail }
          chats: { folder: /srv/chats }
      - id: 22222222-2222-2222-2222-222222222222
        name: Fabrikam
        domains: [fabrikam.example]
        people: fabrikam.csv
        services: { mail: { folder: fabrikam/mail } }
    trust:
      - source: 11111111-1111-1111-1111-111111111111
        target: 22222222-2222-2222-2222-222222222222
        endpoint: EXOHandler
        scope: leaving.csv
        identityMap: map.csv
    settings:
      maximumPeople: 50
      deltaInterval: 1h30m
      cancelsUntilCutover: true
      allowedOrigins: [https://admin.example]
      freezeBudget: 90s
      holdsSkippedItems: false
      requiresRedirect: true

    """

private let contosoCSV = """
    id,userPrincipalName,displayName,mail,aliases,mailLogin
    aaaaaaaa-0000-4000-8000-000000000001,ada@contoso.example,Ada Okafor,ada@contoso.example,ceo@contoso.example,ada
    aaaaaaaa-0000-4000-8000-000000000002,bo@contoso.example,"Lindqvist, Björn",,,

    """

private let fabrikamCSV = """
    id,userPrincipalName,displayName
    bbbbbbbb-0000-4000-8000-000000000001,ada@fabrikam.example,Ada Okafor
    bbbbbbbb-0000-4000-8000-000000000002,bjorn@fabrikam.example,Björn Lindqvist

    """

private let mapCSV = """
    source,target
    aaaaaaaa-0000-4000-8000-000000000001,bbbbbbbb-0000-4000-8000-000000000001
    bo@contoso.example,bjorn@fabrikam.example

    """

private struct NoSuchFile: Error, CustomStringConvertible {
    var description: String { "No such file or directory" }
}

/// The configuration in `/etc/ferry.yaml` with the files beside it, some of them replaced.
private func read(_ replaced: [String: String] = [:]) throws(ConfigurationFailure) -> Configuration {
    var files = [
        "/etc/ferry.yaml": rightYAML, "/etc/contoso.csv": contosoCSV, "/etc/fabrikam.csv": fabrikamCSV,
        "/etc/map.csv": mapCSV, "/etc/leaving.csv": "userPrincipalName\nada@contoso.example\n",
    ]
    for (name, content) in replaced { files["/etc/\(name)"] = content }
    let reader = ConfigurationReader(file: "/etc/ferry.yaml") { path in
        guard let content = files[path] else { throw NoSuchFile() }
        return Array(content.utf8)
    }
    return try reader.read()
}

private func problems(_ replaced: [String: String]) -> [String] {
    do {
        _ = try read(replaced)
        return []
    } catch {
        return error.problems.map(\.description)
    }
}

struct ConfigurationProblemTests {
    @Test func `a right file gives everything it says`() throws {
        let configuration = try read()
        #expect(configuration.listen == Configuration.Listen(host: "127.0.0.1", port: 9090))
        #expect(configuration.store == .sqlite(path: "/etc/jobs.sqlite"))
        #expect(configuration.keys == "/etc/ferry.key")
        #expect(configuration.issuers == [.embedded(address: nil)])
        #expect(configuration.tenants.map(\.name) == ["Contoso", "Fabrikam"])
        let contoso = try #require(configuration.tenants.first)
        #expect(contoso.domains == ["contoso.example"])
        #expect(contoso.services == [.mail: .folder(path: "/etc/contoso/mail"), .chats: .folder(path: "/srv/chats")])
        #expect(contoso.people.map(\.displayName) == ["Ada Okafor", "Lindqvist, Björn"])
        #expect(contoso.people.map(\.mail) == ["ada@contoso.example", "bo@contoso.example"])
        #expect(contoso.people[0].logins == [.mail: "ada"])
        #expect(contoso.people[0].aliases == ["ceo@contoso.example"])
        let trust = try #require(configuration.trusts.first)
        #expect(trust.scope == PersonID("aaaaaaaa-0000-4000-8000-000000000001").map { .people([$0]) })
        #expect(trust.identities.pairs?.count == 2)
        #expect(configuration.settings.maximumPeople == 50)
        #expect(configuration.settings.deltaInterval == .seconds(5400))
        #expect(configuration.settings.freezeBudget == .seconds(90))
        #expect(configuration.settings.holdsSkippedItems == false)
        #expect(configuration.settings.requiresRedirect == true)
        #expect(configuration.settings.cancelsUntilCutover == true)
        #expect(configuration.settings.allowedOrigins == ["https://admin.example"])
        #expect(configuration.settings.continuesWithoutMailbox == nil)
    }

    /// What is replaced in the right file, by what, and the beginning of the one problem that this makes.
    @Test(arguments: [
        ("listen: 127.0.0.1:9090", "listen: localhost", "/etc/ferry.yaml:1:9: listen: 'localhost' is not an address"),
        (
            "listen: 127.0.0.1:9090", "listn: 127.0.0.1:9090",
            "/etc/ferry.yaml:1:1: listn: Ferry does not know this key. Did you mean listen?"
        ),
        (
            "sqlite:jobs.sqlite", "postgresql://db/ferry",
            "/etc/ferry.yaml:2:8: store: PostgreSQL is not available in this build yet."
        ),
        ("[embedded]", "[embeded]", "/etc/ferry.yaml:3:11: issuers[0]: 'embeded' is not an issuer."),
        (
            "[embedded]", "http://id.example.org",
            "/etc/ferry.yaml:3:10: issuers: 'http://id.example.org' is not https"
        ),
        (
            "  - id: 1111", "  - id: x111",
            "/etc/ferry.yaml:5:9: tenants[0].id: 'x1111111-1111-1111-1111-111111111111' is not a GUID."
        ),
        (
            "[https://admin.example]", "[https://admin.example/]",
            "/etc/ferry.yaml:27:20: settings.allowedOrigins[0]: 'https://admin.example/' is not an origin."
        ),
        ("    name: Contoso\n", "", "/etc/ferry.yaml:5:5: tenants[0].name: The key is missing."),
        (
            "mail: { folder: contoso/mail }", "mail: { jmap: { host: h } }",
            "/etc/ferry.yaml:10:13: tenants[0].services.mail: The kind jmap is not available in this build yet."
        ),
        (
            "mail: { folder: contoso/mail }", "mail: { imap: { host: h } }",
            "/etc/ferry.yaml:10:21: tenants[0].services.mail.imap: Nothing says how mailboxes are entered."
        ),
        (
            "mail: { folder: contoso/mail }", "mail: { imap: { host: h, password: pw } }",
            "/etc/ferry.yaml:10:42: tenants[0].services.mail.imap.password: A secret does not stand in the"
        ),
        (
            "mail: { folder: contoso/mail }", "mail: { imap: { host: h, tls: none, password: { file: map.csv } } }",
            "/etc/ferry.yaml:10:37: tenants[0].services.mail.imap.tls: Passwords and mail would cross the network"
        ),
        (
            "mail: { folder: contoso/mail }",
            "mail: { imap: { host: h, user: all, password: { file: map.csv } } }",
            "/etc/ferry.yaml:10:38: tenants[0].services.mail.imap.user: 'all' does not say whose mailbox it is."
        ),
        (
            "mail: { folder: contoso/mail }",
            "mail: { imap: { host: h, sieve: { tls: none }, password: { file: map.csv } } }",
            "/etc/ferry.yaml:10:46: tenants[0].services.mail.imap.sieve.tls: Passwords would cross the network in clear."
        ),
        (
            "mail: { folder: contoso/mail }",
            "mail: { imap: { host: h, sieve: { prot: 1 }, password: { file: map.csv } } }",
            "/etc/ferry.yaml:10:41: tenants[0].services.mail.imap.sieve.prot: Ferry does not know this key."
        ),
        (
            "chats: { folder: /srv/chats }", "files: { webdav: { user: mover } }",
            "/etc/ferry.yaml:11:24: tenants[0].services.files.webdav.url: The key is missing."
        ),
        (
            "chats: { folder: /srv/chats }",
            "files: { webdav: { url: \"ftp://h/{login}/\", password: { file: map.csv } } }",
            "/etc/ferry.yaml:11:31: tenants[0].services.files.webdav.url: 'ftp://h/{login}/' does not begin with https"
        ),
        (
            "chats: { folder: /srv/chats }",
            "files: { webdav: { url: \"http://h.example/{login}/\", password: { file: map.csv } } }",
            "/etc/ferry.yaml:11:31: tenants[0].services.files.webdav.url: Passwords and contents would cross the network"
        ),
        (
            "chats: { folder: /srv/chats }",
            "files: { webdav: { url: https://h/all/, user: mover, password: { file: map.csv } } }",
            "/etc/ferry.yaml:11:31: tenants[0].services.files.webdav.url: Neither the address nor the user says whose"
        ),
        (
            "chats: { folder: /srv/chats }",
            "files: { webdav: { url: \"https://h/{logn}/\", password: { file: map.csv } } }",
            "/etc/ferry.yaml:11:31: tenants[0].services.files.webdav.url: 'https://h/{logn}/' has braces that mean nothing."
        ),
        (
            "chats: { folder: /srv/chats }",
            "files: { webdav: { url: \"https://u:p@h/{login}/\", password: { file: map.csv } } }",
            "/etc/ferry.yaml:11:31: tenants[0].services.files.webdav.url: 'https://u:p@h/{login}/' has a user in it."
        ),
        (
            "chats: { folder: /srv/chats }", "files: { webdav: { url: \"https://h/{login}/\" } }",
            "/etc/ferry.yaml:11:24: tenants[0].services.files.webdav: Nothing says how the server is entered."
        ),
        (
            "chats: { folder: /srv/chats }",
            "files: { webdav: { url: \"https://h/{login}/\", token: secret } }",
            "/etc/ferry.yaml:11:60: tenants[0].services.files.webdav.token: A secret does not stand in the"
        ),
        (
            "mail: { folder: contoso/mail }", "mail: { foldr: contoso/mail }",
            "/etc/ferry.yaml:10:15: tenants[0].services.mail.foldr: Ferry does not know this key. Did you mean folder?"
        ),
        (
            "mail: { folder: contoso/mail }", "mails: { folder: contoso/mail }",
            "/etc/ferry.yaml:10:7: tenants[0].services.mails: Ferry does not know this key. Did you mean mail?"
        ),
        (
            "people: fabrikam.csv", "people: gone.csv",
            "/etc/ferry.yaml:15:13: tenants[1].people: Cannot read /etc/gone.csv: No such file or directory."
        ),
        ("    endpoint: EXOHandler\n", "", "/etc/ferry.yaml:18:5: trust[0].endpoint: The key is missing."),
        (
            "    target: 2222", "    target: 3222",
            "/etc/ferry.yaml:19:13: trust[0].target: No tenant above has this id."
        ),
        (
            "maximumPeople: 50", "maximumPeople: many",
            "/etc/ferry.yaml:24:18: settings.maximumPeople: Here belongs a whole number from 1 to 100000, not 'many'."
        ),
        (
            "deltaInterval: 1h30m", "deltaInterval: 90",
            "/etc/ferry.yaml:25:18: settings.deltaInterval: Here belongs a time span"
        ),
        (
            "cancelsUntilCutover: true", "cancelsUntilCutover: maybe",
            "/etc/ferry.yaml:26:24: settings.cancelsUntilCutover: Here belongs true or false"
        ),
        (
            "    name: Fabrikam\n", "    name: Fabrikam\n    name: Twice\n",
            "/etc/ferry.yaml:13:5: Keys are there twice: name."
        ),
        ("settings:\n", "settings: [1\n", "/etc/ferry.yaml:24:16: This is not YAML:"),
    ])
    func `each slip is reported at its line and column`(right: String, wrong: String, expected: String) throws {
        #expect(rightYAML.contains(right))
        let found = problems(["ferry.yaml": rightYAML.replacing(right, with: wrong, maxReplacements: 1)])
            .filter { !$0.contains("trust[0]") || expected.contains("trust[0]") }
        #expect(found.count >= 1)
        #expect(found.first?.hasPrefix(expected) == true, "\(found)")
    }

    @Test func `all problems come at once, the main file's first`() {
        let yaml = rightYAML.replacing("9090", with: "x").replacing("deltaInterval: 1h30m", with: "deltaIntervall: 1h")
        let people = contosoCSV.replacing("aaaaaaaa-0000-4000-8000-000000000002", with: "nobody")
        let found = problems(["ferry.yaml": yaml, "contoso.csv": people])
        #expect(
            found.map { $0.split(separator: ": ")[0] } == [
                "/etc/ferry.yaml:1:9", "/etc/ferry.yaml:25:3", "/etc/contoso.csv:3:1", "/etc/map.csv:3:1",
            ])
    }

    @Test func `an empty file says how to get one`() {
        #expect(
            problems(["ferry.yaml": ""]) == [
                "/etc/ferry.yaml: The file is empty. `ferry init DIR` writes one to begin with."
            ])
    }

    /// Replaced lines of the people, and the problem.
    @Test(arguments: [
        (
            "mail,aliases,mailLogin", "mail,alias,mailLogin",
            "/etc/contoso.csv:1:39: Ferry does not know a column named 'alias'. Did you mean aliases?"
        ),
        (
            "id,userPrincipalName,displayName,mail", "id,user,displayName,mail",
            "/etc/contoso.csv:1: userPrincipalName: The column is missing."
        ),
        (
            "0002,bo@", "0001,bo@",
            "/etc/contoso.csv:3:1: id: 'aaaaaaaa-0000-4000-8000-000000000001' belongs to the person in line 2 already."
        ),
        (
            "bo@contoso.example,\"Lindqvist, Björn\",,", "bo@contoso.example,\"Lindqvist, Björn\",CEO@contoso.example,",
            "/etc/contoso.csv:3:76: mail: 'CEO@contoso.example' belongs to the person in line 2 already."
        ),
        (
            "bo@contoso.example", "ADA@contoso.example",
            "/etc/contoso.csv:3:38: userPrincipalName: 'ADA@contoso.example' belongs to the person in line 2 already."
        ),
        ("ceo@contoso.example", "the ceo", "/etc/contoso.csv:2:89: aliases: 'the ceo' is not a mail address."),
        ("Ada Okafor", "", "/etc/contoso.csv:2:58: displayName: The field is empty."),
        (",ada\n", ",ada,x\n", "/etc/contoso.csv:2: The row has 7 fields, the first line names 6 columns."),
        ("\"Lindqvist, Björn\"", "\"Lindqvist, Björn", "/etc/contoso.csv:3:57: A quoted field is never closed."),
    ])
    func `each slip in the people is reported at its line`(right: String, wrong: String, expected: String) {
        #expect(contosoCSV.contains(right))
        let found = problems(["contoso.csv": contosoCSV.replacing(right, with: wrong, maxReplacements: 1)])
            .filter { $0.hasPrefix("/etc/contoso.csv") }
        #expect(found.contains { $0.hasPrefix(expected) }, "\(found)")
    }

    @Test func `a file of semicolons is told apart`() {
        let found = problems(["fabrikam.csv": "id;userPrincipalName;displayName\n1;2;3\n"])
        #expect(found.contains { $0.hasPrefix("/etc/fabrikam.csv:1:1: The columns are separated by semicolons.") })
    }

    @Test func `the identity map names people of both sides, each source once`() {
        let map = """
            source,target
            ada@contoso.example,ada@fabrikam.exampel
            bo@contoso.example,bjorn@fabrikam.example
            bo@contoso.example,ada@fabrikam.example

            """
        #expect(
            problems(["map.csv": map]) == [
                "/etc/map.csv:2:21: target: The target tenant has nobody named 'ada@fabrikam.exampel'. "
                    + "Did you mean ada@fabrikam.example? Add the person to the tenant's people, or mend the name.",
                "/etc/map.csv:4:1: source: The person is mapped in line 3 already. Remove one of the two rows.",
            ])
    }

    @Test func `every time span says its unit`() {
        #expect(Duration(spelled: "90s") == .seconds(90))
        #expect(Duration(spelled: "1h30m") == .seconds(5400))
        #expect(Duration(spelled: "14d") == .seconds(14 * 86400))
        for text in ["", "90", "h", "-5m", "1w", "99999999999h"] { #expect(Duration(spelled: text) == nil, "\(text)") }
    }
}
