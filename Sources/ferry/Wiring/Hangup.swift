import Dispatch
import Glibc

/// SIGHUP, by which an administrator says that files have changed. From the first call on it no longer ends the process.
enum Hangup {
    /// An element for each signal; those that come while nobody looks become one.
    static func signals() -> AsyncStream<Void> {
        AsyncStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
            signal(SIGHUP, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: SIGHUP, queue: .global())
            source.setEventHandler { [source] in
                // The handler keeps its source alive, as long as the process lives.
                if !source.isCancelled { continuation.yield() }
            }
            source.activate()
        }
    }
}
