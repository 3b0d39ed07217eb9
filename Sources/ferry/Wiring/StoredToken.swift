import FerryConnector
import NIOPosix

/// A bearer token that somebody else keeps fresh: read whenever one is wanted, so that a renewed one is used at once.
struct StoredToken {
    struct Trouble: Error {
        /// What is wrong and how to mend it.
        var message: String
    }

    let source: SecretSource

    /// `rejected` is the one that the server just refused.
    func token(rejected: Secret?) async throws(Trouble) -> Secret {
        let token: Secret?
        switch source {
        case .file(let path):
            let bytes = try? await NIOThreadPool.singleton.runIfActive { try LocalFile.contents(of: path) }
            token = bytes.flatMap { Secret(line: String(decoding: $0, as: UTF8.self)) }
        case .environment(let name):
            token = SystemEffects.environment(name).flatMap { Secret(line: $0) }
        }
        guard let token else {
            throw Trouble(message: "There is no token where the configuration says. Put one there.")
        }
        guard token != rejected else {
            throw Trouble(
                message: "The server refused the token. Renew it where the configuration says that it is.")
        }
        return token
    }
}
