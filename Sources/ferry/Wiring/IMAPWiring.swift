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
            case .token(let source): .tokens(StoredToken(source: source))
            }
        var options = SessionOptions()
        options.compress = location.compresses
        if let timeout = location.timeout { options.responseTimeout = timeout }
        var settings = IMAPSettings(
            endpoint: location.endpoint, entrance: entrance, options: options,
            login: { [user = location.user] account in user.login(of: account.person, named: account.login) })
        if let connections = location.connections { settings.connections = connections }
        if let readers = location.readers { settings.readers = readers }
        settings.sieve = location.sieve
        self.init(tenant: tenant, settings: settings, on: .singletonMultiThreadedEventLoopGroup)
    }
}

/// A bearer token that somebody else keeps fresh: read at each connect, so that a renewed one is used at once.
struct StoredToken: TokenSource {
    let source: SecretSource

    func token(for user: String, rejected: Secret?) async throws(IMAPError) -> Secret {
        let token: Secret?
        switch source {
        case .file(let path):
            let bytes = try? await NIOThreadPool.singleton.runIfActive { try LocalFile.contents(of: path) }
            token = bytes.flatMap { Secret(line: String(decoding: $0, as: UTF8.self)) }
        case .environment(let name):
            token = SystemEffects.environment(name).flatMap { Secret(line: $0) }
        }
        guard let token, token != rejected else {
            throw IMAPError(
                .authenticationFailed,
                token == nil
                    ? "There is no token where the configuration says. Put one there."
                    : "The server refused the token. Renew it where the configuration says that it is.")
        }
        return token
    }
}
