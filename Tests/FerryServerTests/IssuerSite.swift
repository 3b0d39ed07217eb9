import Crypto
import CryptoExtras
import FerryAPI
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization

@testable import FerryServer

/// A key pair of an issuer.
enum IssuerKey: Sendable {
    case rsa(_RSA.Signing.PrivateKey)
    case p256(P256.Signing.PrivateKey)
    case p384(P384.Signing.PrivateKey)

    /// RSA keys take long to make, so there are two for all tests.
    static let rsaA = Swift.Result { IssuerKey.rsa(try _RSA.Signing.PrivateKey(keySize: .bits2048)) }
    static let rsaB = Swift.Result { IssuerKey.rsa(try _RSA.Signing.PrivateKey(keySize: .bits2048)) }

    /// The JWK of the public key, with more or other members.
    func jwk(_ id: String?, _ changes: [String: String] = [:]) throws -> String {
        var members: [String: String]
        switch self {
        case .rsa(let key):
            let numbers = try key.publicKey.getKeyPrimitives()
            members = [
                "kty": "RSA", "n": Base64URL.encode(Array(numbers.modulus)),
                "e": Base64URL.encode(Array(numbers.publicExponent)),
            ]
        case .p256(let key): members = Self.point("P-256", key.publicKey.rawRepresentation)
        case .p384(let key): members = Self.point("P-384", key.publicKey.rawRepresentation)
        }
        if let id { members["kid"] = id }
        members.merge(changes) { $1 }
        return "{" + members.map { "\"\($0)\":\"\($1)\"" }.sorted().joined(separator: ",") + "}"
    }

    private static func point(_ curve: String, _ raw: Data) -> [String: String] {
        let bytes = Array(raw)
        return [
            "kty": "EC", "crv": curve, "x": Base64URL.encode(Array(bytes.prefix(bytes.count / 2))),
            "y": Base64URL.encode(Array(bytes.suffix(bytes.count / 2))),
        ]
    }

    /// A token with these claims; `header` has more members for its head.
    func token(_ claims: String, _ algorithm: String, _ id: String?, header: String = "") throws -> String {
        let name = id.map { ",\"kid\":\"\($0)\"" } ?? ""
        let head = "{\"alg\":\"\(algorithm)\"\(name)\(header)}"
        let signed = "\(Base64URL.encode(Array(head.utf8))).\(Base64URL.encode(Array(claims.utf8)))"
        return "\(signed).\(Base64URL.encode(try signature(Array(signed.utf8), algorithm)))"
    }

    private func signature(_ bytes: [UInt8], _ algorithm: String) throws -> [UInt8] {
        switch (self, algorithm) {
        case (.p256(let key), _): return Array(try key.signature(for: bytes).rawRepresentation)
        case (.p384(let key), _): return Array(try key.signature(for: bytes).rawRepresentation)
        case (.rsa(let key), _):
            let padding: _RSA.Signing.Padding = algorithm.hasPrefix("PS") ? .PSS : .insecurePKCS1v1_5
            let signature =
                switch algorithm.suffix(3) {
                case "384": try key.signature(for: SHA384.hash(data: bytes), padding: padding)
                case "512": try key.signature(for: SHA512.hash(data: bytes), padding: padding)
                default: try key.signature(for: SHA256.hash(data: bytes), padding: padding)
                }
            return Array(signature.rawRepresentation)
        }
    }
}

/// An OpenID Connect issuer over HTTP whose keys and manners a test chooses, and that counts who asks.
final class IssuerSite: Sendable {
    struct Manners: Sendable {
        /// Texts of JWKs.
        var keys: [String] = []
        var cacheControl: String?
        var status = HTTPResponse.Status.ok
        /// Members of the discovery document that are added or replaced; an empty one is left out.
        var metadata: [String: String] = [:]
        /// What is sent before a document, which then is no longer one.
        var padding = 0
        /// Answers wait until the stream ends.
        var gate: AsyncStream<Void>?
    }

    private let boundPort = Mutex(0)
    let manners = Mutex(Manners())
    private let visits = Mutex<[String: Int]>([:])

    private init() {}

    var url: String { "http://127.0.0.1:\(boundPort.withLock { $0 })" }

    /// Times that a path ending like this was asked for.
    func visits(_ ending: String) -> Int {
        visits.withLock { $0.filter { $0.key.hasSuffix(ending) }.values.reduce(0, +) }
    }

    func publish(_ keys: String...) { manners.withLock { $0.keys = keys } }

    /// Runs the body beside an issuer, which gets a free port unless it is told one.
    static func run(port: Int = 0, _ body: @Sendable (IssuerSite) async throws -> Void) async throws {
        let site = IssuerSite()
        let (bound, isBound) = AsyncStream.makeStream(of: Void.self)
        var logger = Logger(label: "issuer")
        logger.logLevel = .critical
        let application = Application(
            responder: CallbackResponder { (request: Request, _: BasicRequestContext) in
                await site.answer(request)
            },
            configuration: .init(address: .hostname("127.0.0.1", port: port)),
            onServerRunning: { channel in
                site.boundPort.withLock { $0 = channel.localAddress?.port ?? 0 }
                isBound.yield()
            }, logger: logger)
        let group = ServiceGroup(configuration: .init(services: [application], logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                defer { isBound.finish() }
                try await group.run()
            }
            guard await bound.first(where: { true }) != nil else { throw Complaint(text: "the issuer did not start") }
            do {
                try await body(site)
            } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    private func answer(_ request: Request) async -> Response {
        let path = request.uri.path
        visits.withLock { $0[path, default: 0] += 1 }
        let manners = manners.withLock { $0 }
        if let gate = manners.gate { for await _ in gate {} }
        guard manners.status == .ok else {
            return Response(status: manners.status, headers: [.location: "\(url)/elsewhere"])
        }
        let discovery = "/.well-known/openid-configuration"
        let text: String
        if path.hasSuffix(discovery) {
            var members = [
                "issuer": url + path.dropLast(discovery.count), "jwks_uri": "\(url)/keys",
                "authorization_endpoint": "\(url)/authorize",
            ]
            members.merge(manners.metadata) { $1 }
            text = "{" + members.filter { !$1.isEmpty }.map { "\"\($0)\":\"\($1)\"" }.joined(separator: ",") + "}"
        } else if path == "/keys" {
            text = "{\"keys\":[\(manners.keys.joined(separator: ","))]}"
        } else {
            return Response(status: .notFound)
        }
        var headers: HTTPFields = [.contentType: "application/json"]
        headers[.cacheControl] = manners.cacheControl
        return Response(
            status: .ok, headers: headers,
            body: .init(byteBuffer: ByteBuffer(string: String(repeating: " ", count: manners.padding) + text)))
    }
}

/// A port of 127.0.0.1 that refuses connections and that nobody else gets, as long as this holds it: bound, and not
/// listened on.
final class RefusingPort: Sendable {
    let number: Int
    private let holder: Mutex<Int32>

    init() throws {
        let holder = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let found = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(holder, $0, size) == 0 && getsockname(holder, $0, &size) == 0
            }
        }
        self.holder = Mutex(holder)
        number = Int(UInt16(bigEndian: address.sin_port))
        guard found else { throw Complaint(text: "no free port: \(errno)") }
    }

    deinit { release() }

    /// From here on somebody may listen there.
    func release() {
        holder.withLock { holder in
            if holder >= 0 { _ = close(holder) }
            holder = -1
        }
    }
}
