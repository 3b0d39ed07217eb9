import FerryConnector
import FerryCore
import FerryHTTP
import NIOCore

/// One person's resources on a WebDAV server (RFC 4918). Any number of tasks may use it at once.
final class DAVSession: Sendable {
    let http: HTTPSession
    let side: DAVSide
    /// The person's own collection.
    let root: DAVPath
    let pace: Pace

    init(_ http: HTTPSession, side: DAVSide, root: DAVPath, pace: Pace) {
        self.http = http
        self.side = side
        self.root = root
        self.pace = pace
    }

    /// Requests that suit the server at once.
    var width: Int { pace.width }

    /// Sends a request, and learns from how it is answered.
    func send(_ request: HTTPRequest) async throws(HTTPFailure) -> HTTPReply {
        do throws(HTTPFailure) {
            let reply = try await http.send(request)
            pace.note(reply.head.status)
            return reply
        } catch {
            if error.kind == .timedOut || error.kind == .connectionLost { pace.trouble() }
            throw error
        }
    }

    /// What an answer says that has no content of interest.
    func status(_ request: HTTPRequest) async throws(ConnectorError) -> HTTPReplyHead {
        do throws(HTTPFailure) {
            var reply = try await send(request)
            await reply.drain()
            return reply.head
        } catch {
            throw side.connection(error)
        }
    }

    /// `path` below the person's root, as it goes into a request line.
    func address(_ path: DAVPath, isCollection: Bool = false) -> String {
        root.appending(path).encoded(isCollection: isCollection)
    }

    /// What an answer says, and why, where it is a refusal.
    func answer(_ request: HTTPRequest) async throws(ConnectorError) -> (head: HTTPReplyHead, refusal: Refusal) {
        do throws(HTTPFailure) {
            var reply = try await send(request)
            guard [400, 403, 409, 507].contains(reply.head.status) else {
                await reply.drain()
                return (reply.head, Refusal())
            }
            let content = try await reply.collect(limit: 1 << 20)
            return (reply.head, ConditionReader.refusal(in: content))
        } catch {
            throw side.connection(error)
        }
    }

    /// Asks for properties. Gives each response to `take` as it arrives; anything but a multistatus is the head alone.
    func propfind(
        _ path: DAVPath, isCollection: Bool = true, depth: Int, _ body: String,
        _ take: (DAVResponse) throws(ConnectorError) -> Void
    ) async throws(ConnectorError) -> HTTPReplyHead {
        let request = HTTPRequest(
            "PROPFIND", address(path, isCollection: isCollection),
            headers: [("Depth", "\(depth)"), ("Content-Type", "application/xml; charset=utf-8")],
            body: ByteBuffer(string: body))
        let place = path.names.isEmpty ? "the person's folder" : "'\(path.text.printable(limit: 400))'"
        return try await multistatus(request, about: place, MultistatusParser(), take)
    }

    /// Sends a request that is answered by a multistatus, and gives each response to `take` as it arrives.
    /// - Parameters:
    ///   - place: what it is about, for messages.
    ///   - parser: a fresh one; afterwards it knows what the multistatus as a whole said.
    func multistatus(
        _ request: HTTPRequest, about place: String, _ parser: MultistatusParser,
        _ take: (DAVResponse) throws(ConnectorError) -> Void
    ) async throws(ConnectorError) -> HTTPReplyHead {
        var reply: HTTPReply
        do throws(HTTPFailure) { reply = try await send(request) } catch { throw side.connection(error) }
        guard reply.head.status == 207 else {
            await reply.drain()
            return reply.head
        }
        while true {
            let piece: ByteBuffer?
            do throws(HTTPFailure) { piece = try await reply.next() } catch { throw side.connection(error) }
            let responses: [DAVResponse]
            do throws(XMLFailure) {
                guard let piece else {
                    try parser.finish()
                    return reply.head
                }
                responses = try parser.feed(piece)
            } catch {
                throw side.malformed(place, error)
            }
            for response in responses { try take(response) }
        }
    }
}
