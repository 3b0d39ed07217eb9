/// NAMESPACE (RFC 2342), QUOTA (RFC 9208), ACL (RFC 4314), METADATA (RFC 5464), ID (RFC 2971).
extension ResponseParser {
    mutating func namespace() throws(WireError) -> Response {
        .namespace(
            Namespaces(personal: try namespaces(), otherUsers: try namespaces(), shared: try namespaces()))
    }

    private mutating func namespaces() throws(WireError) -> [Namespaces.Namespace] {
        scanner.skipSpaces()
        if scanner.takeNil() { return [] }
        try scanner.expect(UInt8(ascii: "("), "a list of namespaces")
        var found = [Namespaces.Namespace]()
        while true {
            scanner.skipSpaces()
            if scanner.take(UInt8(ascii: ")")) { return found }
            try scanner.expect(UInt8(ascii: "("), "a namespace")
            let prefix = MailboxName(wire: try scanner.string())
            scanner.skipSpaces()
            let separator = try scanner.nilString()?.first
            found.append(Namespaces.Namespace(prefix: prefix, separator: separator))
            while true {
                scanner.skipSpaces()
                if scanner.take(UInt8(ascii: ")")) { break }
                try scanner.skipValue()
            }
        }
    }

    mutating func quota() throws(WireError) -> Response {
        let root = try text()
        scanner.skipSpaces()
        try scanner.expect(UInt8(ascii: "("), "resources in parentheses")
        var resources = [Quota.Resource]()
        while let name = listElement() {
            scanner.skipSpaces()
            let usage = try scanner.number()
            scanner.skipSpaces()
            let limit = try scanner.number()
            resources.append(Quota.Resource(name: scanner.uppercasedText(name), usage: usage, limit: limit))
        }
        return .quota(Quota(root: root, resources: resources))
    }

    mutating func quotaRoot() throws(WireError) -> Response {
        let name = try mailboxName()
        var roots = [String]()
        scanner.skipSpaces()
        while !scanner.isAtEnd {
            roots.append(try text())
            scanner.skipSpaces()
        }
        return .quotaRoot(name, roots: roots)
    }

    mutating func acl() throws(WireError) -> Response {
        let name = try mailboxName()
        var rights = [AccessRights]()
        scanner.skipSpaces()
        while !scanner.isAtEnd {
            let identifier = try text()
            scanner.skipSpaces()
            rights.append(AccessRights(identifier: identifier, rights: try text()))
            scanner.skipSpaces()
        }
        return .acl(name, rights)
    }

    mutating func myRights() throws(WireError) -> Response {
        let name = try mailboxName()
        scanner.skipSpaces()
        return .myRights(name, try text())
    }

    mutating func metadata() throws(WireError) -> Response {
        let name = try mailboxName()
        scanner.skipSpaces()
        var entries = [String: [UInt8]]()
        // Without a list it only tells which entries changed.
        guard scanner.take(UInt8(ascii: "(")) else { return .metadata(name, entries) }
        while true {
            scanner.skipSpaces()
            if scanner.take(UInt8(ascii: ")")) { return .metadata(name, entries) }
            let entry = try text()
            scanner.skipSpaces()
            if let value = try scanner.nilString() { entries[entry] = value }
        }
    }

    mutating func identity() throws(WireError) -> Response {
        if scanner.takeNil() { return .identity([:]) }
        try scanner.expect(UInt8(ascii: "("), "fields in parentheses")
        var fields = [String: String]()
        while true {
            scanner.skipSpaces()
            if scanner.take(UInt8(ascii: ")")) { return .identity(fields) }
            let key = try text().lowercased()
            scanner.skipSpaces()
            if let value = try scanner.nilString() { fields[key] = String(decoding: value, as: UTF8.self) }
        }
    }

    private mutating func text() throws(WireError) -> String {
        String(decoding: try scanner.astring(), as: UTF8.self)
    }
}
