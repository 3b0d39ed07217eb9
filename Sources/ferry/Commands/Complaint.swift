import FerryStore

/// Exit codes, those of sysexits.h where it has a fitting one.
enum ExitReason: Int32, CaseIterable {
    case failed = 1
    /// The server said no: not found, wrong state, invalid values.
    case refused = 2
    case usage = 64
    case unreachable = 69
    /// Throttled or not ready; trying again later makes sense.
    case temporary = 75
    case unauthorized = 77
    case configuration = 78

    /// For the help texts.
    static let help = """
        Exit codes: 0 all is well; 1 failed; 2 refused by the server; 64 wrong usage; 69 server unreachable; \
        75 throttled or not ready, try again later; 77 not authorized; 78 configuration.
        """
}

/// An error in lines for people, and the exit code that belongs to it.
struct Complaint: Error {
    /// The first line names the trouble, the others say more about it.
    var lines: [String]
    var status: ExitReason

    init(_ line: String, status: ExitReason = .failed) {
        lines = [line]
        self.status = status
    }

    init(lines: [String], status: ExitReason) {
        self.lines = lines
        self.status = status
    }

    /// `nil` for errors that ArgumentParser shows itself.
    init?(_ error: any Error) {
        switch error {
        case let complaint as Complaint: self = complaint
        case let failure as APIFailure: self.init(failure)
        case let failure as ConfigurationFailure:
            self.init(lines: failure.problems.map(\.description), status: .configuration)
        case let failure as SystemFailure: self.init(failure.description)
        case let error as StoreError: self.init("The store: \(Self.words(for: error)).")
        case is CancellationError: self.init("Interrupted.")
        default: return nil
        }
    }

    private init(_ failure: APIFailure) {
        switch failure {
        case .refused(let refusal):
            var lines = ["\(refusal.code): \(refusal.message)"]
            if let target = refusal.target { lines.append("target: \(target)") }
            for detail in refusal.details {
                let place = detail.target.map { " (\($0))" } ?? ""
                // A detail often says the same as the error itself; then its code is enough.
                let message = detail.message == refusal.message ? "" : ": \(detail.message)"
                lines.append(detail.code + place + message)
            }
            if let seconds = refusal.retryAfterSeconds { lines.append("retry after: \(seconds) s") }
            if let id = refusal.requestID { lines.append("request-id: \(id)") }
            self.init(lines: lines, status: Self.status(for: refusal.status))
        case .unreachable(let server, let reason):
            self.init(
                lines: [
                    "Cannot reach \(server): \(reason).", "Start it with ferry serve, or name another with --server.",
                ],
                status: .unreachable)
        case .unintelligible(let server, let status, let reason):
            self.init(lines: ["\(server) answered \(status), but \(reason)."], status: .failed)
        }
    }

    static func status(for httpStatus: Int) -> ExitReason {
        switch httpStatus {
        case 401, 403: .unauthorized
        case 429, 503: .temporary
        case 400..<500: .refused
        default: .failed
        }
    }

    func print(on terminal: Terminal) {
        for (index, line) in lines.enumerated() {
            terminal.print(index == 0 ? "\(terminal.style(.red, "ferry:")) \(line)" : "  \(line)")
        }
    }
}

extension Complaint {
    init(_ error: StoreError, path: String) {
        self.init("The store \(path): \(Self.words(for: error))", status: .configuration)
    }

    static func words(for error: StoreError) -> String {
        switch error {
        case .unavailable(let text), .unusable(let text): text
        case .conflict: "somebody else changed the same thing"
        case .duplicateName: "the name is taken"
        case .leaseLost: "somebody else took over the work"
        case .closed: "it is closed"
        }
    }
}
