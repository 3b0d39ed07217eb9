import FerryConnector
import FerryCore
import FerryHTTP

// The one place where a server's answers become a connector's errors: which code, and what the engine does next.

/// Whether a session reads or writes; decides between `source.…` and `target.…` codes.
enum DAVSide: Sendable, Hashable {
    case source, target

    private var unreachable: ErrorCode { self == .source ? .sourceUnreachable : .targetUnreachable }
    private var forbidden: ErrorCode { self == .source ? .sourceForbidden : .targetForbidden }
    private var throttled: ErrorCode { self == .source ? .sourceThrottled : .targetThrottled }
    var authRejected: ErrorCode { self == .source ? .sourceAuthRejected : .targetAuthRejected }

    /// There is no answer at all.
    func connection(_ failure: HTTPFailure) -> ConnectorError {
        switch failure.kind {
        case .cancelled: .cancelled
        case .unreachable, .connectionLost, .timedOut, .malformed:
            ConnectorError(unreachable, .retry(after: nil), failure.message, underlying: failure)
        case .insecure: ConnectorError(unreachable, .hold, failure.message, underlying: failure)
        case .authenticationFailed: ConnectorError(authRejected, .hold, failure.message, underlying: failure)
        }
    }

    func malformed(_ place: String, _ failure: XMLFailure) -> ConnectorError {
        ConnectorError(
            unreachable, .retry(after: nil),
            "The server's answer about \(place) is not the XML that WebDAV has: \(failure). Look into its log.",
            underlying: failure)
    }

    /// An answer that concerns everything; `nil` when it may be about the one resource.
    func general(_ head: HTTPReplyHead) -> ConnectorError? {
        switch head.status {
        case 401:
            ConnectorError(
                authRejected, .hold, "The server refuses the login. Mend the password or token, then retry.")
        case 429, 503:
            ConnectorError(
                throttled, .retry(after: Self.pause(head)), "The server asks to come back later (\(head.status)).")
        case 500, 502, 504:
            ConnectorError(
                unreachable, .retry(after: Self.pause(head)),
                "The server failed with status \(head.status). Look into its log.")
        case 300..<400:
            ConnectorError(
                unreachable, .failRun,
                "The server is elsewhere (status \(head.status)). Write its new address into the configuration.")
        case 507 where self == .target:
            ConnectorError(.targetFull, .hold, "There is no room left at the target. Make room, then retry.")
        default: nil
        }
    }

    /// A folder could not be listed. Never taken for "empty", which would remove the copy.
    func folder(_ head: HTTPReplyHead, _ place: String) -> ConnectorError {
        if let error = general(head) { return error }
        switch head.status {
        case 403:
            return ConnectorError(
                forbidden, .failRun, "\(place) cannot be read. Give the account that Ferry uses the right to.")
        case 404, 410:
            return ConnectorError(
                self == .source ? .sourceNotFound : .targetConflict,
                self == .source ? .failRun : .retry(after: nil), "\(place) does not exist.")
        default:
            return ConnectorError(
                unreachable, .failRun,
                "\(place) cannot be listed (status \(head.status)). Does the server speak WebDAV at this address?")
        }
    }

    /// `Retry-After` in seconds (RFC 9110 section 10.2.3), at most an hour; dates are not looked at, the engine's own
    /// pace is as good a guess.
    static func pause(_ head: HTTPReplyHead) -> Duration? {
        head["Retry-After"].flatMap { Int64($0.trimmingBlanks) }.map { .seconds(min(max(0, $0), 3_600)) }
    }
}

extension ConnectorError {
    /// One item of the source could not be read; the pass goes on without it, or, by its disposition, cannot.
    static func sourceFile(_ head: HTTPReplyHead, _ place: String) -> ConnectorError {
        if let error = DAVSide.source.general(head) { return error }
        switch head.status {
        case 404, 410:
            return ConnectorError(.sourceItemVanished, .skip, "\(place) went away while it was read.")
        case 403:
            return ConnectorError(
                .sourceForbidden, .skip, "\(place) cannot be read. Give the account that Ferry uses the right to.")
        default:
            return ConnectorError(
                .sourceItemUnreadable, .retry(after: nil),
                "\(place) cannot be read: the server answers with status \(head.status).")
        }
    }

    /// One item could not be written, or, by its disposition, no further item can.
    static func targetFile(_ head: HTTPReplyHead, _ place: String) -> ConnectorError {
        if let error = DAVSide.target.general(head) { return error }
        switch head.status {
        case 413:
            return ConnectorError(
                .targetItemTooLarge, .skip, "\(place) is larger than the target takes. Raise the target's limit.")
        case 400, 403, 405, 414:
            return ConnectorError(
                .targetNameRefused, .skip,
                "The target does not take \(place) (status \(head.status)): it refuses the name, or the right to write"
                    + " there. Rename it at the source, or give the account that Ferry uses the right to.")
        case 404, 409:
            return ConnectorError(
                .targetConflict, .retry(after: nil), "The folder of \(place) is not there any more.")
        case 412:
            return ConnectorError(.targetConflict, .retry(after: nil), "\(place) was changed at the target meanwhile.")
        case 207, 423:
            return ConnectorError(
                .targetConflict, .retry(after: nil), "\(place) is locked at the target. Have it closed there.")
        default:
            return ConnectorError(
                .targetItemRefused, .skip, "The target does not take \(place): status \(head.status).")
        }
    }

    /// Whether the rest of a batch may go on after this failure of one item.
    var concernsOneItemOnly: Bool {
        switch disposition {
        case .skip: true
        case .retry: code == .targetConflict || code == .sourceItemUnreadable
        default: false
        }
    }
}

extension HTTPReplyHead {
    /// Whether something was done that was asked for. A multistatus says of an order that it was not carried out, or not
    /// wholly (RFC 4918 section 13): so Apache refuses what is new in a locked folder.
    var isDone: Bool { (200..<300).contains(status) && status != 207 }
}

extension ItemHeader {
    /// For messages to people: the name comes from outside, so it is cut and made printable.
    var printableName: String { "'\(name.printable(limit: 400))'" }
}

extension String {
    func printable(limit: Int) -> String {
        var text = String.UnicodeScalarView()
        for scalar in unicodeScalars.prefix(limit) {
            text.append(scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) ? "\u{FFFD}" : scalar)
        }
        return String(text)
    }
}
