import FerryCore
import Testing

/// The identity map: who is matched, what is refused, what is overwritten, what stands in the way.
struct IdentityMapTests {
    private static let pair = TenantPair(source: Make.source, target: Make.target)

    private static func person(_ number: Int, _ mail: String, aliases: [String] = []) -> Person {
        Person(
            id: Make.person(number), userPrincipalName: mail, displayName: "Person \(number)", mail: mail,
            aliases: aliases)
    }

    /// Two tenants whose people are given.
    private struct Book: Directory {
        var people: [TenantID: [Person]]
        var scope: Set<PersonID>?

        init(_ source: [Person], _ target: [Person], scope: Set<PersonID>? = nil) {
            people = [Make.source: source, Make.target: target]
            self.scope = scope
        }

        func tenant(_ id: TenantID) -> Tenant? {
            let name = id == Make.source ? "contoso.example" : "fabrikam.example"
            return Tenant(id: id, name: name, domains: [name], services: [.mail])
        }
        func person(_ id: PersonID, in tenant: TenantID) -> Person? { people[tenant]?.first { $0.id == id } }
        func people(in tenant: TenantID) -> [Person] { people[tenant] ?? [] }
        func trusts(to target: TenantID) -> [Trust] {
            [Trust(source: Make.source, target: Make.target, endpoint: "E", scope: scope)]
        }
        func identityMap(from source: TenantID, to target: TenantID) -> IdentityMap { IdentityMap([]) }
        func addressBook(from source: TenantID, to target: TenantID) -> AddressBook { AddressBook() }
        func addressBook(of map: IdentityMap, from source: TenantID, to target: TenantID) -> AddressBook {
            AddressBook()
        }
    }

    private let book = Book(
        [person(1, "ada@contoso.example"), person(2, "bob@contoso.example"), person(3, "cyd@contoso.example")],
        [
            person(11, "ada@fabrikam.example"), person(12, "BOB@Fabrikam.example", aliases: ["bob@old.example"]),
            person(13, "dan@fabrikam.example"),
        ])

    private func entry(_ source: Int, to target: Int?, _ state: MapState = .mapped) -> MapEntry {
        MapEntry(
            source: Make.person(source), target: target.map(Make.person), state: state, origin: .import,
            changed: Make.now, author: "admin")
    }

    private func editing(_ map: IdentityMap = IdentityMap([]), overwriting: Bool = false, _ book: Book? = nil)
        -> MapEditing
    {
        MapEditing(Self.pair, map, in: book ?? self.book, overwriting: overwriting, by: "admin", at: Make.now)
    }

    private func codes(_ remarks: [MapRemark]) -> [String] {
        for remark in remarks {
            #expect(remark.finding.message.count > 40 && remark.finding.message.hasSuffix("."), "\(remark.finding)")
        }
        return remarks.map { "\($0.name) \($0.finding.code.rawValue)" + ($0.finding.reason.map { " \($0)" } ?? "") }
    }

    // MARK: states

    @Test func `an entry without a target is unmapped, whatever was said`() {
        #expect(entry(1, to: nil, .completed).state == .unmapped)
    }

    @Test func `what is stored of a person replaces what the configuration says`() {
        let configured = IdentityMap([
            (source: Make.person(1), target: Make.person(11)), (source: Make.person(2), target: Make.person(12)),
        ])
        let map = IdentityMap(configured, replacing: [entry(1, to: 13), entry(3, to: nil)])
        #expect(map.targets == [Make.person(1): Make.person(13), Make.person(2): Make.person(12)])
        #expect(map.source(of: Make.person(12)) == Make.person(2))
        #expect(map.source(of: Make.person(13)) == nil, "mapped is not completed")
        #expect(map.entry(for: Make.person(13))?.source == Make.person(1))
        #expect(map.entry(for: Make.person(11)) == nil)
        #expect(map.entries[Make.person(2)]?.origin == .configuration)
    }

    @Test func `two sources of one target are the source of nobody`() {
        let map = IdentityMap(IdentityMap([]), replacing: [entry(2, to: 11, .completed), entry(1, to: 11, .completed)])
        #expect(map.sources[Make.person(11)] == [Make.person(1), Make.person(2)])
        #expect(map.source(of: Make.person(11)) == nil && map.entry(for: Make.person(11)) == nil)
    }

    // MARK: matching

    @Test func `IDM-16 matching takes who has the address, and puts the others into the map unmapped`() {
        let plan = editing().matching(nil)
        #expect(plan.changes.map(\.target) == [Make.person(11), Make.person(12), nil])
        #expect(plan.changes.map(\.state) == [.mapped, .mapped, .unmapped])
        #expect(plan.changes.allSatisfy { $0.origin == .match && $0.author == "admin" && $0.changed == Make.now })
        #expect(codes(plan.remarks) == ["cyd@contoso.example IDM-16"])
    }

    @Test func `matching passes over who is mapped, and replaces only when that was asked for`() {
        let map = IdentityMap(IdentityMap([]), replacing: [entry(1, to: 13, .completed)])
        let careful = editing(map).matching(nil)
        #expect(careful.changes.map(\.source) == [Make.person(2), Make.person(3)] && careful.unchanged == 1)
        #expect(editing(map, overwriting: true).matching([Make.person(1)]).changes.map(\.target) == [Make.person(11)])
    }

    @Test func `matching keeps to the scope, and to those who are named`() {
        let scoped = Book(book.people[Make.source] ?? [], book.people[Make.target] ?? [], scope: [Make.person(2)])
        #expect(editing(IdentityMap([]), scoped).matching(nil).changes.map(\.source) == [Make.person(2)])
        #expect(editing().matching([Make.person(1)]).changes.map(\.source) == [Make.person(1)])
    }

    @Test func `an address that several have is no answer`() {
        let twins = Book(
            [Self.person(1, "ada@contoso.example")],
            [
                Self.person(11, "ada@fabrikam.example"),
                Self.person(12, "x@fabrikam.example", aliases: ["ada@fabrikam.example"]),
            ])
        let plan = editing(IdentityMap([]), twins).matching(nil)
        #expect(plan.changes.map(\.target) == [nil])
        #expect(plan.remarks.first?.finding.message.contains("2 target users") == true)
    }

    // MARK: importing

    @Test func `an import names people by id, sign-in name or address, whatever the case`() {
        let plan = editing().importing([
            MapRow(source: Make.person(1).description.uppercased(), target: "DAN@fabrikam.EXAMPLE"),
            MapRow(source: "Bob@Contoso.Example", target: "bob@old.example"),
            MapRow(source: "cyd@contoso.example", target: ""),
        ])
        #expect(plan.remarks == [])
        #expect(plan.changes.map(\.target) == [Make.person(13), Make.person(12), nil])
        #expect(plan.changes.map(\.state) == [.mapped, .mapped, .unmapped])
    }

    @Test func `IDM-11 IDM-14 unknown people are named, the other lines are taken`() {
        let plan = editing().importing([
            MapRow(source: "eve@contoso.example", target: "dan@fabrikam.example"),
            MapRow(source: "ada@contoso.example", target: Make.person(99).description),
            MapRow(source: "bob@contoso.example", target: "dan@fabrikam.example"),
        ])
        #expect(
            codes(plan.remarks) == [
                "eve@contoso.example IDM-11 sourceUnknown", "\(Make.person(99)) IDM-14 targetMissing",
            ])
        #expect(plan.changes.map(\.source) == [Make.person(2)])
    }

    @Test func `CTM-101 mappedApart one source with two targets is not taken`() {
        let plan = editing().importing([
            MapRow(source: "ada@contoso.example", target: "ada@fabrikam.example"),
            MapRow(source: "ADA@contoso.example", target: "dan@fabrikam.example"),
            MapRow(source: "bob@contoso.example", target: "dan@fabrikam.example"),
            MapRow(source: "bob@contoso.example", target: "dan@fabrikam.example"),
        ])
        #expect(codes(plan.remarks) == ["ada@contoso.example CTM-101 mappedApart"])
        #expect(plan.changes.map(\.source) == [Make.person(2)])
    }

    @Test func `IDM-18 nothing is overwritten unasked, the configuration's entries included`() {
        let map = IdentityMap(
            IdentityMap([(source: Make.person(1), target: Make.person(11))]), replacing: [entry(2, to: 12, .completed)])
        let rows = [
            MapRow(source: "ada@contoso.example", target: "dan@fabrikam.example"),
            MapRow(source: "bob@contoso.example", target: "bob@fabrikam.example"),
        ]
        let careful = editing(map).importing(rows)
        #expect(careful.changes == [] && careful.unchanged == 1)
        #expect(codes(careful.remarks) == ["ada@contoso.example IDM-18"])
        let bold = editing(map, overwriting: true).importing(rows)
        #expect(bold.changes.map(\.target) == [Make.person(13)] && bold.changes.map(\.state) == [.mapped])
    }

    // MARK: review

    private func review(
        _ entries: [MapEntry], of index: Int = 0, onward: Set<PersonID> = [], _ book: Book? = nil
    ) -> [String] {
        let map = IdentityMap(IdentityMap([]), replacing: entries)
        return MapReview(Self.pair, map, in: book ?? self.book, onward: onward).findings(of: entries[index]).map {
            #expect($0.message.count > 40 && $0.message.hasSuffix("."))
            return $0.code.rawValue + ($0.reason.map { " \($0)" } ?? "")
        }
    }

    @Test func `a sound entry has no findings`() {
        #expect(review([entry(1, to: 11)]) == [])
    }

    @Test func `IDM-13 nobody is named`() {
        #expect(review([entry(1, to: nil)]) == ["IDM-13"])
    }

    @Test func `IDM-11 IDM-14 people whom the directories do not have`() {
        #expect(review([entry(9, to: 11)]) == ["IDM-11 sourceUnknown"])
        #expect(review([entry(1, to: 19)]) == ["IDM-14 targetMissing"])
        #expect(review([entry(9, to: 19)]) == ["IDM-11 sourceUnknown", "IDM-14 targetMissing"])
    }

    @Test func `CTM-101 mappedTwice two sources of one target, each told of the other`() {
        let entries = [entry(1, to: 11), entry(2, to: 11, .completed)]
        #expect(review(entries, of: 0) == ["CTM-101 mappedTwice"])
        #expect(review(entries, of: 1) == ["CTM-101 mappedTwice"])
        let map = IdentityMap(IdentityMap([]), replacing: entries)
        let message = MapReview(Self.pair, map, in: book, onward: []).findings(of: entries[0]).first?.message ?? ""
        #expect(message.contains("ada@contoso.example") && message.contains("bob@contoso.example"))
    }

    @Test func `CTM-101 mappedInChain a target who moves on`() {
        #expect(review([entry(1, to: 11)], onward: [Make.person(11)]) == ["CTM-101 mappedInChain"])
    }

    @Test func `IDM-07 an address in a domain that the target does not own, whatever its case`() {
        #expect(review([entry(2, to: 12)]) == ["IDM-07 foreignAddress"])
        let upper = Book([Self.person(1, "ada@contoso.example")], [Self.person(11, "ada@FABRIKAM.example")])
        #expect(review([entry(1, to: 11)], upper) == [])
    }

    @Test func `MIGR-002 a source who may not leave`() {
        let scoped = Book(book.people[Make.source] ?? [], book.people[Make.target] ?? [], scope: [])
        #expect(review([entry(1, to: 11)], scoped) == ["MIGR-002 notInScope"])
    }
}
