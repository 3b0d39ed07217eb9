import FerryConnector
import FerryCore
import FerryIMAP
import NIOPosix

extension IMAPConnector {
    /// What the configuration says, as a connector.
    init(_ location: IMAPLocation, tenant: String) {
        let entrance: IMAPSettings.Entrance =
            switch location.entrance {
            case .passwords(let passwords): .passwords { passwords[$0] }
            case .password(let password): .passwords { _ in password }
            case .proxy(let administrator, let password): .proxy(administrator: administrator, password: password)
            case .master(let user, let separator, let password):
                .master(user: user, separator: separator, password: password)
            case .token(let source): .tokens(MailToken(source: source))
            }
        var options = SessionOptions()
        options.compress = location.compresses
        if let timeout = location.timeout { options.responseTimeout = timeout }
        var settings = IMAPSettings(
            endpoint: location.endpoint, entrance: entrance, options: options,
            login: { [user = location.user] account in user.login(of: account.person, named: account.login) })
        if let connections = location.connections { settings.connections = connections }
        if let readers = location.readers { settings.readers = readers }
        if let writers = location.writers { settings.writers = writers }
        settings.sieve = location.sieve
        self.init(tenant: tenant, settings: settings, on: .singletonMultiThreadedEventLoopGroup)
    }
}

/// A bearer token that somebody else keeps fresh.
struct MailToken: TokenSource {
    let source: SecretSource

    func token(for user: String, rejected: Secret?) async throws(IMAPError) -> Secret {
        do throws(StoredToken.Trouble) { return try await StoredToken(source: source).token(rejected: rejected) } catch
        {
            throw IMAPError(.authenticationFailed, error.message)
        }
    }
}
