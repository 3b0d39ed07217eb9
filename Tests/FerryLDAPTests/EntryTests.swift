import FerryCore
import Testing

@testable import FerryLDAP

/// What entries become, without a server.
struct EntryTests {
    private func entry(_ name: String, _ values: [String: [String]], id: UInt8 = 1) -> LDAPEntry {
        var octets = values.mapValues { $0.map { Array($0.utf8) } }
        octets["objectguid"] = octets["objectguid"] ?? [[UInt8](repeating: id, count: 16)]
        return LDAPEntry(name: "uid=\(name),ou=people", values: octets)
    }

    private func people(_ entries: [LDAPEntry]) -> (people: [Person], findings: [String]) {
        var maker = PeopleMaker(LDAPAttributes())
        for entry in entries { maker.add(entry) }
        let made = maker.finish()
        return (made.people, made.findings.map(\.description))
    }

    @Test func `objectGUID has Microsoft's order, other octets and texts have the usual one`() {
        let octets: [UInt8] = [
            0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF,
        ]
        let expected = GUID("00112233-4455-6677-8899-aabbccddeeff")
        #expect(GUID(octets: octets, isMicrosofts: true) == expected)
        #expect(GUID(octets: octets, isMicrosofts: false) == GUID("33221100-5544-7766-8899-aabbccddeeff"))
        for text in [
            "00112233-4455-6677-8899-AABBCCDDEEFF", "{00112233-4455-6677-8899-aabbccddeeff}",
            "00112233-44556677-8899aabb-ccddeeff",
        ] {
            #expect(GUID(octets: Array(text.utf8), isMicrosofts: true) == expected, "\(text)")
        }
        for text in ["", "17", "00112233-4455-6677-8899-aabbccddeef", "g0112233-4455-6677-8899-aabbccddeeff"] {
            #expect(GUID(octets: Array(text.utf8), isMicrosofts: false) == nil, "\(text)")
        }
    }

    @Test func `proxy addresses are aliases by their kind, and the primary one stands in for mail`() throws {
        let made = people([
            entry(
                "ada",
                [
                    "cn": ["Ada"],
                    "proxyaddresses": [
                        "smtp:a.okafor@x.example", "SMTP:ada@x.example", "X500:/o=x/cn=ada", "sip:ada@x.example",
                        "smtp:A.Okafor@x.example",
                    ], "mailalternateaddress": ["ceo@x.example"],
                ])
        ])
        let ada = try #require(made.people.first)
        #expect(ada.mail == "ada@x.example" && ada.userPrincipalName == "ada@x.example")
        #expect(ada.aliases == ["a.okafor@x.example", "ceo@x.example"])
        #expect(made.findings.isEmpty)
    }

    @Test func `whoever cannot be a person is left out and told, with entry, attribute and remedy`() {
        let made = people([
            entry("nomail", ["cn": ["X"], "userprincipalname": ["x"]], id: 1),
            entry("noname", ["cn": ["X"]], id: 2),
            entry("noid", ["mail": ["a@x.example"], "objectguid": ["17"]], id: 3),
            entry("alias", ["mail": ["b@x.example"], "mailalternateaddress": ["not an address"]], id: 4),
        ])
        #expect(made.people.map(\.mail) == ["b@x.example"])
        #expect(
            made.findings.sorted() == [
                "uid=alias,ou=people: mailAlternateAddress: 'not an address' is not a mail address. Write local-part@domain.",
                "uid=noid,ou=people: objectGUID: The value is not a GUID. Name an attribute with one in attributes.id.",
                "uid=nomail,ou=people: mail: The entry has no mail address. "
                    + "Give it one, written local-part@domain, or leave it out by the filter.",
                "uid=noname,ou=people: userPrincipalName, mail: The entry has no sign-in name. "
                    + "Give it one, or leave it out by the filter.",
            ])
    }

    @Test func `ids and addresses belong to one person, whatever the order of the answer`() {
        let entries = [
            entry("a", ["mail": ["a@x.example"], "mailalternateaddress": ["c@x.example", "shared@x.example"]], id: 1),
            entry("b", ["mail": ["b@x.example"]], id: 1),
            entry("c", ["mail": ["C@x.example"], "mailalternateaddress": ["Shared@x.example"]], id: 2),
            entry("d", ["mail": ["a@X.example"], "userprincipalname": ["d@x.example"]], id: 3),
        ]
        let made = people(entries)
        // The one who has it as primary address keeps it; an alias that two have goes to the first.
        #expect(made.people.map(\.addresses) == [["a@x.example", "shared@x.example"], ["C@x.example"]])
        #expect(made.findings.count == 4)
        #expect(
            made.findings.contains { $0.hasPrefix("uid=b,ou=people: id: ") && $0.contains("uid=a,ou=people already") })
        let turned = people(entries.reversed())
        #expect(turned.people == made.people && turned.findings == made.findings)
    }

    @Test func `names are compared however they are written`() {
        #expect(
            LDAPConnection.normalized("UID=Ada, ou=People,dc=X") == LDAPConnection.normalized("uid=ada,OU=people, DC=x")
        )
        #expect(GroupWalk.withoutNumber("cn=a,dc=x#'0101'B") == "cn=a,dc=x")
        #expect(GroupWalk.withoutNumber("cn=a#b,dc=x") == "cn=a#b,dc=x")
        #expect(GroupWalk.rest(of: "member;range=0-1499") == "member;range=1500-*")
        #expect(GroupWalk.rest(of: "member;range=1500-*") == nil)
        #expect(GroupWalk.rest(of: "member") == nil)
    }
}
