import FerryCore

/// Makes two folder tenants in a folder: Contoso with people and years of content, Fabrikam with the same people and
/// nothing yet, and the configuration that lets everybody move. Same seed, same number of people and same day: same
/// bytes.
struct DemoTenants {
    let cast: [CastMember]
    let sourceID: TenantID
    let targetID: TenantID
    let mail: DemoMail
    private let today: Instant
    private let dice: Dice

    static let endpoint = "EXOHandler"

    /// `now` is when the content ends; only its day counts.
    init(people: Int, seed: UInt64, now: Instant, mail: DemoMail = .folder) {
        self.mail = mail
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
        try calendars.write(to: sink)
        var books = AddressBooks(cast: cast, today: today, dice: dice.fork("contacts"))
        try books.write(to: sink)
        var trees = FileTrees(cast: cast, today: today, dice: dice.fork("files"))
        try trees.write(to: sink)
        var rooms = ChatRooms(cast: cast, today: today, dice: dice.fork("chats"))
        try rooms.write(to: sink)
        for service in ["mail", "calendars", "contacts", "files", "chats"] {
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
        switch mail {
        case .folder: "Two tenants made of plain files: look into contoso/ and, after the move, into fabrikam/."
        case .imap:
            "Two tenants: mail on two Dovecots, which run while the demo does, the rest plain files. Look into contoso/"
                + " and,\n# after the move, into fabrikam/: Dovecot keeps mail in files too."
        }
    }

    private func services(_ tenant: String, isSource: Bool) -> String {
        let folders = [
            ("calendar", "calendars"), ("contacts", "contacts"), ("files", "files"), ("chats", "chats"),
        ].map { "\($0.0): { folder: \(tenant)/\($0.1) }" }
        return (["mail: \(mail.service(of: tenant, isSource: isSource))"] + folders)
            .map { "      \($0)" }.joined(separator: "\n")
    }
}
