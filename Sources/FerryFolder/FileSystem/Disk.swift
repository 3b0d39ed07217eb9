import FerryConnector
import NIOPosix

/// Where blocking calls are made: on NIO's pool, never on Swift's few cooperative threads.
enum Disk {
    /// Runs `body` on a pool thread and waits for it. A task that is cancelled while its turn has not come throws
    /// `.cancelled`; what has begun is finished.
    static func run<Value: Sendable>(
        _ body: @escaping @Sendable () throws(ConnectorError) -> Value
    ) async throws(ConnectorError) -> Value {
        let result: Result<Value, ConnectorError>
        do {
            result = try await NIOThreadPool.singleton.runIfActive {
                do throws(ConnectorError) { return .success(try body()) } catch { return .failure(error) }
            }
        } catch {
            // The pool itself refuses for two reasons only: our task is cancelled, or the process is going down.
            throw .cancelled
        }
        return try result.get()
    }
}
