/// The content codings that answers can have (RFC 9110 section 8.4.1).
enum ContentCoding: String, Sendable, Hashable, CaseIterable {
    case gzip
    /// The zlib format (RFC 1950), as RFC 9110 section 8.4.1.2 has it, not a bare DEFLATE stream.
    case deflate

    /// What a client accepts.
    struct Preference: Sendable, Hashable {
        /// The coding that the client likes best of ours; `nil`: it takes none of them, or likes plain bytes better.
        var coding: ContentCoding?
        /// The client takes `coding` and refuses plain bytes.
        var refusesIdentity = false
    }

    /// Reads `Accept-Encoding` (RFC 9110 section 12.5.3). A coding that is named counts before `*`; what is not a weight
    /// of section 12.4.2 makes its coding unacceptable. Between codings of one weight gzip wins, whose meaning nobody
    /// disputes. Who accepts nothing that we have gets plain bytes: the header is then disregarded, which section 12.5
    /// leaves to the server.
    static func preference(_ accepted: String?) -> Preference {
        guard let accepted else { return Preference() }
        var weights: [String: Int] = [:]
        for element in accepted.split(separator: ",").prefix(32) {
            let parts = element.split(separator: ";", omittingEmptySubsequences: false)
            guard let name = parts.first.map({ trimmed($0).lowercased() }), !name.isEmpty else { continue }
            weights[name == "x-gzip" ? "gzip" : name] = weight(parts.dropFirst())
        }
        let any = weights["*"]
        var best: (coding: ContentCoding, weight: Int)?
        for coding in ContentCoding.allCases {
            let weight = weights[coding.rawValue] ?? any ?? 0
            if weight > best?.weight ?? 0 { best = (coding, weight) }
        }
        guard let best else { return Preference() }
        // Unnamed, plain bytes are acceptable and the least wanted, unless `*` refuses what is not named.
        let identity = weights["identity"] ?? (any == 0 ? 0 : nil)
        if let identity, identity > best.weight { return Preference() }
        return Preference(coding: best.coding, refusesIdentity: identity == 0)
    }

    /// Whether bodies of the media type become smaller. An event stream does, but its events must not wait for each
    /// other.
    static func isWorthwhile(for mediaType: String?) -> Bool {
        guard let mediaType else { return false }
        let type = mediaType.prefix { $0 != ";" && $0 != " " }.lowercased()
        guard type != "text/event-stream" else { return false }
        return type.hasPrefix("text/") || ["application/json", "application/xml", "application/yaml"].contains(type)
            || type.hasSuffix("+json") || type.hasSuffix("+xml")
    }

    /// Thousandths, 0 to 1,000.
    private static func weight(_ parameters: ArraySlice<Substring>) -> Int {
        for parameter in parameters {
            let pair = parameter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2, trimmed(pair[0]).lowercased() == "q" else { continue }
            return thousandths(trimmed(pair[1])) ?? 0
        }
        return 1_000
    }

    /// `qvalue` of RFC 9110 section 12.4.2: 0 to 1 with up to three decimals.
    private static func thousandths(_ text: Substring) -> Int? {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, whole == "0" || whole == "1" else { return nil }
        let decimals = parts.count == 2 ? parts[1] : ""
        guard decimals.utf8.count <= 3, decimals.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        let padded = decimals + String(repeating: "0", count: 3 - decimals.utf8.count)
        let value = (whole == "1" ? 1_000 : 0) + (Int(padded) ?? 0)
        return value <= 1_000 ? value : nil
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }
}
