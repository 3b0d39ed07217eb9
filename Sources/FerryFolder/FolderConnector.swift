package import FerryConnector
package import FerryCore

/// One service of a tenant that is made of plain files: `ROOT/LOGIN` is a person's data.
///
/// | service | layout |
/// | --- | --- |
/// | mail | Maildir++, as Dovecot reads it |
/// | calendar, contacts | vdir: a directory per collection, an `.ics` or `.vcf` file per item |
/// | files | a plain tree |
/// | chats | a directory per room: state and timeline as JSON lines, media as files |
package struct FolderConnector: Connector {
    package let service: ServiceKind
    package let parallelism: Int
    /// The tenant's name, for messages.
    private let tenant: String
    /// Without `/` at its end.
    private let root: String
    private let layout: any FolderLayout
    private let now: @Sendable () -> Instant

    /// `root` is an existing directory; it may be, or be reached through, a symbolic link, what is below may not.
    /// `now` is the wall clock, by which Ferry judges whether a directory's time of last change is old enough to rely on.
    package init(
        service: ServiceKind, tenant: String, root: String, parallelism: Int = 4,
        now: @escaping @Sendable () -> Instant
    ) {
        self.service = service
        self.tenant = tenant
        self.root = root.count > 1 && root.hasSuffix("/") ? String(root.dropLast()) : root
        self.parallelism = parallelism
        self.now = now
        layout = Self.layout(of: service)
    }

    package var lane: LaneID { LaneID("folder:\(root)") }

    package func source(for account: Account) async throws(ConnectorError) -> any SourceSession {
        let person = try PersonRoot(parent: root, login: account.login)
        let directory = try await Disk.run { () throws(ConnectorError) in try person.open() }
        return layout.source(directory, place: person.place, now: now)
    }

    package func target(for account: Account) async throws(ConnectorError) -> any TargetSession {
        let person = try PersonRoot(parent: root, login: account.login)
        let directory = try await Disk.run { () throws(ConnectorError) in try person.openCreating() }
        return layout.target(directory, place: person.place)
    }

    package func probe(_ account: Account, as role: AccountRole) async throws(ConnectorError) -> AccountFacts {
        let person = try PersonRoot(parent: root, login: account.login)
        return try await Disk.run { [layout] () throws(ConnectorError) in
            var facts = person.probe(as: role) { (directory) throws(SystemError) in
                try layout.countItems(in: directory)
            }
            guard role == .source, facts.exists, facts.isReadable else { return facts }
            facts.canRedirect = layout.markers.forwards
            do throws(ConnectorError) {
                facts.isMarked = try translating({ .sourceContainer($0, person.place) }) { () throws(SystemError) in
                    try FolderCustody.hasMarked(
                        Directory(configured: person.parent).directory(person.login), with: layout.markers)
                }
            } catch {
                facts.remark = error.context
            }
            return facts
        }
    }

    package func objection(to container: Container) -> ConnectorError? {
        guard service == .mail else { return nil }
        do throws(ConnectorError) { _ = try MaildirTarget.directoryName(of: container) } catch { return error }
        return nil
    }

    package func objection(to header: ItemHeader) -> ConnectorError? {
        guard service == .files else { return nil }
        do throws(ConnectorError) { _ = try TargetFolders.path(of: header) } catch { return error }
        return nil
    }

    private static func layout(of service: ServiceKind) -> any FolderLayout {
        switch service {
        case .mail: MaildirLayout()
        case .calendar: VdirLayout(kind: .calendars)
        case .contacts: VdirLayout(kind: .addressBooks)
        case .files: FileTreeLayout()
        case .chats: ChatsLayout()
        }
    }
}
