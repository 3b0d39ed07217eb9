import FerryConnector
import Synchronization

/// One person's connection: made when it is needed, made again after it was lost. Used by one task at a time.
final class IMAPLink: Sendable {
    private struct State: Sendable {
        var session: IMAPSession?
        var selected: SelectedMailbox?
        /// Counts against the endpoint's limit.
        var holdsConnection = false
    }

    let side: IMAPSide
    private let credentials: IMAPCredentials
    private let gate: IMAPGate
    private let isPatient: Bool
    private let state = Mutex(State())

    /// - Parameter isPatient: waits while the endpoint turns connections away.
    init(side: IMAPSide, credentials: IMAPCredentials, gate: IMAPGate, isPatient: Bool = true) {
        self.isPatient = isPatient
        self.side = side
        self.credentials = credentials
        self.gate = gate
    }

    /// A session that was usable a moment ago.
    func session() async throws(ConnectorError) -> IMAPSession {
        if let session = state.withLock({ $0.session }) {
            if session.failure == nil { return session }
            await session.close()
            state.withLock { ($0.session, $0.selected) = (nil, nil) }
        }
        if !state.withLock({ $0.holdsConnection }) {
            try await gate.limit.take()
            state.withLock { $0.holdsConnection = true }
        }
        do throws(ConnectorError) {
            let session = try await gate.connect(as: credentials, side, isPatient: isPatient)
            state.withLock { ($0.session, $0.selected) = (session, nil) }
            return session
        } catch {
            giveBack()
            throw error
        }
    }

    /// Another connection of the same person, if the endpoint's limit has room for one now.
    func sibling() -> IMAPLink? {
        guard gate.limit.tryTake() else { return nil }
        let link = IMAPLink(side: side, credentials: credentials, gate: gate, isPatient: false)
        link.state.withLock { $0.holdsConnection = true }
        return link
    }

    /// A sibling that is connected. A server that lets one person have no more connections is no reason to stop.
    func connectedSibling() async -> IMAPLink? {
        guard let link = sibling() else { return nil }
        do throws(ConnectorError) {
            _ = try await link.session()
            return link
        } catch {
            await link.close()
            return nil
        }
    }

    /// Whose mailbox it is, and where: `ada@contoso.example@imap.contoso.example`, lower case. No port, which may change for
    /// the same server.
    var account: String { "\(credentials.user)@\(gate.settings.endpoint.host)".lowercased() }

    /// How this person's mail is redirected; `nil` where no ManageSieve is configured.
    var redirection: SieveRedirection? { gate.redirection(as: credentials) }

    /// Opens a mailbox, or keeps to it when it is open already. `afresh` opens it again to see its present state.
    func select(
        _ name: MailboxName, readOnly: Bool, afresh: Bool = false
    ) async throws(ConnectorError) -> (session: IMAPSession, mailbox: SelectedMailbox) {
        let session = try await session()
        if !afresh, let selected = state.withLock({ $0.selected }), selected.name == name,
            readOnly || !selected.isReadOnly
        {
            return (session, selected)
        }
        state.withLock { $0.selected = nil }
        do throws(IMAPError) {
            let mailbox = try await session.select(name, readOnly: readOnly, known: nil)
            state.withLock { $0.selected = mailbox }
            return (session, mailbox)
        } catch {
            throw side.container(error, name)
        }
    }

    /// Opens a mailbox for reading and asks what has changed in it; see `IMAPSession.examine`.
    func examine(
        _ name: MailboxName, uidValidity: UInt32, changedSince modSeq: UInt64, mostRows: Int
    ) async throws(ConnectorError) -> (mailbox: SelectedMailbox, changes: MailboxChanges?) {
        let session = try await session()
        state.withLock { $0.selected = nil }
        do throws(IMAPError) {
            let answer = try await session.examine(
                name, uidValidity: uidValidity, changedSince: modSeq, mostRows: mostRows)
            state.withLock { $0.selected = answer.mailbox }
            return answer
        } catch {
            throw side.container(error, name)
        }
    }

    /// Opens a mailbox for reading and asks what is in it; see `IMAPSession.list`.
    func list(_ name: MailboxName, expecting count: UInt32?, mostRows: Int)
        async throws(ConnectorError) -> (mailbox: SelectedMailbox, contents: MailboxContents)
    {
        let session = try await session()
        state.withLock { $0.selected = nil }
        do throws(IMAPError) {
            let answer = try await session.list(name, expecting: count, mostRows: mostRows)
            state.withLock { $0.selected = answer.mailbox }
            return answer
        } catch {
            throw side.container(error, name)
        }
    }

    /// Takes leave without waiting for the answer; the connection counts until it has ended.
    func close() async {
        let (session, isHeld) = state.withLock { state in
            defer { (state.session, state.selected, state.holdsConnection) = (nil, nil, false) }
            return (state.session, state.holdsConnection)
        }
        let limit = gate.limit
        if let session {
            session.end { if isHeld { limit.giveBack() } }
        } else if isHeld {
            limit.giveBack()
        }
    }

    private func giveBack() {
        let held = state.withLock { state in
            defer { state.holdsConnection = false }
            return state.holdsConnection
        }
        if held { gate.limit.giveBack() }
    }

    deinit { giveBack() }
}
