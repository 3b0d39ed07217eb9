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
    /// Requests that suit the server at once.
    let width: Int

    init(_ http: HTTPSession, side: DAVSide, root: DAVPath, width: Int) {
        self.http = http
        self.side = side
        self.root = root
        self.width = max(1, width)
    }

    /// What an answer says that has no content of interest.
    func status(_ request: HTTPRequest) async throws(ConnectorError) -> HTTPReplyHead {
        do throws(HTTPFailure) {
            var reply = try await http.send(request)
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
            var reply = try await http.send(request)
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
        return try await multistatus(request, about: place, MultistatusParser.Limits(), take)
    }

    /// Sends a request that is answered by a multistatus, and gives each response to `take` as it arrives.
    /// - Parameter place: what it is about, for messages.
    func multistatus(
        _ request: HTTPRequest, about place: String, _ limits: MultistatusParser.Limits,
        _ take: (DAVResponse) throws(ConnectorError) -> Void
    ) async throws(ConnectorError) -> HTTPReplyHead {
        var reply: HTTPReply
        do throws(HTTPFailure) { reply = try await http.send(request) } catch { throw side.connection(error) }
        guard reply.head.status == 207 else {
            await reply.drain()
            return reply.head
        }
        let parser = MultistatusParser(limits: limits)
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
