package import FerryCore

/// `$expand=users(…)`: the users of each job that is shown, with options of their own.
package struct UserExpansion: Sendable, Hashable {
    package let selection: Selection<TaskMember>
    /// Users wanted in each job; `nil` when the client set no limit.
    package let top: Int?
    /// The number of users that the options admit belongs next to them.
    package let wantsCount: Bool
    private let predicate: Predicate<TaskField>?
    private let search: String?
    private let order: [Ordering<TaskField>]?
    private let skip: Int
    /// What the link to the users that are left out repeats.
    private let listing: [QueryPair]

    /// Reads `users` or `users($select=…;$filter=…;…)`. Throws `Failure.badRequest` for anything else.
    init(_ text: String) throws(Failure) {
        guard let rest = ASCII.drop("users", from: String(ASCII.trim(text[...]))),
            rest.isEmpty || rest.utf8.first == UInt8(ascii: "(") && rest.utf8.last == UInt8(ascii: ")")
        else { throw .badRequest("$expand: only 'users' can be expanded.", target: "$expand") }
        let nested = try Self.pairs(rest.dropFirst().dropLast())
        let options: QueryOptions
        do {
            options = try QueryOptions(nested, allowing: [.select, .filter, .orderby, .search, .top, .skip, .count])
        } catch {
            throw Self.inside(error)
        }
        // `$format` belongs to the whole answer.
        guard options[.format] == nil else {
            throw .badRequest("$expand: $format cannot be used inside.", target: "$expand")
        }
        do {
            selection = try options.selection()
            predicate = try options.taskPredicate()
            search = try options.searchText()
            order = try options.taskOrder()
            top = try options.number(.top)
            skip = min(try options.number(.skip) ?? 0, Int(Int32.max))
            wantsCount = try options.flag(.count)
        } catch {
            throw Self.inside(error)
        }
        listing = options.listing.filter { $0.option != .count }
    }

    /// The query for a job's users, of whom at most `limit` are shown.
    package func query(of job: JobID, limit: Int) -> TaskQuery {
        var query = TaskQuery(job: job)
        query.predicate = predicate
        query.search = search
        if let order { query.order = order }
        query.skip = skip
        query.limit = min(top ?? limit, limit)
        return query
    }

    /// The link to the users behind `next`; `nil` when there are none, and when none were wanted.
    package func nextLink(of job: JobID, after next: PagePosition?, links: Links) -> String? {
        guard let next, top != 0 else { return nil }
        return TaskListOptions.continuation(of: job, after: next, listing: listing, links: links)
    }

    /// Splits at semicolons that are neither quoted nor in parentheses. The text was decoded with the query it came in.
    private static func pairs(_ text: Substring) throws(Failure) -> [(name: String, value: String)] {
        var pieces: [Substring] = []
        var start = text.startIndex
        var quote: UInt8?
        var depth = 0
        for index in text.utf8.indices {
            let byte = text.utf8[index]
            switch byte {
            case quote: quote = nil
            case _ where quote != nil: continue
            case UInt8(ascii: "'"), UInt8(ascii: "\""): quote = byte
            case UInt8(ascii: "("): depth += 1
            case UInt8(ascii: ")"): depth -= 1
            case UInt8(ascii: ";") where depth == 0:
                pieces.append(text[start..<index])
                start = text.utf8.index(after: index)
            default: continue
            }
        }
        guard quote == nil, depth == 0 else {
            throw .badRequest("$expand: a quote or parenthesis has no end.", target: "$expand")
        }
        pieces.append(text[start...])
        var pairs: [(name: String, value: String)] = []
        for piece in pieces where !piece.isEmpty {
            guard let cut = piece.utf8.firstIndex(of: UInt8(ascii: "=")) else {
                throw .badRequest("$expand: expected options such as users($select=id;$top=5).", target: "$expand")
            }
            pairs.append((String(ASCII.trim(piece[..<cut])), String(piece[piece.utf8.index(after: cut)...])))
        }
        return pairs
    }

    private static func inside(_ failure: Failure) -> Failure {
        guard case .badRequest(let message, _) = failure else { return failure }
        return .badRequest("$expand=users(…): \(message)", target: "$expand")
    }
}
