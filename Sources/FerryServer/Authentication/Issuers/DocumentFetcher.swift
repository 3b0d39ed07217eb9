import AsyncHTTPClient
import FerryCore
import NIOCore
import NIOHTTP1

/// Gets small JSON documents of issuers over HTTP. Bounded in time and size, follows no redirection, sends nothing but
/// the address. Futures, not tasks: a fetch belongs to everybody who waits for it, and to nobody who stops waiting.
final class DocumentFetcher: Sendable {
    struct Document: Sendable {
        var bytes: [UInt8]
        /// `max-age` of `Cache-Control` (RFC 9111 section 5.2.2), zero for `no-cache` and `no-store`; `nil`: not said.
        var maximumAge: Duration?
    }

    /// Discovery documents and key sets take 2 to 30 kB.
    static let maximumBytes = 256 << 10

    private let client: HTTPClient
    private let timeout: TimeAmount

    /// - Parameter timeout: from the first step to the last byte of one document.
    init(timeout: Duration) {
        self.timeout = .microseconds(timeout.wholeMicroseconds)
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow, timeout: .init(connect: self.timeout, read: self.timeout),
            decompression: .disabled)
        // A key set is fetched once in minutes; an idle connection would only be in the way of a restart.
        configuration.connectionPool.idleTimeout = .seconds(1)
        configuration.connectionPool.retryConnectionEstablishment = false
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    deinit { client.shutdown { _ in } }

    var eventLoop: any EventLoop { client.eventLoopGroup.any() }

    /// Fails with an `IssuerProblem` only.
    func document(at url: String) -> EventLoopFuture<Document> {
        let request: HTTPClient.Request
        do {
            request = try HTTPClient.Request(
                url: url, headers: ["Accept": "application/json", "User-Agent": "ferry"])
        } catch {
            return eventLoop.makeFailedFuture(IssuerProblem.unreachable(url: url, "not an address"))
        }
        let accumulator = ResponseAccumulator(request: request, maxBodySize: Self.maximumBytes)
        return client.execute(request: request, delegate: accumulator, deadline: .now() + timeout).futureResult
            .flatMapErrorThrowing { error in throw Self.problem(error, url) }
            .flatMapThrowing { response in
                guard response.status == .ok else {
                    throw IssuerProblem.status(url: url, Int(response.status.code))
                }
                return Document(
                    bytes: response.body.map { Array($0.readableBytesView) } ?? [],
                    maximumAge: Self.maximumAge(response.headers[canonicalForm: "cache-control"].map(String.init)))
            }
    }

    private static func problem(_ error: any Error, _ url: String) -> IssuerProblem {
        switch error {
        case is ResponseAccumulator.ResponseTooBigError: .tooLarge(url: url)
        case let error as HTTPClientError
        where [.deadlineExceeded, .connectTimeout, .readTimeout, .tlsHandshakeTimeout].contains(error):
            .timedOut(url: url)
        default: .unreachable(url: url, String("\(error)".prefix(200)))
        }
    }

    /// The first directive that says something, over all lines of the header.
    static func maximumAge(_ values: [String]) -> Duration? {
        for directive in values.flatMap({ $0.lowercased().split(separator: ",") }) {
            let name = directive.drop { $0 == " " }
            if name.hasPrefix("no-store") || name.hasPrefix("no-cache") { return .zero }
            if name.hasPrefix("max-age="), let seconds = Int64(name.dropFirst(8).prefix { $0.isNumber }) {
                return .seconds(min(seconds, 31_536_000))
            }
        }
        return nil
    }
}
