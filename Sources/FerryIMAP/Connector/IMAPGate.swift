import FerryConnector
import NIOCore
import Synchronization

/// The way into one endpoint: its limit, and what is known of the administrator's right to enter.
final class IMAPGate: Sendable {
    let settings: IMAPSettings
    let limit: ConnectionLimit
    private let group: any EventLoopGroup
    private let pace: ConnectPace
    /// The administrator has entered some mailbox: from then on a refusal is about the person.
    private let hasEntered = Mutex(false)

    init(_ settings: IMAPSettings, on group: any EventLoopGroup) {
        self.settings = settings
        self.group = group
        limit = ConnectionLimit(settings.connections)
        pace = ConnectPace(settings.clock)
    }

    /// `nil` where no ManageSieve is configured.
    func redirection(as credentials: IMAPCredentials) -> SieveRedirection? {
        settings.sieve.map {
            SieveRedirection(endpoint: $0, credentials: credentials, options: settings.options, group: group)
        }
    }

    /// - Parameter isPatient: waits while the endpoint turns connections away; else it is called at once.
    func connect(
        as credentials: IMAPCredentials, _ side: IMAPSide, isPatient: Bool
    ) async throws(ConnectorError) -> IMAPSession {
        let call = isPatient ? try await pace.begin() : pace.beginAtOnce()
        do throws(IMAPError) {
            let session = try await IMAPSession.connect(
                to: settings.endpoint, as: credentials, options: settings.options, on: group)
            pace.succeeded(call)
            hasEntered.withLock { $0 = true }
            return session
        } catch {
            switch error.kind {
            case .unreachable, .tryLater, .timedOut, .connectionLost: pace.failed(call)
            // It has an answer for us, if not the one that we want.
            case .authenticationFailed: pace.succeeded(call)
            default: break
            }
            if error.kind == .authenticationFailed, settings.entrance.isAdministrative, hasEntered.withLock({ $0 }) {
                throw ConnectorError(
                    side.notFound, .failRun,
                    "The server knows no mailbox of '\(credentials.user)'. Mend the login in the list of people, or"
                        + " create the mailbox.", underlying: error)
            }
            throw side.connection(error)
        }
    }
}
