/// The request target of HTTP, cut at its joints: path segments, percent-decoded *after* splitting, and the raw query.
package struct RequestTarget: Sendable, Hashable {
    /// Decoded segments; a trailing slash leaves none behind.
    package var segments: [String]
    /// What follows the first `?`, still encoded; empty when there is none.
    package var rawQuery: Substring

    /// Reads origin form (`/beta/…?…`) and absolute form (`http://host/beta/…`), RFC 9112 section 3.2.
    ///
    /// Throws `Failure.badRequest` when the path does not begin with a slash or an escape is broken.
    package init(_ raw: String) throws(Failure) {
        var rest = Substring(raw)
        if rest.utf8.first != UInt8(ascii: "/"), let scheme = rest.range(ofASCII: "://"),
            !rest[..<scheme.lowerBound].utf8.contains(UInt8(ascii: "/")),
            !rest[..<scheme.lowerBound].utf8.contains(UInt8(ascii: "?"))
        {
            let authority = rest[scheme.upperBound...]
            rest = authority.utf8.firstIndex(of: UInt8(ascii: "/")).map { authority[$0...] } ?? "/"
        }
        if let hash = rest.utf8.firstIndex(of: UInt8(ascii: "#")) { rest = rest[..<hash] }
        let mark = rest.utf8.firstIndex(of: UInt8(ascii: "?"))
        rawQuery = mark.map { rest[rest.utf8.index(after: $0)...] } ?? ""
        let path = mark.map { rest[..<$0] } ?? rest
        guard path.utf8.first == UInt8(ascii: "/") else {
            throw .badRequest("The request path must begin with a slash.", target: nil)
        }
        segments = []
        var pieces = path.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        if pieces.last?.isEmpty ?? false { pieces.removeLast() }
        segments.reserveCapacity(pieces.count)
        for piece in pieces {
            // Almost always there is nothing to decode.
            guard piece.contains(UInt8(ascii: "%")) else {
                segments.append(String(Substring(piece)))
                continue
            }
            guard let decoded = PercentEncoding.decode(piece, plusIsSpace: false) else {
                throw .badRequest("A path segment holds a broken percent escape or is not UTF-8.", target: nil)
            }
            segments.append(decoded)
        }
    }
}

extension Substring {
    /// The first place of an ASCII text, without Foundation.
    fileprivate func range(ofASCII wanted: StaticString) -> Range<Index>? {
        let wanted = Array(String(describing: wanted).utf8)
        var start = utf8.startIndex
        while start != utf8.endIndex {
            if utf8[start...].starts(with: wanted) { return start..<utf8.index(start, offsetBy: wanted.count) }
            start = utf8.index(after: start)
        }
        return nil
    }
}
