import Dispatch
import FerryCore
import Glibc
import Logging
import ServiceLifecycle

/// Ends the process when a graceful stop takes too long: a blocked thread must not keep an administrator waiting.
/// What was under way is as safe as after a crash: the last checkpoint counts.
struct Watchdog: Service {
    let patience: Duration
    let logger: Logger

    func run() async throws {
        try await gracefulShutdown()
        let seconds = Int(patience.inSeconds)
        // A queue of its own: the cooperative threads may be just what is blocked.
        DispatchQueue(label: "ferry.watchdog").asyncAfter(deadline: .now() + .seconds(seconds)) {
            logger.critical("the stop took too long, giving up", metadata: ["seconds": "\(seconds)"])
            _exit(ExitReason.failed.rawValue)
        }
    }
}
