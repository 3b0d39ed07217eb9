/// The place of a resource below a server's root: decoded names from the top down.
package struct DAVPath: Hashable, Sendable {
    /// Not empty, without `/` and NUL, neither `.` nor `..`.
    package var names: [String]

    package init(_ names: [String] = []) { self.names = names }

    /// `nil` for names that could lead elsewhere.
    package init?(checking names: [String]) {
        guard names.allSatisfy(Self.isSafe) else { return nil }
        self.names = names
    }

    /// Why an `href` is no place.
    package enum Trouble: Error, Hashable {
        /// Names in another encoding than UTF-8 cannot be told apart from one another.
        case notText
        /// What could lead elsewhere: empty names, `.`, `..`, a slash or NUL within a name.
        case misleading
    }

    /// Reads the path of an `href` (RFC 4918 section 8.3): a path, or an address whose path counts. A slash at the end
    /// means nothing.
    package init(href: String) throws(Trouble) {
        var path = href[...]
        if !path.hasPrefix("/"), let colon = path.firstIndex(of: ":"), path[colon...].hasPrefix("://") {
            let rest = path[colon...].dropFirst(3)
            path = rest.firstIndex(of: "/").map { rest[$0...] } ?? "/"
        }
        path = path.prefix { $0 != "?" && $0 != "#" }
        while path.hasSuffix("/") { path = path.dropLast() }
        guard path.isEmpty || path.hasPrefix("/") else { throw .misleading }
        names = []
        guard !path.isEmpty else { return }
        for part in path.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            let bytes = Self.decoded(part)
            guard let name = String(validating: bytes, as: UTF8.self) else { throw .notText }
            guard Self.isSafe(name) else { throw .misleading }
            names.append(name)
        }
    }

    /// A path in an item's name: `folder/file`. `nil` for what could lead elsewhere.
    package init?(relative: String) {
        var names: [String] = []
        for part in relative.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            guard let name = String(part), Self.isSafe(name) else { return nil }
            names.append(name)
        }
        self.names = names
    }

    static func isSafe(_ name: String) -> Bool {
        !name.isEmpty && name != "." && name != ".." && !name.utf8.contains { $0 == 0 || $0 == UInt8(ascii: "/") }
    }

    /// Percent-encoded for a request line (RFC 3986 section 3.3); `/` at the end of collections.
    package func encoded(isCollection: Bool) -> String {
        var text: [UInt8] = []
        let digits = Array("0123456789ABCDEF".utf8)
        for name in names {
            text.append(UInt8(ascii: "/"))
            for byte in name.utf8 {
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                    UInt8(ascii: "~"):
                    text.append(byte)
                default: text += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
                }
            }
        }
        if isCollection || names.isEmpty { text.append(UInt8(ascii: "/")) }
        return String(decoding: text, as: UTF8.self)
    }

    private static func decoded(_ part: some Collection<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(part.count)
        var rest = part[...]
        while let byte = rest.first {
            rest = rest.dropFirst()
            if byte == UInt8(ascii: "%"), let first = rest.first.flatMap(digit),
                let second = rest.dropFirst().first.flatMap(digit)
            {
                bytes.append(first << 4 | second)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    func appending(_ name: String) -> DAVPath { DAVPath(names + [name]) }
    func appending(_ other: DAVPath) -> DAVPath { DAVPath(names + other.names) }
    var parent: DAVPath { DAVPath(names.dropLast()) }
    /// With `/` between the names.
    var text: String { names.joined(separator: "/") }

    /// Whether it is `other` or below it.
    func isWithin(_ other: DAVPath) -> Bool {
        names.count >= other.names.count && DAVPath(Array(names.prefix(other.names.count))) == other
    }

    /// By bytes: "é" in one character and in two are two names to most servers, and one to Swift's `==`.
    package static func == (left: DAVPath, right: DAVPath) -> Bool {
        left.names.count == right.names.count
            && zip(left.names, right.names).allSatisfy { $0.utf8.elementsEqual($1.utf8) }
    }

    package func hash(into hasher: inout Hasher) {
        for name in names {
            for byte in name.utf8 { hasher.combine(byte) }
            hasher.combine(UInt8(ascii: "/"))
        }
    }
}
