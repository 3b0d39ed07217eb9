import FerryCore

/// Makes two folder tenants in a folder: Contoso with people and years of content, Fabrikam with the same people and
/// nothing yet, and the configuration that lets everybody move. Same seed, same number of people and same day: same
/// bytes.
struct DemoTenants {
    let cast: [CastMember]
    let sourceID: TenantID
    let targetID: TenantID
    let places: DemoPlaces
    private let today: Instant
    private let dice: Dice

    static let endpoint = "EXOHandler"

    /// `now` is when the content ends; only its day counts.
    init(people: Int, seed: UInt64, now: Instant, places: DemoPlaces = DemoPlaces()) {
        self.places = places
        dice = Dice(seed: seed)
        today = Instant(seconds: now.seconds / 86400 * 86400)
        cast = Cast.members(people, dice: dice.fork("cast"))
        var ids = dice.fork("tenants")
        sourceID = TenantID(ids.guid())
        targetID = TenantID(ids.guid())
    }

    /// Gives everything to `sink`, folders before what is in them, the configuration last: a folder that has one is
    /// complete.
    func write(to sink: DemoSink) throws {
        var mailboxes = Mailboxes(cast: cast, today: today, dice: dice.fork("mail"))
        try mailboxes.write(to: sink)
        var calendars = Calendars(cast: cast, today: today, dice: dice.fork("calendars"))
        var name = ""
        try calendars.write { file in
            if let file = try places.placed(file, "VCALENDAR", "ICAL:calendar-color", &name) { try sink(file) }
        }
        var books = AddressBooks(cast: cast, today: today, dice: dice.fork("contacts"))
        try books.write { file in
            if let file = try places.placed(file, "VADDRESSBOOK", "INF:addressbook-color", &name) { try sink(file) }
        }
        var trees = FileTrees(cast: cast, today: today, dice: dice.fork("files"))
        try trees.write(to: sink)
        var rooms = ChatRooms(cast: cast, today: today, dice: dice.fork("chats"))
        try rooms.write(to: sink)
        let collections = places.ports[.radicale] == nil ? ["calendars", "contacts"] : [DemoPlaces.collections]
        for service in ["mail", "files", "chats"] + collections {
            try sink(DemoFile("fabrikam/\(service)", .folder))
        }
        try sink(DemoFile("contoso.csv", text: people(\.source)))
        try sink(DemoFile("fabrikam.csv", text: people(\.target)))
        let pairs = cast.map { "\($0.source.id),\($0.target.id)" }
        try sink(DemoFile("map.csv", text: (["source,target"] + pairs).joined(separator: "\n") + "\n"))
        try sink(DemoFile("ferry.yaml", text: configuration))
    }

    private func people(_ side: KeyPath<CastMember, Person>) -> String {
        let rows = cast.map { member -> String in
            let person = member[keyPath: side]
            return [
                person.id.description, person.userPrincipalName, "\"\(person.displayName)\"", person.mail,
                person.aliases.joined(separator: ";"), person.logins[.mail] ?? "",
            ].joined(separator: ",")
        }
        return (["id,userPrincipalName,displayName,mail,aliases,login"] + rows).joined(separator: "\n") + "\n"
    }

    private var configuration: String {
        """
        # \(remark)
        listen: 127.0.0.1:8080
        store: sqlite:ferry.sqlite
        keys: ferry.key
        issuers: [embedded]
        tenants:
          - id: \(sourceID)
            name: Contoso
            domains: [\(Cast.sourceDomain)]
            meetingLinks: https://meet.\(Cast.sourceDomain)/
            people: contoso.csv
            services:
        \(services("contoso", isSource: true))
          - id: \(targetID)
            name: Fabrikam
            domains: [\(Cast.targetDomain)]
            meetingLinks: https://meet.\(Cast.targetDomain)/
            people: fabrikam.csv
            services:
        \(services("fabrikam", isSource: false))
        trust:
          - source: \(sourceID)
            target: \(targetID)
            endpoint: \(Self.endpoint)
            identityMap: map.csv

        """
    }

    private var remark: String {
        places.ports.isEmpty
            ? "Two tenants made of plain files: look into contoso/ and, after the move, into fabrikam/."
            : "Two tenants: what is not in plain files is on servers of the demo's own, which run while it does. They keep\n"
                + "# files too: look into contoso/ and, after the move, into fabrikam/."
    }

    private func services(_ tenant: String, isSource: Bool) -> String {
        places.services(of: tenant, isSource: isSource).map { "      \($0)" }.joined(separator: "\n")
    }
}
