import FerryFormats

/// Turns the bytes of one complete response into a value. Lenient where servers are known to be sloppy and nothing is
/// lost by it; what it cannot read it refuses rather than guesses.
struct ResponseParser {
    var scanner: WireScanner

    init(_ bytes: UnsafeBufferPointer<UInt8>, limits: WireLimits) {
        scanner = WireScanner(bytes, limits: limits)
    }

    /// `bytes` is the response without its last line break.
    static func parse(_ bytes: UnsafeBufferPointer<UInt8>, limits: WireLimits) throws(WireError) -> Response {
        var parser = ResponseParser(bytes, limits: limits)
        return try parser.response()
    }

    private mutating func response() throws(WireError) -> Response {
        if scanner.take(UInt8(ascii: "+")) { return .continuation }
        guard scanner.take(UInt8(ascii: "*")) else {
            let tag = scanner.token()
            guard !tag.isEmpty, scanner.take(0x20) else { throw scanner.malformed("a tag or '*'") }
            let text = scanner.text(tag)
            scanner.skipSpaces()
            guard let condition = condition(scanner.token()) else { throw scanner.malformed("OK, NO or BAD") }
            return .tagged(tag: text, statusText(condition))
        }
        scanner.skipSpaces()
        if let digit = scanner.next, digit >= 0x30, digit <= 0x39 { return try numbered() }
        let name = scanner.token()
        if let condition = condition(name) { return .status(statusText(condition)) }
        scanner.skipSpaces()
        return try data(name)
    }

    /// `* 23 EXISTS` and its like.
    private mutating func numbered() throws(WireError) -> Response {
        let number = try scanner.number32()
        scanner.skipSpaces()
        let name = scanner.token()
        if scanner.matches(name, "FETCH") {
            scanner.skipSpaces()
            try scanner.expect(UInt8(ascii: "("), "'(' after FETCH")
            var message = FetchedMessage(sequence: number)
            guard try fetchAttributes(into: &message) == nil else { throw scanner.malformed("the bytes of a literal") }
            return .fetch(message)
        }
        if scanner.matches(name, "EXISTS") { return .exists(number) }
        if scanner.matches(name, "RECENT") { return .recent(number) }
        if scanner.matches(name, "EXPUNGE") { return .expunge(number) }
        return .unknown(scanner.uppercasedText(name))
    }

    private mutating func data(_ name: Range<Int>) throws(WireError) -> Response {
        switch scanner.uppercasedText(name) {
        case "LIST": return .list(try listedMailbox())
        case "LSUB": return .lsub(try listedMailbox())
        case "STATUS": return try mailboxStatus()
        case "SEARCH": return try search()
        case "ESEARCH": return try extendedSearch()
        case "VANISHED": return try vanished()
        case "CAPABILITY": return .capability(words())
        case "ENABLED": return .enabled(words())
        case "FLAGS": return .flags(try flags())
        case "NAMESPACE": return try namespace()
        case "QUOTA": return try quota()
        case "QUOTAROOT": return try quotaRoot()
        case "ACL": return try acl()
        case "MYRIGHTS": return try myRights()
        case "METADATA": return try metadata()
        case "ID": return try identity()
        case let other: return .unknown(other)
        }
    }

    // MARK: mailboxes

    mutating func mailboxName() throws(WireError) -> MailboxName {
        scanner.skipSpaces()
        return MailboxName(wire: try scanner.astring())
    }

    private mutating func listedMailbox() throws(WireError) -> ListedMailbox {
        try scanner.expect(UInt8(ascii: "("), "attributes in parentheses")
        var attributes = ListedMailbox.Attributes()
        while let word = listElement() { attributes.formUnion(attribute(word)) }
        scanner.skipSpaces()
        var separator: UInt8?
        if !scanner.takeNil() {
            let text = try scanner.string()
            guard text.count <= 1 else { throw scanner.malformed("a separator of one character") }
            separator = text.first
        }
        let name = try mailboxName()
        // What follows (CHILDINFO, OLDNAME) says nothing that is needed.
        return ListedMailbox(name: name, separator: separator, attributes: attributes)
    }

    private func attribute(_ word: Range<Int>) -> ListedMailbox.Attributes {
        switch scanner.uppercasedText(word) {
        case "\\NOSELECT": .noSelect
        case "\\NONEXISTENT": .nonExistent
        case "\\NOINFERIORS": .noInferiors
        case "\\HASCHILDREN": .hasChildren
        case "\\HASNOCHILDREN": .hasNoChildren
        case "\\SUBSCRIBED": .subscribed
        case "\\REMOTE": .remote
        case "\\MARKED": .marked
        case "\\UNMARKED": .unmarked
        case "\\ALL", "\\ALLMAIL": .all
        case "\\ARCHIVE": .archive
        case "\\DRAFTS": .drafts
        case "\\FLAGGED", "\\STARRED": .flagged
        case "\\JUNK", "\\SPAM": .junk
        case "\\SENT": .sent
        case "\\TRASH": .trash
        case "\\IMPORTANT": .important
        default: []
        }
    }

    private mutating func mailboxStatus() throws(WireError) -> Response {
        let name = try mailboxName()
        scanner.skipSpaces()
        try scanner.expect(UInt8(ascii: "("), "status items in parentheses")
        var status = MailboxStatus()
        while let item = listElement() {
            scanner.skipSpaces()
            let name = scanner.uppercasedText(item)
            guard let digit = scanner.next, digit >= 0x30, digit <= 0x39 else {
                try scanner.skipValue()
                continue
            }
            let value = scanner.lenientNumber()
            let short = value.flatMap { UInt32(exactly: $0) }
            switch name {
            case "MESSAGES": status.messages = short
            case "UIDNEXT": status.uidNext = short
            case "UIDVALIDITY": status.uidValidity = short
            case "UNSEEN": status.unseen = short
            case "HIGHESTMODSEQ": status.highestModSeq = value
            case "SIZE": status.size = value
            case "RECENT": status.recent = short
            case "DELETED": status.deleted = short
            default: break
            }
        }
        return .mailboxStatus(name, status)
    }

    // MARK: sets

    private mutating func search() throws(WireError) -> Response {
        var numbers = [UID]()
        while true {
            scanner.skipSpaces()
            guard let digit = scanner.next, digit >= 0x30, digit <= 0x39 else { break }
            let uid = try scanner.number32()
            guard uid > 0 else { throw scanner.malformed("a UID above 0") }
            numbers.append(uid)
        }
        // `(MODSEQ 123)` may follow (RFC 7162 section 3.1.5).
        guard scanner.isAtEnd || scanner.next == UInt8(ascii: "(") else { throw scanner.malformed("numbers") }
        return .search(UIDSet(numbers))
    }

    private mutating func extendedSearch() throws(WireError) -> Response {
        var tag: String?
        if scanner.take(UInt8(ascii: "(")) {
            let word = scanner.token()
            guard scanner.matches(word, "TAG") else { throw scanner.malformed("TAG") }
            scanner.skipSpaces()
            tag = String(decoding: try scanner.astring(), as: UTF8.self)
            try scanner.expect(UInt8(ascii: ")"), "')' after a tag")
        }
        var found = UIDSet()
        while true {
            scanner.skipSpaces()
            guard !scanner.isAtEnd else { break }
            let name = scanner.token()
            guard !name.isEmpty else { throw scanner.malformed("a search result's name") }
            if scanner.matches(name, "UID") { continue }
            scanner.skipSpaces()
            if scanner.matches(name, "ALL") {
                found = try scanner.uidSet()
            } else {
                try scanner.skipValue()
            }
        }
        return .extendedSearch(tag: tag, found)
    }

    private mutating func vanished() throws(WireError) -> Response {
        var earlier = false
        if scanner.take(UInt8(ascii: "(")) {
            let word = scanner.token()
            guard scanner.matches(word, "EARLIER") else { throw scanner.malformed("EARLIER") }
            earlier = true
            try scanner.expect(UInt8(ascii: ")"), "')' after EARLIER")
            scanner.skipSpaces()
        }
        return .vanished(earlier: earlier, try scanner.uidSet())
    }

    // MARK: lists of words

    /// The rest, word by word, in capitals.
    mutating func words() -> [String] {
        var words = [String]()
        while true {
            scanner.skipSpaces()
            let word = scanner.token()
            guard !word.isEmpty else { return words }
            words.append(scanner.uppercasedText(word))
        }
    }

    /// The next element of a list of atoms; `nil` once its closing parenthesis (or the end) is passed.
    mutating func listElement() -> Range<Int>? {
        while true {
            scanner.skipSpaces()
            guard let byte = scanner.next else { return nil }
            if scanner.take(UInt8(ascii: ")")) { return nil }
            let word = scanner.token()
            if !word.isEmpty { return word }
            // A quote or parenthesis that does not belong here.
            _ = byte
            scanner.advance()
        }
    }

    mutating func flags() throws(WireError) -> MessageFlags {
        try scanner.expect(UInt8(ascii: "("), "flags in parentheses")
        var flags = MessageFlags()
        while let word = listElement() {
            if scanner.matches(word, "\\SEEN") {
                flags.system.insert(.seen)
            } else if scanner.matches(word, "\\ANSWERED") {
                flags.system.insert(.answered)
            } else if scanner.matches(word, "\\FLAGGED") {
                flags.system.insert(.flagged)
            } else if scanner.matches(word, "\\DELETED") {
                flags.system.insert(.deleted)
            } else if scanner.matches(word, "\\DRAFT") {
                flags.system.insert(.draft)
            } else if scanner.matches(word, "\\RECENT") {
                flags.system.insert(.recent)
            } else {
                flags.keywords.append(scanner.text(word))
            }
        }
        return flags
    }
}
