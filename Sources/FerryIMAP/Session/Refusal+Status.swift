extension Refusal {
    init(_ status: StatusText) {
        let code = status.code?.name
        self.init(
            reason: code.flatMap { Self.reasons[$0] } ?? Self.reason(fromWords: status.text),
            isBad: status.condition == .bad,
            code: code, text: status.text)
    }

    /// RFC 9051 section 7.1, RFC 9208 (OVERQUOTA), RFC 7889 (TOOBIG); THROTTLED is Gmail's and Microsoft's.
    private static let reasons: [String: Reason] = [
        "OVERQUOTA": .overQuota, "TOOBIG": .tooBig, "TRYCREATE": .mailboxMissing, "NONEXISTENT": .mailboxMissing,
        "ALREADYEXISTS": .alreadyExists, "NOPERM": .noPermission, "LIMIT": .limit, "UNAVAILABLE": .unavailable,
        "INUSE": .inUse, "THROTTLED": .throttled, "OVERLOADED": .throttled,
        "AUTHENTICATIONFAILED": .authenticationFailed, "AUTHORIZATIONFAILED": .authorizationFailed,
        "EXPIRED": .expired, "PRIVACYREQUIRED": .privacyRequired, "CONTACTADMIN": .contactAdministrator,
        "EXPUNGEISSUED": .expungeIssued, "CORRUPTION": .corruption, "CLIENTBUG": .clientBug,
        "SERVERBUG": .serverBug, "CANNOT": .cannot,
    ]

    /// The words of servers that send no code, in lower case, as seen of Cyrus 3.6, Dovecot 2.3 and Courier.
    private static let words: [(part: String, reason: Reason)] = [
        ("over quota", .overQuota), ("quota exceeded", .overQuota), ("exceeds quota", .overQuota),
        ("too large", .tooBig), ("too big", .tooBig), ("does not exist", .mailboxMissing),
        ("doesn't exist", .mailboxMissing), ("already exists", .alreadyExists), ("permission denied", .noPermission),
        ("nul character", .unacceptable), ("bare newline", .unacceptable), ("invalid header", .unacceptable),
        ("invalid internal date", .unacceptable), ("invalid mailbox name", .unacceptable),
        ("invalid date", .unacceptable), ("zero byte", .unacceptable), ("empty message", .unacceptable),
        ("too many identical", .cannot), ("too many", .limit), ("try again", .unavailable),
        ("temporar", .unavailable),
    ]

    private static func reason(fromWords text: String) -> Reason {
        let text = text.lowercased()
        return words.first { text.contains($0.part) }?.reason ?? .other
    }

    /// The server means: not now.
    package var asksToWait: Bool { [.limit, .unavailable, .inUse, .throttled].contains(reason) }
}

extension IMAPError {
    /// A NO or BAD to a command; `command` is its name, as `UID FETCH`.
    static func refusal(of command: String, _ status: StatusText) -> IMAPError {
        let refusal = Refusal(status)
        let code = refusal.code.map { " [\($0)]" } ?? ""
        let answer = refusal.isBad ? "BAD" : "NO"
        return IMAPError(
            refusal.asksToWait ? .tryLater : .refused,
            "The server answered \(command) with \(answer)\(code): \(refusal.text)",
            refusal: refusal)
    }
}
