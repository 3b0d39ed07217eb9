import AsyncHTTPClient
package import NIOCore
import NIOHTTP1

/// One person's requests to one endpoint. Any number of tasks may use it at once.
package final class HTTPSession: Sendable {
    private let connections: HTTPConnections
    private let authentication: Authentication

    package init(_ connections: HTTPConnections, as credentials: HTTPCredentials) {
        self.connections = connections
        authentication = Authentication(credentials)
    }

    /// `https://host:port`, as requests have it.
    package var origin: String { connections.endpoint.origin }

    private var host: String { connections.endpoint.host }

    /// Sends a request and waits for the beginning of its answer. Answers a challenge, and sends once more what found
    /// its connection closed: everything sent here may be carried out twice.
    package func send(_ request: HTTPRequest) async throws(HTTPFailure) -> HTTPReply {
        var challenges = 0
        var isSecondTry = false
        while true {
            try await authentication.prepare()
            let authorization = authentication.authorization(method: request.method, uri: request.path)
            var outgoing = outgoing(request, authorization)
            outgoing.body = request.body.map { .bytes($0) }
            var reply: HTTPReply
            do throws(HTTPFailure) {
                reply = try await execute(outgoing)
            } catch {
                guard error.kind == .connectionLost, !isSecondTry else { throw error }
                isSecondTry = true
                continue
            }
            guard reply.head.status == 401, challenges < 2,
                try await authentication.isWorthAnotherTry(
                    after: reply.head.all("WWW-Authenticate"), sent: authorization)
            else { return reply }
            challenges += 1
            await reply.drain()
        }
    }

    /// Sends a request whose content comes from `body`, `length` bytes in all. Sent once only: a challenge is an
    /// answer as any other.
    package func send<Body: AsyncSequence & Sendable>(
        _ request: HTTPRequest, length: Int64, _ body: Body
    ) async throws(HTTPFailure) -> HTTPReply where Body.Element == ByteBuffer {
        try await authentication.prepare()
        var outgoing = outgoing(request, authentication.authorization(method: request.method, uri: request.path))
        outgoing.body = .stream(body, length: .known(length))
        return try await execute(outgoing)
    }

    /// Starts a request whose answer is read later, and held back when nobody reads it. Does not answer challenges:
    /// something else must have been asked before.
    package func download(_ request: HTTPRequest) throws(HTTPFailure) -> Download {
        do {
            var headers = HTTPHeaders(request.headers.map { ($0.name, $0.value) })
            headers.add(name: "User-Agent", value: "Ferry")
            if let authorization = authentication.authorization(method: request.method, uri: request.path) {
                headers.add(name: "Authorization", value: authorization)
            }
            let outgoing = try HTTPClient.Request(
                url: connections.endpoint.origin + request.path, method: HTTPMethod(rawValue: request.method),
                headers: headers, body: request.body.map { .byteBuffer($0) })
            return Download(outgoing, connections.client, host: host)
        } catch {
            throw HTTPFailure(error, host: host)
        }
    }

    private func outgoing(_ request: HTTPRequest, _ authorization: String?) -> HTTPClientRequest {
        var outgoing = HTTPClientRequest(url: connections.endpoint.origin + request.path)
        outgoing.method = HTTPMethod(rawValue: request.method)
        for (name, value) in request.headers { outgoing.headers.add(name: name, value: value) }
        outgoing.headers.add(name: "User-Agent", value: "Ferry")
        if let authorization { outgoing.headers.add(name: "Authorization", value: authorization) }
        return outgoing
    }

    private func execute(_ request: HTTPClientRequest) async throws(HTTPFailure) -> HTTPReply {
        do {
            // Silence is bounded by the connections' timeout; how long a large body takes is nobody's to say.
            return HTTPReply(try await connections.client.execute(request, deadline: .distantFuture), host: host)
        } catch {
            throw HTTPFailure(error, host: host)
        }
    }
}
