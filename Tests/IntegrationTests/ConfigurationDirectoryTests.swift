import FerryCore
import Testing

@testable import ferry

struct ConfigurationDirectoryTests {
    private let source = TenantID(GUID(high: 1, low: 0))
    private let target = TenantID(GUID(high: 2, low: 0))

    private func person(_ number: UInt64, _ mail: String, aliases: [String] = [], chats: String? = nil) -> Person {
        Person(
            id: PersonID(GUID(high: 0, low: number)), userPrincipalName: mail, displayName: "Person \(number)",
            mail: mail,
            aliases: aliases, logins: chats.map { [.chats: $0] } ?? [:])
    }

    private func directory(
        _ sources: [Person], _ targets: [Person], scope: Set<PersonID>? = nil,
        identities: [(source: PersonID, target: PersonID)]? = nil
    ) -> ConfiguredDirectory {
        ConfiguredDirectory(
            Configuration(
                file: "ferry.yaml", listen: .init(host: "127.0.0.1", port: 0), store: .sqlite(path: "x"), keys: "k",
                issuers: [.embedded(address: nil)],
                tenants: [
                    TenantConfiguration(
                        id: source, name: "S", domains: ["s.example", "old.example"], people: sources,
                        services: [.mail: .folder(path: "m")]),
                    TenantConfiguration(id: target, name: "T", domains: ["t.example"], people: targets, services: [:]),
                ],
                trusts: [
                    TrustConfiguration(
                        source: source, target: target, endpoint: "E", scope: scope.map { .people($0) } ?? .everybody,
                        identities: identities.map { .pairs($0) } ?? .byAddress)
                ], settings: .init()))
    }

    @Test func `people are found in their own tenant only`() {
        let ada = person(1, "ada@s.example")
        let directory = directory([ada], [])
        #expect(directory.person(ada.id, in: source) == ada)
        #expect(directory.person(ada.id, in: target) == nil)
        #expect(directory.tenant(source)?.services == [.mail])
        #expect(directory.trust(from: source, to: target)?.endpoint == "E")
        #expect(directory.trust(from: target, to: source) == nil)
    }

    @Test func `an address that both have matches before a local part does`() {
        let ada = person(1, "ada@s.example")
        let exact = person(11, "someone@t.example", aliases: ["Ada@S.example"])
        let similar = person(12, "ada@t.example")
        #expect(directory([ada], [exact, similar]).identityMap(from: source, to: target).targets == [ada.id: exact.id])
    }

    @Test func `the same local part matches within the tenants' own domains`() {
        let ada = person(1, "ada@old.example")
        let stranger = person(2, "bo@elsewhere.example")
        let map = directory([ada, stranger], [person(11, "Ada@t.example"), person(12, "bo@t.example")])
            .identityMap(from: source, to: target)
        #expect(map.targets == [ada.id: PersonID(GUID(high: 0, low: 11))])
    }

    @Test func `an ambiguous person stays without a counterpart`() {
        let ada = person(1, "ada@s.example")
        let map = directory(
            [ada], [person(11, "ada@t.example"), person(12, "x@t.example", aliases: ["ada@t.example"])]
        )
        .identityMap(from: source, to: target)
        #expect(map.targets.isEmpty)
    }

    @Test func `a given map counts alone`() {
        let ada = person(1, "ada@s.example")
        let bo = person(2, "bo@s.example")
        let other = person(11, "ada@t.example")
        let map = directory([ada, bo], [other], identities: [(source: bo.id, target: other.id)])
            .identityMap(from: source, to: target)
        #expect(map.targets == [bo.id: other.id])
        #expect(map.source(of: other.id) == bo.id)
    }

    @Test func `the address book knows all addresses and chat handles`() {
        let ada = person(1, "ada@s.example", aliases: ["a.okafor@old.example"], chats: "AdaO")
        let new = person(11, "okafor@t.example")
        let book = directory([ada], [new], identities: [(source: ada.id, target: new.id)])
            .addressBook(from: source, to: target)
        #expect(book.target(of: "ADA@s.example")?.address == "okafor@t.example")
        #expect(book.target(of: "a.okafor@old.example")?.address == "okafor@t.example")
        #expect(book.target(of: "@adao:s.example")?.address == "@okafor:t.example")
        #expect(book.target(of: "@adao:old.example")?.address == "@okafor:t.example")
        #expect(book.target(of: "harriet@elsewhere.example") == nil)
        #expect(directory([ada], [new]).addressBook(from: target, to: source).targets.isEmpty)
    }
}
