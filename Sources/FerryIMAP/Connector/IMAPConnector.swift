package import FerryConnector
package import FerryCore
package import NIOCore

/// One tenant's mail on an IMAP server (RFC 3501, RFC 9051). Any number of people, one limit of connections.
package struct IMAPConnector: Connector {
    private let settings: IMAPSettings
    private let gate: IMAPGate
    /// The tenant's name, for messages.
    private let tenant: String

    package init(tenant: String, settings: IMAPSettings, on group: any EventLoopGroup) {
        self.tenant = tenant
        self.settings = settings
        gate = IMAPGate(settings, on: group)
    }

    package var service: ServiceKind { .mail }
    package var lane: LaneID { LaneID("imap:\(settings.endpoint.host):\(settings.endpoint.port)") }
    /// Half of the connections, so that everybody who has one for reading finds one for writing on the same server.
    package var parallelism: Int { max(1, settings.connections / 2) }

    package func source(for account: Account) async throws(ConnectorError) -> any SourceSession {
        let link = try link(for: account, .source)
        do throws(ConnectorError) {
            let source = IMAPSource(link: link, readers: settings.readers)
            try await source.open()
            return source
        } catch {
            await link.close()
            throw error
        }
    }

    package func target(for account: Account) async throws(ConnectorError) -> any TargetSession {
        let link = try link(for: account, .target)
        do throws(ConnectorError) {
            return try await IMAPTarget.open(link, writers: settings.writers)
        } catch {
            await link.close()
            throw error
        }
    }

    package func probe(_ account: Account, as role: AccountRole) async throws(ConnectorError) -> AccountFacts {
        let link: IMAPLink
        let facts: Result<AccountFacts, ConnectorError>
        do throws(ConnectorError) {
            link = try self.link(for: account, role == .source ? .source : .target, isPatient: false)
        } catch {
            return Self.absent(error)
        }
        do throws(ConnectorError) {
            facts = .success(try await AccountProbe(link: link).facts())
        } catch {
            facts = .failure(error)
        }
        await link.close()
        do throws(ConnectorError) {
            return try facts.get()
        } catch {
            switch error.code {
            case .sourceNotFound, .sourceAuthRejected, .targetAuthRejected: return Self.absent(error)
            default: throw error
            }
        }
    }

    package func counterpart(of container: Container, among present: [Container]) -> [String] {
        if case .mailFolder(_, let use?) = container.details, !FolderPath.isInbox(container.path) {
            let own = present.first { if case .mailFolder(_, use) = $0.details { true } else { false } }
            if let own { return own.path }
        }
        return FolderPath.counterpart(of: container.path, among: Set(present.map(\.path)))
    }

    private func link(
        for account: Account, _ side: IMAPSide, isPatient: Bool = true
    ) throws(ConnectorError) -> IMAPLink {
        let login = settings.login(account)
        guard let credentials = settings.entrance.credentials(for: login) else {
            throw ConnectorError(
                side == .source ? .sourceAuthRejected : .targetAuthRejected, .failRun,
                "\(tenant) has no password for the mailbox of '\(login)'. Add it to the file of passwords.")
        }
        return IMAPLink(side: side, credentials: credentials, gate: gate, isPatient: isPatient)
    }

    private static func absent(_ error: ConnectorError) -> AccountFacts {
        AccountFacts(exists: false, isReadable: false, isWritable: false, isEmpty: true, remark: error.context)
    }
}
