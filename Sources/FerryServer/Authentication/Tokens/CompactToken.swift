import FerryAPI

/// A signed token in compact serialization (RFC 7515 section 3.1), taken apart. Nothing in it is to be believed before
/// `isSigned` has said yes.
struct CompactToken {
    let algorithm: SignatureAlgorithm
    /// `kid`.
    let keyID: String?
    /// The claims, as whoever made the token wrote them.
    let payload: JSONValue
    private let signature: [UInt8]
    private let signed: [UInt8]

    /// `typ` of access tokens: RFC 7519 section 5.1, RFC 9068 section 2.1. Other kinds of signed tokens (logout tokens,
    /// proofs of possession, security events) say what they are and are no access tokens (RFC 8725 section 3.11).
    private static let types: Set<String> = ["jwt", "at+jwt", "application/at+jwt"]

    /// Header parameters by which a token would bring its own key (RFC 7515 sections 4.1.2 to 4.1.6).
    private static let ownKeys = ["jku", "jwk", "x5u", "x5c"]

    /// Throws `Failure.unauthenticated` for what is no such token, for algorithms that are never accepted, and for
    /// headers that want to choose the key.
    init(_ token: String) throws(Failure) {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Self.object(parts[0]), let payload = Self.object(parts[1]),
            let signature = Base64URL.decode(parts[2])
        else { throw .unauthenticated(.malformed) }
        guard let algorithm = header["alg"]?.string.flatMap(SignatureAlgorithm.init(rawValue:)),
            header["crit"] == nil
        else { throw .unauthenticated(.algorithm) }
        guard !Self.ownKeys.contains(where: { header[$0] != nil }) else { throw .unauthenticated(.ownKey) }
        if let type = header["typ"] {
            guard let type = type.string, Self.types.contains(type.lowercased()) else {
                throw .unauthenticated(.malformed)
            }
        }
        if let keyID = header["kid"] {
            guard let keyID = keyID.string else { throw .unauthenticated(.malformed) }
            self.keyID = keyID
        } else {
            keyID = nil
        }
        self.algorithm = algorithm
        self.payload = payload
        self.signature = signature
        signed = Array(token.utf8.prefix(parts[0].utf8.count + 1 + parts[1].utf8.count))
    }

    /// Whether the key made the signature (RFC 7515 section 5.2).
    func isSigned(by key: SigningKey) -> Bool { key.isValid(signature, over: signed, by: algorithm) }

    private static func object(_ part: Substring) -> JSONValue? {
        guard let bytes = Base64URL.decode(part), let value = try? JSONParser.parse(bytes), case .object = value else {
            return nil
        }
        return value
    }
}
