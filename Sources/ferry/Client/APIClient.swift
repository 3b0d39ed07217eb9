import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import NIOSSL

/// Speaks with a Ferry server, or with anything else that has the same API.
///
/// Waits as `Retry-After` says on 429 and 503, three times at most; gives up on everything else at once, because the
/// server refuses before it has done anything only in these two cases.
struct APIClient: Sendable {
    /// An answer with a status below 300.
    struct Answer: Sendable {
        var status: Int
        var location: String?
        /// Exactly as it came.
        var body: [UInt8]

        func decoded<Body: Decodable>(as type: Body.Type = Body.self) throws -> Body {
            try JSONDecoder().decode(type, from: Data(body))
        }
    }

    /// `http://127.0.0.1:8080`, without a final slash.
    let server: String
    private let token: String
    private let tls: TLSConfiguration?
    private let clock: any Clock<Duration>

    private static let longestAnswerBytes = 64 << 20
    private static let timeout = TimeAmount.seconds(60)
    private static let downloadTimeout = TimeAmount.hours(6)
    private static let longestWait = 120

    /// Says at once that nobody is there, instead of trying until the time is over. Lives as long as the process.
    private static let http: HTTPClient = {
        var configuration = HTTPClient.Configuration.singletonConfiguration
        configuration.connectionPool.retryConnectionEstablishment = false
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    /// - Parameter tls: whom to trust with an `https` server; `nil`: whom the system trusts.
    init(
        server: String, token: String, tls: TLSConfiguration? = nil, clock: any Clock<Duration> = ContinuousClock()
    ) {
        self.server = server.hasSuffix("/") ? String(server.dropLast()) : server
        self.token = token
        self.tls = tls
        self.clock = clock
    }

    /// The collection of jobs.
    static let jobs = "/v1.0/solutions/migrations/crossTenantMigrationJobs"

    /// The path of a job, given by id or display name.
    static func job(_ key: String) -> String { "\(jobs)/\(escaped(key))" }

    /// Percent-encodes everything but the unreserved characters of RFC 3986 section 2.3.
    static func escaped(_ text: String) -> String {
        var output = ""
        for byte in text.utf8 {
            let scalar = Unicode.Scalar(byte)
            switch scalar {
            case "A"..."Z", "a"..."z", "0"..."9", "-", ".", "_", "~": output.unicodeScalars.append(scalar)
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                output += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return output
    }

    func get(_ path: String) async throws -> Answer { try await send(.GET, path) }

    func post(_ path: String, body: [UInt8]? = nil) async throws -> Answer { try await send(.POST, path, body: body) }

    func patch(_ path: String, body: [UInt8]) async throws -> Answer { try await send(.PATCH, path, body: body) }

    func delete(_ path: String) async throws -> Answer { try await send(.DELETE, path) }

    /// Hands an answer of any size on as it comes. What `take` throws ends the transfer.
    func download(_ path: String, take: ([UInt8]) throws -> Void) async throws {
        let response: HTTPClientResponse
        do {
            response = try await Self.http.execute(request(.GET, path), timeout: Self.downloadTimeout)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            throw APIFailure.unreachable(server: server, reason: Self.words(for: error))
        }
        guard response.status.code < 300 else {
            let body = try await response.body.collect(upTo: Self.longestAnswerBytes)
            throw failure(response, Array(body.readableBytesView))
        }
        for try await piece in response.body { try take(Array(piece.readableBytesView)) }
    }

    /// All pages of a collection, one after the other.
    func pages<Element: Decodable & Sendable>(
        of path: String, as element: Element.Type, follow: Bool, each: ([Element], Answer) throws -> Void
    ) async throws {
        var next: String? = path
        while let page = next {
            let answer = try await get(page)
            let body: CollectionBody<Element> = try decode(answer)
            try each(body.value, answer)
            next = follow ? body.nextLink : nil
        }
    }

    /// Reads an answer's JSON; what cannot be read is the server's fault and said so.
    func decode<Body: Decodable>(_ answer: Answer) throws -> Body {
        do {
            return try answer.decoded()
        } catch {
            throw APIFailure.unintelligible(
                server: server, status: answer.status, reason: "the body is not what Ferry sends")
        }
    }

    private func send(_ method: HTTPMethod, _ path: String, body: [UInt8]? = nil) async throws -> Answer {
        var attempt = 0
        while true {
            do {
                return try await sendOnce(method, path, body: body, attempt: attempt)
            } catch APIFailure.refused(let refusal) {
                guard let pause = Self.pause(after: refusal, attempt: attempt) else {
                    throw APIFailure.refused(refusal)
                }
                attempt += 1
                try await clock.sleep(for: pause)
            }
        }
    }

    /// How long to wait before the next try; `nil` when another one makes no sense. `attempt` counts from 0. Without a
    /// word of the server the pause doubles.
    static func pause(after refusal: APIFailure.Refusal, attempt: Int) -> Duration? {
        guard [429, 503].contains(refusal.status), attempt < 3 else { return nil }
        return .seconds(min(refusal.retryAfterSeconds ?? 2 << attempt, longestWait))
    }

    private func sendOnce(
        _ method: HTTPMethod, _ path: String, body: [UInt8]?, attempt: Int
    ) async throws -> Answer {
        var request = request(method, path)
        if attempt > 0 { request.headers.add(name: "Retry-Attempt", value: String(attempt)) }
        if let body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(body)
        }
        let response: HTTPClientResponse
        let buffer: ByteBuffer
        do {
            response = try await Self.http.execute(request, timeout: Self.timeout)
            buffer = try await response.body.collect(upTo: Self.longestAnswerBytes)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            throw APIFailure.unreachable(server: server, reason: Self.words(for: error))
        }
        let bytes = Array(buffer.readableBytesView)
        guard response.status.code < 300 else { throw failure(response, bytes) }
        return Answer(
            status: Int(response.status.code), location: response.headers.first(name: "Location"), body: bytes)
    }

    private func request(_ method: HTTPMethod, _ path: String) -> HTTPClientRequest {
        // A nextLink comes as a whole address.
        var request = HTTPClientRequest(url: path.hasPrefix("http") ? path : server + path)
        request.method = method
        request.tlsConfiguration = tls
        request.headers.add(name: "Authorization", value: "Bearer \(token)")
        request.headers.add(name: "Accept", value: "*/*")
        request.headers.add(name: "User-Agent", value: "ferry")
        return request
    }

    private func failure(_ response: HTTPClientResponse, _ body: [UInt8]) -> APIFailure {
        let status = Int(response.status.code)
        guard let content = (try? JSONDecoder().decode(ErrorBody.self, from: Data(body)))?.error else {
            return .unintelligible(
                server: server, status: status, reason: "the answer has no error body; is this a Ferry server?")
        }
        return .refused(
            APIFailure.Refusal(
                status: status, code: content.code, message: content.message, target: content.target,
                details: content.details ?? [],
                requestID: response.headers.first(name: "request-id") ?? content.innerError?.requestID,
                retryAfterSeconds: response.headers.first(name: "Retry-After").flatMap(Int.init)))
    }

    private static func words(for error: any Error) -> String {
        switch error {
        case let error as HTTPClientError
        where error == .connectTimeout || error == .readTimeout
            || error == .deadlineExceeded:
            "no answer in time"
        case let error as HTTPClientError where error == .invalidURL || error == .emptyScheme || error == .emptyHost:
            "the address is not a URL such as http://127.0.0.1:8080"
        case is NIOSSLError, is NIOSSLExtraError:
            "its certificate is not trusted or not for this name, or it does not speak TLS; give --ca its authority"
        case is HTTPClientError: "the connection broke: \(error)"
        default: "nobody answers there"
        }
    }
}
