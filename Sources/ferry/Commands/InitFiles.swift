import FerryCore

/// What `ferry init` writes: a commented configuration and two small tenants made of folders.
struct InitFiles {
    /// When the sample content is from.
    let now: Instant

    private static let source = "11111111-1111-1111-1111-111111111111"
    private static let target = "22222222-2222-2222-2222-222222222222"
    private static let people = [("ada.okafor", "Ada Okafor"), ("bjorn.lindqvist", "Björn Lindqvist")]

    /// Folders before what is in them; the configuration last.
    var files: [DemoFile] {
        var files: [DemoFile] = []
        for (index, (login, name)) in Self.people.enumerated() {
            let mailbox = "contoso/mail/\(login)"
            for part in ["cur", "new", "tmp"] { files.append(DemoFile("\(mailbox)/\(part)", .folder)) }
            let message = MessageWriter(
                charset: .utf8, from: ("Ferry", "ferry@contoso.example"), to: [(name, "\(login)@contoso.example")],
                subject: "Welcome aboard", sent: now, messageID: "welcome-\(index)@contoso.example",
                text: "Put real messages into this Maildir, or watch this one move.", boundary: "=_ferry"
            ).bytes()
            files.append(
                DemoFile(
                    "\(mailbox)/cur/\(now.seconds).M1P\(index).mx1,S=\(message.count):2,S", .bytes(message),
                    modified: Instant(seconds: now.seconds)))
            files.append(DemoFile("contoso/calendars/\(login)/work", .folder))
            files.append(DemoFile("contoso/contacts/\(login)/contacts", .folder))
            files.append(DemoFile("contoso/files/\(login)/Documents", .folder))
            files.append(DemoFile("contoso/files/\(login)/Documents/Read me.md", text: "# Files of \(name)\n"))
            files.append(DemoFile("contoso/chats/\(login)", .folder))
        }
        for service in ["mail", "calendars", "contacts", "files", "chats"] {
            files.append(DemoFile("fabrikam/\(service)", .folder))
        }
        files.append(DemoFile("contoso.csv", text: Self.table("contoso", digit: "a")))
        files.append(DemoFile("fabrikam.csv", text: Self.table("fabrikam", digit: "b")))
        files.append(DemoFile("map.csv", text: Self.map))
        files.append(DemoFile("ferry.yaml", text: Self.configuration))
        return files
    }

    /// Ids of the target people, for a first job.
    static var targetIDs: [String] { people.indices.map { id("b", $0) } }

    private static func id(_ digit: String, _ index: Int) -> String {
        "\(String(repeating: digit, count: 8))-0000-4000-8000-00000000000\(index + 1)"
    }

    private static func table(_ tenant: String, digit: String) -> String {
        let rows = people.enumerated().map { index, person in
            let address = "\(person.0)@\(tenant).example"
            return "\(id(digit, index)),\(address),\(person.1),\(address),,\(person.0)"
        }
        return (["id,userPrincipalName,displayName,mail,aliases,login"] + rows).joined(separator: "\n") + "\n"
    }

    private static var map: String {
        (["source,target"] + people.indices.map { "\(id("a", $0)),\(id("b", $0))" }).joined(separator: "\n") + "\n"
    }

    private static let configuration = """
        # Ferry: who may move from where to where. Paths are relative to this file.
        # `ferry check --config ferry.yaml` says what is wrong with it.

        # Where the API listens. Give it TLS, or a proxy that has it, before you open it to a network.
        listen: 127.0.0.1:8080

        # PEM files; the chain with the server's own certificate first. New ones are taken into use without a restart.
        # tls: { certificate: server.crt, key: server.key }

        # Jobs, progress, and the ledger of what has been moved. Keep it: it is what makes a second try cheap.
        store: sqlite:ferry.sqlite

        # The private key of the embedded issuer, made at the first start. Whoever reads it can sign in as anybody.
        keys: ferry.key

        # Every job that ends leaves a signed manifest of what both sides had, item by item (ferry verify --manifest).
        # manifest.key.pub, made beside the key, is what checks the signature: keep it with the manifests.
        manifests: { folder: manifests, key: manifest.key }

        # Who may sign tokens: `embedded` is `ferry token`; an address is an OpenID Connect issuer. Particulars, such as
        # audience, tenant and names of claims: "Who may sign in" in docs/operations.md.
        issuers: [embedded]

        tenants:
          - id: \(source)
            name: Contoso
            # Mail domains that the tenant owns.
            domains: [contoso.example]
            # How join links of meetings begin; they are changed to the target's. Leave it out and links stay.
            # meetingLinks: https://meet.contoso.example/
            # One person per row: id,userPrincipalName,displayName,mail,aliases,login
            # Aliases are separated by semicolons. `login` names the person's folder; mailLogin, calendarLogin,
            # contactsLogin, filesLogin and chatsLogin name it for one service only. `services` lists what the person is
            # entitled to (mail;calendar;contacts;files;chats), all without it; `hold` is yes under a legal hold.
            people: contoso.csv
            services:
              # A folder with one Maildir++ per login.
              mail:     { folder: contoso/mail }
              # A folder per login, in it a folder per calendar, in it one .ics file per event.
              calendar: { folder: contoso/calendars }
              # The same with .vcf files.
              contacts: { folder: contoso/contacts }
              # A file tree per login.
              files:    { folder: contoso/files }
              # A folder per login, in it a folder per room with state.json and timeline.jsonl.
              chats:    { folder: contoso/chats }
          - id: \(target)
            name: Fabrikam
            domains: [fabrikam.example]
            people: fabrikam.csv
            services:
              mail:     { folder: fabrikam/mail }
              calendar: { folder: fabrikam/calendars }
              contacts: { folder: fabrikam/contacts }
              files:    { folder: fabrikam/files }
              chats:    { folder: fabrikam/chats }

        # Without a trust nobody moves.
        trust:
          - source: \(source)
            target: \(target)
            # The name that a job gives in exchangeSettings.sourceEndpoint.
            endpoint: EXOHandler
            # Source people who may leave: a CSV file with a column id, userPrincipalName or mail. Absent: everybody.
            # scope: leaving.csv
            # Who becomes whom: a CSV file with the columns source,target. managed: only what
            # `ferry map` was told. Absent: people are matched by address.
            identityMap: map.csv

        # Everything here may be left out.
        settings:
          maximumPeople: 2000            # people in one job
          deltaInterval: 15m             # between passes until the date; four times as long while nothing changes
          freezeBudget: 60s              # longest time that the cutover keeps a person out of the source
          cancelsUntilCutover: false     # true: cancel stays possible until each person's own cutover
          continuesWithoutMailbox: false # true: files and chats move even when the mailbox failed
          holdsSkippedItems: true        # false: items that cannot be moved are only reported, whatever they are
          requiresRedirect: false        # true: meetings move only from sources that can forward mail
          cancelledCopies: keep          # purge: remove what was copied for people who are cancelled
          # cutoversAtOnce: 20           # people in their cutover at once at each server; absent: as many as it takes
          tombstonesLast: 30d            # how long deleted jobs stay readable
          drainDelay: 0s                 # after SIGTERM: /readyz is 503 for so long before listening ends
          drainTimeout: 15s              # and then requests have so long to end
          repetitionsLast: 24h           # how long a creation is known again by its client-request-id
          # allowedOrigins: [https://admin.example]   # whose pages may read the API in a browser (CORS)

        # Requests a minute that are let through; 0 is no limit.
        limits:
          principalReads: 6000           # of one person or application
          principalWrites: 600
          tenantReads: 30000             # of everybody in a tenant together
          tenantWrites: 3000
          failedAuthentications: 60      # without a good token, from one address

        # Proxies in front whose X-Forwarded-For is believed.
        # trustedProxies: [127.0.0.1, 10.0.0.0/8]

        """
}
