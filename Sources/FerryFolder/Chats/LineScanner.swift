#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Reads a file of lines from a place in it on. Lines end with LF; memory holds one line and one piece of the file.
struct LineScanner: Sendable {
    struct Line: Sendable {
        /// Of the line's first octet in the file.
        var offset: Int64
        /// Without the line end.
        var length: Int64
        /// `nil` for a line of more than the limit, which was passed over.
        var octets: [UInt8]?
        /// `false` for a last line without line end.
        var isTerminated: Bool
    }

    private static let pieceBytes = 256 << 10

    let file: File
    let longestLine: Int
    /// Where the next line begins.
    private(set) var offset: Int64
    private var piece: [UInt8] = []
    /// How far `piece` has been used up.
    private var used = 0
    private var isAtEnd = false

    init(_ file: File, from offset: Int64, longestLine: Int) {
        self.file = file
        self.offset = offset
        self.longestLine = longestLine
    }

    /// `nil` at the end of the file.
    mutating func next() throws(SystemError) -> Line? {
        var line = Line(offset: offset, length: 0, octets: [], isTerminated: false)
        while true {
            if used == piece.count {
                if !isAtEnd {
                    piece = try file.read(at: offset + line.length, Self.pieceBytes)
                    used = 0
                    isAtEnd = piece.count < Self.pieceBytes
                }
                if used == piece.count {
                    offset += line.length
                    return line.length == 0 ? nil : line
                }
            }
            let newline = piece[used...].firstIndex(of: 0x0A)
            let end = newline ?? piece.count
            line.length += Int64(end - used)
            if line.length > longestLine { line.octets = nil }
            line.octets?.append(contentsOf: piece[used..<end])
            used = end
            guard newline != nil else { continue }
            used += 1
            offset += line.length + 1
            line.isTerminated = true
            return line
        }
    }
}

extension File {
    /// Up to `count` octets from `offset` on; fewer at the end of the file only.
    func read(at offset: Int64, _ count: Int) throws(SystemError) -> [UInt8] {
        var failure: SystemError?
        let octets = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = 0
            do throws(SystemError) {
                while filled < count {
                    let rest = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[filled...])
                    let got = try checked("pread") {
                        pread(descriptor, rest.baseAddress, rest.count, off_t(offset) + off_t(filled))
                    }
                    if got == 0 { break }
                    filled += got
                }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return octets
    }
}
