import FerryConnector
import Synchronization

/// What one person's requests carry as `Authorization`, learned from the server's challenges.
final class Authentication: Sendable {
    private enum Scheme {
        /// The server has not asked yet.
        case none
        case basic
        case digest(Digest)
        case bearer(Secret)
    }

    private let credentials: HTTPCredentials
    private let scheme = Mutex(Scheme.none)

    init(_ credentials: HTTPCredentials) { self.credentials = credentials }

    /// Gets what takes time to get; to be called before `authorization`.
    func prepare() async throws(HTTPFailure) {
        guard case .token(let user, let source) = credentials else { return }
        if case .bearer = scheme.withLock({ $0 }) { return }
        let token = try await source.token(for: user, rejected: nil)
        scheme.withLock { $0 = .bearer(token) }
    }

    /// For one request; `nil` while the server has not asked.
    func authorization(method: String, uri: String) -> String? {
        scheme.withLock { scheme in
            switch (scheme, credentials) {
            case (.basic, .password(let user, let password)):
                return "Basic " + Base64.encode("\(user):\(password.value)".utf8)
            case (.digest(var digest), .password(let user, let password)):
                let answer = digest.answer(user: user, password: password, method: method, uri: uri)
                scheme = .digest(digest)
                return answer
            case (.bearer(let token), _): return "Bearer \(token.value)"
            default: return nil
            }
        }
    }

    /// Takes a 401 in. Whether the request is worth another try; `sent` is what it carried.
    func isWorthAnotherTry(after challenges: [String], sent: String?) async throws(HTTPFailure) -> Bool {
        switch credentials {
        case .token(let user, let source):
            guard case .bearer(let token) = scheme.withLock({ $0 }) else { return false }
            // Somebody else of this session may have renewed it meanwhile.
            if sent == "Bearer \(token.value)" {
                let fresh = try await source.token(for: user, rejected: token)
                scheme.withLock { $0 = .bearer(fresh) }
            }
            return true
        case .password:
            let challenges = Challenge.parse(challenges)
            let digest = Digest(challenges)
            return scheme.withLock { scheme in
                if let digest {
                    // An answer was refused: worth another only where the nonce was too old (RFC 7616 section 3.3),
                    // which servers also say by just giving another one.
                    if case .digest(let old) = scheme, sent != nil, old.nonce == digest.nonce,
                        sent?.contains("nonce=\"\(digest.nonce)\"") == true
                    {
                        return false
                    }
                    scheme = .digest(digest)
                    return true
                }
                guard challenges.contains(where: { $0.scheme == "basic" }), sent?.hasPrefix("Basic ") != true else {
                    return false
                }
                scheme = .basic
                return true
            }
        }
    }
}

/// Base64 with padding (RFC 4648 section 4).
enum Base64 {
    static func encode(_ bytes: some Sequence<UInt8>) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text: [UInt8] = []
        var (word, bits): (UInt32, UInt32) = (0, 0)
        for byte in bytes {
            word = word << 8 | UInt32(byte)
            bits += 8
            while bits >= 6 {
                bits -= 6
                text.append(alphabet[Int(word >> bits & 63)])
            }
        }
        if bits > 0 { text.append(alphabet[Int(word << (6 - bits) & 63)]) }
        while !text.count.isMultiple(of: 4) { text.append(UInt8(ascii: "=")) }
        return String(decoding: text, as: UTF8.self)
    }
}
