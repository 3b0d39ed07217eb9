import FerryConnector
import FerryCore
import FerryTestKit
import Testing

/// The tenant in memory is judged by the checks that it stands in for, as far as other tests rely on them.
@Suite struct `A tenant in memory` {
    @Test(arguments: ConnectorConformance.deltaChecks)
    func `tells of changes as a connector does`(_ check: ConnectorConformance.Check) async throws {
        try await check.run(FakeFixture())
    }
}

private struct FakeFixture: ConnectorFixture {
    private let contoso = FakeTenant()
    private let fabrikam = FakeTenant()
    let home = Container(name: "INBOX", path: ["INBOX"], details: .mailFolder(isSubscribed: true))
    let oddContainers: [Container] = []
    let canUpdate = true
    let takesAnyName = true
    let tellsChanges = true

    init() { contoso.edit(place) { $0[["INBOX"]].revision += 1 } }

    private var place: FakeTenant.Place { FakeTenant.Place(.mail, "ada") }
    var source: any Connector { contoso.connector(.mail) }
    var target: any Connector { fabrikam.connector(.mail) }
    var targetReader: any Connector { target }
    var sourceAccount: Account { Self.account("ada") }
    var targetAccount: Account { Self.account("ada") }
    var strangerAccount: Account { Self.account("nobody") }

    private static func account(_ login: String) -> Account {
        Account(tenant: CopierWorld.contoso, person: CopierWorld.ada, login: login)
    }

    func item(_ number: Int, bytes: Int) -> SeedItem {
        SeedItem(name: "m\(number)", body: CopierWorld.message(number), metadata: CopierWorld.metadata(number))
    }

    func put(_ items: [SeedItem]) async throws {
        contoso.edit(place) { holdings in
            let present = Set(holdings[["INBOX"]].items.map(\.name))
            for item in items {
                if present.contains(item.name) {
                    holdings[["INBOX"]].change(item.name) { ($0.content, $0.metadata) = (item.body, item.metadata) }
                } else {
                    holdings[["INBOX"]].add(item.name, item.body, item.metadata)
                }
            }
        }
    }

    func delete(_ item: SeedItem) async throws { contoso.edit(place) { $0[["INBOX"]].remove(item.name) } }
    func settle() async throws {}
    func isOutsideUntouched() async throws -> Bool { true }
}
