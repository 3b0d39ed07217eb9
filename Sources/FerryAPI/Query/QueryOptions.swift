/// The system query options of a request, by name; each at most once.
///
/// Names compare without case and with or without `$`. A `$name` that is not known, or not allowed on the resource, is
/// an error; a name without `$` that is not known belongs to somebody else and is ignored (reference 7.3).
package struct QueryOptions: Sendable, Hashable {
    /// The options that exist; raw values are their names without `$`.
    package enum Option: String, Sendable, Hashable, CaseIterable {
        case select, expand, filter, orderby, search, skip, top, count, skiptoken, format
    }

    private var values: [Option: String] = [:]

    package init(_ raw: some StringProtocol, allowing allowed: Set<Option>) throws(Failure) {
        guard !raw.isEmpty else { return }
        self = try QueryOptions(try QueryPairs.parse(raw), allowing: allowed)
    }

    /// Of pairs that are decoded.
    init(_ pairs: [(name: String, value: String)], allowing allowed: Set<Option>) throws(Failure) {
        for pair in pairs {
            let hasDollar = pair.name.utf8.first == UInt8(ascii: "$")
            let name = hasDollar ? pair.name.dropFirst() : pair.name[...]
            guard let option = Option.allCases.first(where: { ASCII.equalFoldingCase($0.rawValue, name) }) else {
                guard hasDollar else { continue }
                throw .badRequest("The query option '$\(name.prefix(64))' does not exist.", target: nil)
            }
            guard allowed.contains(option) || option == .format else {
                guard hasDollar else { continue }
                throw .badRequest("The query option '$\(option)' is not supported here.", target: "$\(option)")
            }
            guard values.updateValue(pair.value, forKey: option) == nil else {
                throw .badRequest("The query option '$\(option)' was given twice.", target: "$\(option)")
            }
        }
    }

    package subscript(option: Option) -> String? { values[option] }

    /// A whole number that is not negative.
    func number(_ option: Option) throws(Failure) -> Int? {
        guard let text = values[option] else { return nil }
        let trimmed = ASCII.trim(text[...])
        guard !trimmed.isEmpty, trimmed.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            throw .badRequest("$\(option) must be a whole number that is not negative.", target: "$\(option)")
        }
        // More digits than an Int holds still means "very many".
        return Int(trimmed) ?? .max
    }

    func flag(_ option: Option) throws(Failure) -> Bool {
        switch values[option]?.lowercased() {
        case nil, "false": return false
        case "true": return true
        default: throw .badRequest("$\(option) must be true or false.", target: "$\(option)")
        }
    }

    /// The options that decide what a list holds, in a fixed order; what a nextLink repeats.
    var listing: [QueryPair] {
        [Option.select, .expand, .filter, .orderby, .search, .top, .count].compactMap { option in
            values[option].map { QueryPair(option: option, value: $0) }
        }
    }
}

/// The pairs of a query string.
package enum QueryPairs {
    /// Splits at `&` and the first `=`, decodes both sides by the rules of forms.
    package static func parse(_ raw: some StringProtocol) throws(Failure) -> [(name: String, value: String)] {
        var pairs: [(name: String, value: String)] = []
        for piece in raw.utf8.split(separator: UInt8(ascii: "&")) {
            let cut = piece.firstIndex(of: UInt8(ascii: "=")) ?? piece.endIndex
            let value = cut == piece.endIndex ? piece[cut...] : piece[piece.index(after: cut)...]
            guard let name = PercentEncoding.decode(piece[..<cut], plusIsSpace: true),
                let value = PercentEncoding.decode(value, plusIsSpace: true)
            else { throw .badRequest("A query option holds a broken percent escape or is not UTF-8.", target: nil) }
            guard value.utf8.count <= APILimits.queryOptionSize, pairs.count < APILimits.queryOptions else {
                throw .badRequest("The query is too long.", target: nil)
            }
            pairs.append((name, value))
        }
        return pairs
    }
}
