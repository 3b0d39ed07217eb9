import FerryConnector
import FerryCore
import FerryHTTP

/// `webdav: { … }` of a tenant: where each person's resources are, and how they are entered.
struct DAVLocation: Hashable, Sendable {
    enum Entrance: Hashable, Sendable {
        /// By the user that is entered as.
        case passwords([String: Secret])
        /// One password for whoever is entered as.
        case password(Secret)
        /// A bearer token, read anew whenever the server refuses the last one.
        case token(SecretSource)
    }

    var endpoint: HTTPEndpoint
    /// The names of the path from the top down, each with what stands for the person.
    var path: [LoginTemplate]
    /// As whom the server is entered; one administrator for all, or everybody as themselves.
    var user: LoginTemplate
    var entrance: Entrance
    var connections: Int?
    var timeout: Duration?
    /// Bytes of the longest path of a file that the server takes.
    var longestPath: Int?

    /// A person's names of the path.
    func names(_ account: Account) -> [String] {
        path.map { $0.login(of: account.person, named: account.login) }
    }
}
