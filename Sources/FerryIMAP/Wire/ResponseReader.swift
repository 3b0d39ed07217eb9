import Glibc
package import NIOCore

/// What the bytes of a server say, in their order.
package enum WireEvent: Sendable, Hashable {
    case response(Response)
    /// A literal with content of a message begins; the message carries what its response told so far.
    case bodyBegan(FetchedMessage, section: FetchedBody.Section, origin: UInt64?, size: UInt64)
    /// Some of its bytes.
    case bytes(ByteBuffer)
    /// All `size` bytes came. The response goes on, and ends in a `.response(.fetch(…))` that repeats and completes it.
    case bodyEnded
}

/// Cuts a server's bytes into responses, however they arrive: `feed` what was read, then call `next` until it is `nil`.
///
/// Contents of messages pass through as slices of what was fed and are never collected; everything else is collected
/// up to `WireLimits.responseBytes`. After an error the reader is of no further use.
package struct ResponseReader: Sendable {
    private enum Mode: Sendable {
        case line
        /// So many bytes of a literal belong into `line`.
        case collecting(Int)
        /// So many bytes of a body are to come.
        case streaming(UInt64)
    }

    private let limits: WireLimits
    private var mode = Mode.line
    /// Fed and not read yet.
    private var input = ByteBuffer()
    /// The response so far, when it does not lie in `input` as a whole.
    private var line = [UInt8]()
    /// The FETCH response whose body was streamed and that goes on.
    private var message: FetchedMessage?
    /// How often a literal of this response looked like a body and was none. Each look costs a walk over the response.
    private var vainLooks = 0
    private static let mostVainLooks = 16

    package init(limits: WireLimits = WireLimits()) { self.limits = limits }

    /// In the middle of a response.
    package var isInsideResponse: Bool {
        if case .line = mode { return !line.isEmpty || message != nil || input.readableBytes > 0 }
        return true
    }

    package mutating func feed(_ bytes: ByteBuffer) {
        if input.readableBytes == 0 {
            input = bytes
        } else {
            input.writeImmutableBuffer(bytes)
        }
    }

    /// Gives back what was fed and not read: after STARTTLS it must not be trusted, after COMPRESS it is compressed.
    package mutating func takeUnread() -> ByteBuffer {
        defer { input = ByteBuffer() }
        return input
    }

    package mutating func next() throws(WireError) -> WireEvent? {
        while true {
            switch mode {
            case .streaming(0):
                mode = .line
                return .bodyEnded
            case .streaming(let left):
                let length = Int(min(left, UInt64(input.readableBytes)))
                guard length > 0, let slice = input.readSlice(length: length) else { return released() }
                mode = .streaming(left - UInt64(length))
                return .bytes(slice)
            case .collecting(let left):
                let length = min(left, input.readableBytes)
                append(length)
                guard length == left else {
                    mode = .collecting(left - length)
                    return released()
                }
                mode = .line
            case .line:
                guard let length = lengthOfLine() else {
                    guard line.count + input.readableBytes <= limits.responseBytes else { throw tooLong() }
                    append(input.readableBytes)
                    return released()
                }
                guard line.count + length <= limits.responseBytes else { throw tooLong() }
                if let event = try readLine(length) { return event }
            }
        }
    }

    /// Lets go of what was read, so that its memory can be used for the next read.
    private mutating func released() -> WireEvent? {
        if input.readableBytes == 0 { input = ByteBuffer() }
        return nil
    }

    /// Bytes up to and with the next line feed.
    private func lengthOfLine() -> Int? {
        input.withUnsafeReadableBytes { bytes in
            // SAFETY: the search stays within the count, and the found address within the buffer.
            guard let start = bytes.baseAddress, let found = memchr(start, 0x0A, bytes.count) else { return nil }
            return UnsafeRawPointer(found) - start + 1
        }
    }

    private mutating func append(_ length: Int) {
        guard length > 0 else { return }
        input.readWithUnsafeReadableBytes { bytes in
            line.append(contentsOf: bytes.prefix(length))
            return length
        }
    }

    /// Takes a line; `nil` when the response goes on after it.
    private mutating func readLine(_ length: Int) throws(WireError) -> WireEvent? {
        if line.isEmpty {
            let reading = input.withUnsafeReadableBytes { read(UnsafeRawBufferPointer(rebasing: $0.prefix(length))) }
            if case .collect = reading { append(length) } else { input.moveReaderIndex(forwardBy: length) }
            return try take(reading)
        }
        append(length)
        let reading = line.withUnsafeBytes { read($0) }
        if case .collect = reading {} else { line.removeAll(keepingCapacity: line.capacity <= 64 << 10) }
        return try take(reading)
    }

    private mutating func take(_ reading: Reading) throws(WireError) -> WireEvent? {
        switch reading {
        case .blank: return nil
        case .response(let response):
            message = nil
            vainLooks = 0
            return .response(response)
        case .body(var message, let literal):
            mode = .streaming(literal.bytes)
            let event = WireEvent.bodyBegan(
                message, section: literal.section, origin: literal.origin, size: literal.bytes)
            message.bodies.append(
                FetchedBody(
                    section: literal.section, origin: literal.origin, content: .streamed(bytes: literal.bytes)))
            self.message = message
            return event
        case .collect(let size, let looked):
            if looked { vainLooks += 1 }
            guard size <= UInt64(limits.responseBytes - line.count) else { throw tooLong() }
            mode = .collecting(Int(size))
            return nil
        case .failure(let error): throw error
        }
    }

    private func tooLong() -> WireError {
        let place = line.withUnsafeBufferPointer { WireScanner.place(of: $0) }
        return .tooLong(limit: limits.responseBytes, place: place)
    }

    // MARK: what a line means

    private enum Reading {
        case response(Response)
        case body(FetchedMessage, ResponseParser.BodyLiteral)
        /// A literal of this size belongs to the response.
        case collect(UInt64, looked: Bool)
        /// An empty line between responses, which some servers send after a literal.
        case blank
        case failure(WireError)
    }

    /// `bytes` is all of the response so far, with the line break.
    private func read(_ bytes: UnsafeRawBufferPointer) -> Reading {
        var length = bytes.count - 1
        if length > 0, bytes[length - 1] == 0x0D { length -= 1 }
        return bytes.withMemoryRebound(to: UInt8.self) { bytes in
            let content = UnsafeBufferPointer(rebasing: bytes.prefix(length))
            if content.isEmpty, message == nil { return .blank }
            if let literal = Self.announcedLiteral(content), message != nil || Self.isData(content) {
                guard literal.followsBodyName, vainLooks < Self.mostVainLooks else {
                    return .collect(literal.size, looked: false)
                }
                return (try? body(content)) ?? .collect(literal.size, looked: true)
            }
            do throws(WireError) {
                guard var message = message else { return .response(try ResponseParser.parse(content, limits: limits)) }
                var parser = ResponseParser(content, limits: limits)
                guard try parser.fetchAttributes(into: &message) == nil else {
                    return .failure(parser.scanner.malformed("the bytes of a literal"))
                }
                return .response(.fetch(message))
            } catch {
                return .failure(error)
            }
        }
    }

    /// The body that begins after this line; `nil` when the literal is part of something else.
    private func body(_ content: UnsafeBufferPointer<UInt8>) throws(WireError) -> Reading? {
        var parser = ResponseParser(content, limits: limits)
        var message = message
        if message == nil {
            parser.scanner.advance()
            parser.scanner.skipSpaces()
            message = FetchedMessage(sequence: try parser.scanner.number32())
            parser.scanner.skipSpaces()
            let name = parser.scanner.token()
            guard parser.scanner.matches(name, "FETCH") else { return nil }
            parser.scanner.skipSpaces()
            try parser.scanner.expect(UInt8(ascii: "("), "'(' after FETCH")
        }
        guard var message, let literal = try parser.fetchAttributes(into: &message) else { return nil }
        return .body(message, literal)
    }

    /// The literal that a line announces at its end.
    private static func announcedLiteral(
        _ content: UnsafeBufferPointer<UInt8>
    ) -> (size: UInt64, followsBodyName: Bool)? {
        guard content.last == UInt8(ascii: "}") else { return nil }
        var index = content.count - 2
        if index >= 0, content[index] == UInt8(ascii: "+") { index -= 1 }
        var size: UInt64 = 0
        var factor: UInt64 = 1
        let end = index
        while index >= 0, content[index] >= 0x30, content[index] <= 0x39 {
            // Eighteen digits are an exbibyte's worth; what claims more is no literal.
            guard end - index < 18 else { return nil }
            size += UInt64(content[index] - 0x30) * factor
            factor &*= 10
            index -= 1
        }
        guard index < end, index >= 0, content[index] == UInt8(ascii: "{") else { return nil }
        index -= 1
        if index >= 0, content[index] == UInt8(ascii: "~") { index -= 1 }
        while index >= 0, content[index] == 0x20 { index -= 1 }
        guard index >= 0 else { return (size, false) }
        let last = content[index]
        let isName =
            last == UInt8(ascii: "]") || last == UInt8(ascii: ">") || last == UInt8(ascii: "2")
            || last | 0x20 == UInt8(ascii: "r") || last | 0x20 == UInt8(ascii: "t")
        return (size, isName)
    }

    /// An untagged response other than a status: only those may hold literals; in the text of others braces mean nothing.
    private static func isData(_ content: UnsafeBufferPointer<UInt8>) -> Bool {
        guard content.count > 2, content[0] == UInt8(ascii: "*"), content[1] == 0x20 else { return false }
        var parser = ResponseParser(content, limits: WireLimits())
        parser.scanner.advance()
        parser.scanner.skipSpaces()
        return parser.condition(parser.scanner.token()) == nil
    }
}
