import FerryConnector
import FerryCore
import FerryDAV
import FerryHTTP

extension DAVSettings {
    /// What the configuration says, as a connector takes it.
    init(_ location: DAVLocation) {
        self.init(
            endpoint: location.endpoint,
            root: { account in DAVPath(checking: location.names(account)) },
            credentials: { account in
                let user = location.user.login(of: account.person, named: account.login)
                switch location.entrance {
                case .password(let password): return .password(user: user, password: password)
                case .passwords(let passwords):
                    return passwords[user].map { .password(user: user, password: $0) }
                case .token(let source): return .token(user: user, source: WebToken(source: source))
                }
            })
        isPersonal = location.path.contains(where: \.isPersonal)
        if let connections = location.connections {
            self.connections = connections
            width = min(width, connections)
        }
        if let timeout = location.timeout { self.timeout = timeout }
        if let longest = location.longestPath { longestPath = longest }
    }
}

/// A bearer token that somebody else keeps fresh.
struct WebToken: BearerTokens {
    let source: SecretSource

    func token(for user: String, rejected: Secret?) async throws(HTTPFailure) -> Secret {
        do throws(StoredToken.Trouble) { return try await StoredToken(source: source).token(rejected: rejected) } catch
        {
            throw HTTPFailure(.authenticationFailed, error.message)
        }
    }
}
