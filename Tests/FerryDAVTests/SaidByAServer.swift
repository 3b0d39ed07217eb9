import FerryConnector
import FerryHTTP
import FerryTestKit
import Foundation
import Synchronization

@testable import FerryDAV

/// A server on loopback that gives prepared answers to one connection, one after the other, for what no real server can be
/// made to say.
enum SaidByAServer {
    private static let most = 1 << 20
    private static let ends = ["</D:sync-collection>", "</D:propfind>", "</D:propertyupdate>"]

    /// Plays the answers, whole HTTP responses, while `body` asks; gives what came of it and the requests.
    static func play<Value: Sendable>(
        _ answers: [String], _ body: (DAVSession) async throws -> Value
    ) async throws -> (Value, [String]) {
        let listener = try LoopbackListener()
        defer { listener.close() }
        let endpoint = HTTPEndpoint(isEncrypted: false, host: "127.0.0.1", port: listener.port)
        let http = HTTPSession(
            HTTPConnections(endpoint, connections: 1, timeout: .seconds(20)),
            as: .password(user: "u", password: Secret("p")))
        let talker = Talker(listener: listener.descriptor, answers: answers)
        Thread(block: { talker.run() }).start()
        let value = try await body(DAVSession(http, side: .source, root: DAVPath(), pace: Pace(width: 1, limit: 1)))
        return (value, talker.asked)
    }

    private final class Talker: Sendable {
        private let listener: Int32
        private let answers: [String]
        private let requests = Mutex<[String]>([])

        init(listener: Int32, answers: [String]) {
            self.listener = listener
            self.answers = answers
        }

        var asked: [String] { requests.withLock { $0 } }

        func run() {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else { return }
            defer { close(connection) }
            for answer in answers {
                guard let request = read(connection) else { return }
                requests.withLock { $0.append(request) }
                let bytes = Array(answer.utf8)
                guard send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else { return }
            }
            _ = read(connection)
        }

        /// One request with its content; `nil` at the end.
        private func read(_ connection: Int32) -> String? {
            var bytes: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 65_536)
            while bytes.count < SaidByAServer.most {
                let count = recv(connection, &chunk, chunk.count, 0)
                guard count > 0 else { return nil }
                bytes += chunk[..<count]
                // Every request of these tests has a body that ends with its root element.
                let text = String(decoding: bytes, as: UTF8.self)
                if SaidByAServer.ends.contains(where: text.hasSuffix) { return text }
            }
            return nil
        }
    }
}
