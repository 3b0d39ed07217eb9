import Crypto
import FerryConnector

/// Answers to one nonce of a server (RFC 7616 section 3.4), with `qop=auth` or, for servers of RFC 2069, without.
struct Digest: Sendable {
    private enum Algorithm: String, Sendable {
        case md5 = "MD5"
        case md5Session = "MD5-sess"
        case sha256 = "SHA-256"
        case sha256Session = "SHA-256-sess"

        /// The stronger first.
        static let known: [Algorithm] = [.sha256, .sha256Session, .md5, .md5Session]

        var isSession: Bool { self == .md5Session || self == .sha256Session }

        func hash(_ text: String) -> String {
            let bytes = Array(text.utf8)
            return switch self {
            case .md5, .md5Session: Self.hexadecimal(Insecure.MD5.hash(data: bytes))
            case .sha256, .sha256Session: Self.hexadecimal(SHA256.hash(data: bytes))
            }
        }

        static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
            let digits = Array("0123456789abcdef".utf8)
            return String(
                decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
        }
    }

    private let realm: String
    let nonce: String
    private let opaque: String?
    private let algorithm: Algorithm
    private let namesAlgorithm: Bool
    private let hasQuality: Bool
    private var count = 0

    /// The best of the challenges that can be answered; `nil` where none can.
    init?(_ challenges: [Challenge]) {
        let offers = challenges.filter { $0.scheme == "digest" }
        for algorithm in Algorithm.known {
            for offer in offers {
                let name = offer.parameters["algorithm"] ?? Algorithm.md5.rawValue
                guard name.lowercased() == algorithm.rawValue.lowercased(), let realm = offer.parameters["realm"],
                    let nonce = offer.parameters["nonce"]
                else { continue }
                let qualities = offer.parameters["qop"]?.split { $0 == "," || $0 == " " }.map { $0.lowercased() }
                if let qualities, !qualities.contains("auth") { continue }
                self.realm = realm
                self.nonce = nonce
                opaque = offer.parameters["opaque"]
                self.algorithm = algorithm
                namesAlgorithm = offer.parameters["algorithm"] != nil
                hasQuality = qualities != nil
                return
            }
        }
        return nil
    }

    /// The value of `Authorization` for one more request. `uri` as it stands in the request line.
    mutating func answer(user: String, password: Secret, method: String, uri: String) -> String {
        count += 1
        let number = String(count, radix: 16)
        let nonceCount = String(repeating: "0", count: max(0, 8 - number.count)) + number
        // Nobody who lacks the password can foresee it, which is all that a client's nonce is for.
        let seal = HMAC<SHA256>.authenticationCode(
            for: Array("\(nonce):\(nonceCount)".utf8), using: SymmetricKey(data: Array(password.value.utf8)))
        let clientNonce = Algorithm.hexadecimal(seal.prefix(16))
        var secret = algorithm.hash("\(user):\(realm):\(password.value)")
        if algorithm.isSession { secret = algorithm.hash("\(secret):\(nonce):\(clientNonce)") }
        let request = algorithm.hash("\(method):\(uri)")
        let response =
            hasQuality
            ? algorithm.hash("\(secret):\(nonce):\(nonceCount):\(clientNonce):auth:\(request)")
            : algorithm.hash("\(secret):\(nonce):\(request)")
        var parts = [
            "username=\(Self.quoted(user))", "realm=\(Self.quoted(realm))", "nonce=\(Self.quoted(nonce))",
            "uri=\(Self.quoted(uri))", "response=\"\(response)\"",
        ]
        if namesAlgorithm { parts.append("algorithm=\(algorithm.rawValue)") }
        if let opaque { parts.append("opaque=\(Self.quoted(opaque))") }
        if hasQuality || algorithm.isSession { parts.append("cnonce=\"\(clientNonce)\"") }
        if hasQuality { parts += ["qop=auth", "nc=\(nonceCount)"] }
        return "Digest " + parts.joined(separator: ", ")
    }

    private static func quoted(_ text: String) -> String {
        "\"" + text.flatMap { $0 == "\"" || $0 == "\\" ? ["\\", $0] : [$0] } + "\""
    }
}
