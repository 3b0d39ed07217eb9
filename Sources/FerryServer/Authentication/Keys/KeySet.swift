import FerryAPI

/// The public keys of one issuer at one time (RFC 7517 section 5).
struct KeySet: Sendable {
    /// What a search found.
    enum Match: Sendable {
        case key(SigningKey)
        /// No key has the id.
        case unknown
        /// The key exists and is for another algorithm.
        case otherAlgorithm
    }

    /// Keys that can check signatures.
    let keys: [SigningKey]
    /// Keys that were published and are of no use here: for encryption, too small, malformed.
    let ignored: Int

    /// Keys that are read of a set; nobody has more.
    static let maximumKeys = 64

    init(keys: [SigningKey], ignored: Int = 0) {
        self.keys = keys
        self.ignored = ignored
    }

    /// Reads a JWK Set. A key of no use is skipped and counted, as RFC 7517 section 5 asks.
    /// Throws `IssuerProblem.notAKeySet` for anything that is no key set, and `noUsableKey` when nothing remains.
    init(jwks bytes: [UInt8]) throws(IssuerProblem) {
        guard let document = try? JSONParser.parse(bytes), case .array(let elements) = document["keys"],
            elements.count <= Self.maximumKeys
        else { throw .notAKeySet }
        keys = elements.compactMap { try? SigningKey(jwk: $0) }
        ignored = elements.count - keys.count
        guard !keys.isEmpty else { throw .noUsableKey(published: elements.count) }
    }

    /// The key that a token means. Without an id it is the only one that fits.
    func key(id: String?, for algorithm: SignatureAlgorithm) -> Match {
        let named = id.map { id in keys.filter { $0.id == id } } ?? keys
        guard !named.isEmpty else { return .unknown }
        let fitting = named.filter { $0.algorithms.contains(algorithm) }
        guard let key = fitting.first else { return .otherAlgorithm }
        return fitting.count == 1 ? .key(key) : .unknown
    }

    /// Whether both sets hold the same keys, in whatever order.
    func isSame(as other: KeySet) -> Bool { Set(keys.map(\.identity)) == Set(other.keys.map(\.identity)) }
}
