/// What a client accepts and sends, by header.
package enum Negotiation {
    /// A media range or type with its parameters, names in lower case.
    private struct MediaRange {
        var type: String
        var parameters: [(name: String, value: String)]

        init(_ text: Substring) {
            var pieces = text.split(separator: ";").map(ASCII.trim)[...]
            type = (pieces.popFirst() ?? "").lowercased()
            parameters = pieces.map { piece in
                let halves = piece.split(separator: "=", maxSplits: 1)
                return (
                    ASCII.trim(halves.first ?? "").lowercased(),
                    String(ASCII.trim(halves.count == 2 ? halves[1] : "")).trimmingQuotes.lowercased()
                )
            }
        }

        func parameter(_ name: String) -> String? { parameters.first { $0.name == name }?.value }

        /// `q=0` in any spelling means "not this one" (RFC 9110 section 12.4.2).
        var isExcluded: Bool {
            guard let quality = parameter("q") else { return false }
            return quality.utf8.first == UInt8(ascii: "0")
                && quality.utf8.dropFirst().allSatisfy { $0 == 0x2E || $0 == 0x30 }
        }

        var metadata: MetadataLevel? { parameter("odata.metadata").flatMap(MetadataLevel.init(rawValue:)) }
    }

    /// The metadata level that `Accept` or `$format` asks for, `$format` first; throws `Failure.notAcceptable` when
    /// neither leaves JSON.
    package static func metadata(accept: String?, format: String?) throws(Failure) -> MetadataLevel {
        if let format {
            let range = MediaRange(format[...])
            guard range.type == "json" || range.type == "application/json" else { throw .notAcceptable }
            return range.metadata ?? .minimal
        }
        guard let accept, !accept.isEmpty else { return .minimal }
        // What nearly every client sends.
        if accept == "application/json" || accept == "*/*" { return .minimal }
        for piece in accept.split(separator: ",") {
            let range = MediaRange(piece)
            switch range.type {
            case "application/json" where !range.isExcluded: return range.metadata ?? .minimal
            case "*/*" where !range.isExcluded, "application/*" where !range.isExcluded: return .minimal
            default: continue
            }
        }
        throw .notAcceptable
    }

    /// Whether a plain number may be sent: `$count` answers `text/plain`, whether JSON or text was asked for.
    package static func acceptsCount(_ accept: String?) -> Bool {
        guard let accept, !accept.isEmpty else { return true }
        return accept.split(separator: ",").contains { piece in
            let range = MediaRange(piece)
            return !range.isExcluded
                && ["text/plain", "text/*", "*/*", "application/json", "application/*"].contains(range.type)
        }
    }

    /// Whether a body of that `Content-Type` is JSON in UTF-8. A missing header is taken for JSON.
    package static func isJSON(contentType: String?) -> Bool {
        guard let contentType else { return true }
        let range = MediaRange(contentType[...])
        guard range.type == "application/json" else { return false }
        return range.parameter("charset").map { $0 == "utf-8" || $0 == "utf8" } ?? true
    }
}

extension String {
    fileprivate var trimmingQuotes: String {
        count >= 2 && first == "\"" && last == "\"" ? String(dropFirst().dropLast()) : self
    }
}

/// What `Prefer` asks for (reference 7.6). Unknown and malformed preferences are ignored, as RFC 7240 wants.
package struct Preferences: Sendable, Hashable {
    /// `odata.maxpagesize`, at least 1.
    package var maximumPageSize: Int?
    package var returnsRepresentation = false
    package var includesUnknownEnumMembers = false

    /// Several header lines are one list.
    package init(_ headers: [String]) {
        for header in headers {
            for piece in header.split(separator: ",") {
                let halves = piece.split(separator: "=", maxSplits: 1).map(ASCII.trim)
                guard let name = halves.first?.lowercased() else { continue }
                let value = halves.count == 2 ? String(halves[1]).trimmingQuotes.lowercased() : ""
                switch name {
                case "odata.maxpagesize", "maxpagesize":
                    if let size = Int(value), size > 0, maximumPageSize == nil { maximumPageSize = size }
                case "return": returnsRepresentation = value == "representation"
                case "include-unknown-enum-members": includesUnknownEnumMembers = true
                default: continue
                }
            }
        }
    }
}
