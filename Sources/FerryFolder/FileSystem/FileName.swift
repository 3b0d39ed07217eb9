#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// One component of a path: 1 to 255 bytes, no `/`, no NUL, neither `.` nor `..`.
///
/// There is no way to make one that leaves its directory, so whatever takes a `FileName` is safe from hostile names.
/// Bytes and not text, because Linux does not promise UTF-8.
struct FileName: Hashable, Sendable, Comparable, CustomStringConvertible {
    static let longest = 255

    /// With the NUL that system calls want at the end.
    private let terminated: [UInt8]

    init?(_ bytes: some Collection<UInt8>) {
        guard (1...Self.longest).contains(bytes.count) else { return nil }
        var copy = [UInt8]()
        copy.reserveCapacity(bytes.count + 1)
        for byte in bytes {
            if byte == 0 || byte == UInt8(ascii: "/") { return nil }
            copy.append(byte)
        }
        let dot = UInt8(ascii: ".")
        if copy == [dot] || copy == [dot, dot] { return nil }
        copy.append(0)
        terminated = copy
    }

    init?(_ text: some StringProtocol) { self.init(text.utf8) }

    /// A name that this program spells itself.
    init(constant: StaticString) {
        guard let name = FileName(constant.description) else { preconditionFailure("Not a file name: \(constant)") }
        self = name
    }

    /// What `readdir` gave: such a name has no `/` and is not empty. `nil` for `.` and `..`.
    init?(entry: UnsafePointer<CChar>) {
        let count = strlen(entry)
        let dot = CChar(UInt8(ascii: "."))
        if entry[0] == dot, count == 1 || (count == 2 && entry[1] == dot) { return nil }
        terminated = Array(UnsafeRawBufferPointer(start: entry, count: count + 1))
    }

    var bytes: ArraySlice<UInt8> { terminated.dropLast() }
    var count: Int { terminated.count - 1 }
    /// The name as text; `nil` when it is not UTF-8.
    var text: String? { String(validating: bytes, as: UTF8.self) }
    /// Printable: what is not UTF-8, and control characters, become U+FFFD.
    var description: String {
        var printable = String.UnicodeScalarView()
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            printable.append(scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) ? "\u{FFFD}" : scalar)
        }
        return String(printable)
    }

    func hasPrefix(_ prefix: StaticString) -> Bool {
        terminated.starts(with: UnsafeBufferPointer(start: prefix.utf8Start, count: prefix.utf8CodeUnitCount))
    }

    /// Lends the name to a system call.
    @discardableResult
    func withCString<Result, Failure: Error>(
        _ body: (UnsafePointer<CChar>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try terminated.withUnsafeBufferPointer { (buffer) throws(Failure) in
            guard let base = buffer.baseAddress else { preconditionFailure("A name has at least its NUL.") }
            return try base.withMemoryRebound(to: CChar.self, capacity: buffer.count) { (pointer) throws(Failure) in
                try body(pointer)
            }
        }
    }

    /// Byte order.
    static func < (left: FileName, right: FileName) -> Bool {
        left.withCString { one in right.withCString { strcmp(one, $0) < 0 } }
    }
}
