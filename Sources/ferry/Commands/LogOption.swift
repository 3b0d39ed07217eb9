import ArgumentParser
import Logging

/// How much goes to standard error.
struct LogOption: ParsableArguments {
    enum Level: String, ExpressibleByArgument, CaseIterable, Sendable {
        case trace, debug, info, notice, warning, error, critical
    }

    @Option(help: "Least important kind of log line on standard error.")
    var logLevel: Level?

    func level(default standard: Logger.Level) -> Logger.Level {
        logLevel.flatMap { Logger.Level(rawValue: $0.rawValue) } ?? standard
    }
}
