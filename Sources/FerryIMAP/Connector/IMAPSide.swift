import FerryConnector
import FerryCore

// The one place where a server's answers become a connector's errors: which code, and what the engine does next.

/// Whether a session reads or writes; decides between `source.…` and `target.…` codes.
enum IMAPSide: Sendable, Hashable {
    case source, target

    private var unreachable: ErrorCode { self == .source ? .sourceUnreachable : .targetUnreachable }
    private var forbidden: ErrorCode { self == .source ? .sourceForbidden : .targetForbidden }
    private var throttled: ErrorCode { self == .source ? .sourceThrottled : .targetThrottled }
    private var authRejected: ErrorCode { self == .source ? .sourceAuthRejected : .targetAuthRejected }
    /// The target has no code for an account that is not there; a login that it refuses says the same.
    var notFound: ErrorCode { self == .source ? .sourceNotFound : .targetAuthRejected }

    /// The session as a whole cannot go on.
    func connection(_ error: IMAPError) -> ConnectorError {
        switch error.kind {
        case .cancelled: .cancelled
        case .unreachable, .connectionLost, .timedOut, .protocolViolation:
            ConnectorError(unreachable, .retry(after: nil), error.message, underlying: error)
        case .insecure: ConnectorError(unreachable, .hold, error.message, underlying: error)
        case .authenticationFailed: ConnectorError(authRejected, .hold, error.message, underlying: error)
        case .sizeMismatch: ConnectorError(.sourceItemMalformed, .retry(after: nil), error.message, underlying: error)
        case .tryLater: ConnectorError(throttled, .retry(after: nil), error.message, underlying: error)
        case .unsupported: ConnectorError(unreachable, .failRun, error.message, underlying: error)
        case .refused: refused(error)
        }
    }

    private func refused(_ error: IMAPError) -> ConnectorError {
        switch error.refusal?.reason {
        case .noPermission, .authorizationFailed, .privacyRequired, .contactAdministrator, .expired:
            ConnectorError(forbidden, .failRun, error.message, underlying: error)
        case .authenticationFailed: ConnectorError(authRejected, .hold, error.message, underlying: error)
        case .limit, .unavailable, .inUse, .throttled:
            ConnectorError(throttled, .retry(after: nil), error.message, underlying: error)
        case .overQuota:
            ConnectorError(
                self == .source ? .sourceUnreachable : .targetFull, .retry(after: nil), error.message,
                underlying: error)
        default:
            ConnectorError(unreachable, .retry(after: nil), error.message, underlying: error)
        }
    }

    /// A mailbox could not be opened or asked. Never taken for "empty", which would remove the copy.
    func container(_ error: IMAPError, _ name: MailboxName) -> ConnectorError {
        guard error.kind == .refused, let refusal = error.refusal else { return connection(error) }
        let folder = "The folder '\(name.printable)'"
        switch refusal.reason {
        case .mailboxMissing:
            return ConnectorError(
                self == .source ? .sourceChangedIdentity : .targetConflict, .retry(after: nil),
                "\(folder) went away meanwhile.", underlying: error)
        case .noPermission, .authorizationFailed:
            return ConnectorError(
                forbidden, .failRun,
                "\(folder) cannot be \(self == .source ? "read" : "written"): \(refusal.text). Give the account that"
                    + " Ferry uses the right to (RFC 4314: \(self == .source ? "l and r" : "l, r, s, w, i, t and e")).",
                underlying: error)
        default:
            return connection(error)
        }
    }
}

extension ConnectorError {
    /// One message that the target refused, or everything, by its disposition.
    static func append(_ refusal: Refusal, of header: ItemHeader, to folder: MailboxName) -> ConnectorError {
        let message = "The message \(header.name)"
        let said = "the target said: \(refusal.text)"
        switch refusal.reason {
        case .overQuota:
            return ConnectorError(
                .targetFull, .retry(after: nil),
                "\(message) of \(header.size) bytes does not fit into the mailbox any more; \(said). Raise the quota,"
                    + " then retry.")
        case .tooBig:
            return ConnectorError(
                .targetItemTooLarge, .skip,
                "\(message) of \(header.size) bytes is larger than the target takes; \(said). Raise the target's limit,"
                    + " or move the message by hand.")
        case .noPermission, .authorizationFailed:
            return ConnectorError(
                .targetForbidden, .failRun,
                "Nothing may be written into '\(folder.printable)'; \(said). Give the account that Ferry uses the"
                    + " right i (RFC 4314).")
        case .mailboxMissing:
            return ConnectorError(
                .targetConflict, .retry(after: nil),
                "The folder '\(folder.printable)' went away while it was written; Ferry makes it again.")
        case .limit, .unavailable, .inUse, .throttled:
            return ConnectorError(.targetThrottled, .retry(after: nil), "The target takes no more just now; \(said).")
        case .serverBug, .corruption:
            return ConnectorError(
                .targetItemRefused, .retry(after: nil),
                "\(message) could not be written; \(said). Look into the target's log.")
        default:
            return ConnectorError(
                .targetItemRefused, .skip,
                "\(message) is not accepted; \(said). Repair the message at the source, or move it by hand.")
        }
    }

    /// Concerns the whole batch, so there is no use in looking for one message that is to blame.
    var stopsBatch: Bool {
        switch code {
        case .targetForbidden, .targetConflict, .targetThrottled, .targetUnreachable: true
        default: false
        }
    }
}

extension MailboxName {
    /// For messages to people: decoded where that is possible, without control characters.
    var printable: String {
        let text = text(utf8: false) ?? String(decoding: bytes, as: UTF8.self)
        return String(String.UnicodeScalarView(text.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }))
    }
}
