package import FerryCore

/// What of a job is shown.
package struct JobShape: Sendable, Hashable {
    package var selection: Selection<JobMember> = .everything
    package var users: UserExpansion?

    package init() {}

    /// `$select` and `$expand` of a request for one job or a list of them.
    package init(_ options: QueryOptions) throws(Failure) {
        if let select = options[.select] { selection = try Selection(select, navigation: ["users"]) }
        if let expand = options[.expand] { users = try UserExpansion(expand) }
    }

    /// What the context URL appends: `(id,status,users())`, or nothing.
    var contextSuffix: String {
        var parts = selection.names ?? []
        if let users { parts.append("users(\((users.selection.names ?? []).joined(separator: ",")))") }
        return parts.isEmpty ? "" : "(\(parts.joined(separator: ",")))"
    }
}

/// A page of jobs, as the client wants it.
package struct JobListOptions: Sendable, Hashable {
    package var query: JobQuery
    package var shape: JobShape
    /// The total belongs onto this page: it was asked for, and this is the first one.
    package var wantsCount: Bool
    private let paging: Paging

    /// Throws `Failure.badRequest` for the first option that cannot be read.
    package init(
        _ options: QueryOptions, in tenant: TenantID, version: APIVersion, preferences: Preferences
    ) throws(Failure) {
        shape = try JobShape(options)
        query = JobQuery(tenant: tenant)
        if let filter = options[.filter] { query.predicate = try FilterParser.parse(filter, schema: .jobs) }
        if let orderby = options[.orderby] {
            query.order = try Ordering.parse(orderby, properties: JobField.orderable)
        }
        query.search = try options.searchText()
        paging = try Paging(
            options, list: "\(version.rawValue)/\(Links.collection)", preferences: preferences,
            largest: shape.users == nil ? APILimits.maximumPageSize : APILimits.expandedPageSize)
        query.limit = paging.size
        query.skip = paging.skip
        // The id stands for itself in a position, and nothing behind it counts.
        query.after = try paging.position(for: query.order.prefix { $0.field != .id }.map(\.field.isInstant))
        wantsCount = try options.flag(.count) && query.after == nil
    }

    /// The link to the page behind `next`; `nil` on the last page, and for a page of no size.
    package func nextLink(_ next: PagePosition?, links: Links) -> String? {
        paging.link(next, to: links.jobs)
    }

    /// The query of `…/$count`.
    package static func counting(_ options: QueryOptions, in tenant: TenantID) throws(Failure) -> JobQuery {
        var query = JobQuery(tenant: tenant)
        if let filter = options[.filter] { query.predicate = try FilterParser.parse(filter, schema: .jobs) }
        query.search = try options.searchText()
        return query
    }
}

/// A page of one job's users, as the client wants it.
package struct TaskListOptions: Sendable, Hashable {
    package var query: TaskQuery
    package var selection: Selection<TaskMember>
    package var wantsCount: Bool
    private let paging: Paging

    package init(
        _ options: QueryOptions, of job: JobID, version: APIVersion, preferences: Preferences
    ) throws(Failure) {
        selection = try options.selection()
        query = TaskQuery(job: job)
        query.predicate = try options.taskPredicate()
        if let order = try options.taskOrder() { query.order = order }
        query.search = try options.searchText()
        paging = try Paging(
            options, list: Self.list(of: job, version), preferences: preferences, largest: APILimits.maximumPageSize)
        query.limit = paging.size
        query.skip = paging.skip
        query.after = try paging.position(for: query.order.prefix { $0.field != .id }.map { $0.field == .updated })
        wantsCount = try options.flag(.count) && query.after == nil
    }

    package func nextLink(_ next: PagePosition?, links: Links) -> String? {
        paging.link(next, to: links.users(query.job))
    }

    package static func counting(_ options: QueryOptions, of job: JobID) throws(Failure) -> TaskQuery {
        var query = TaskQuery(job: job)
        query.predicate = try options.taskPredicate()
        query.search = try options.searchText()
        return query
    }

    /// The link to the users that an expansion left out.
    static func continuation(of job: JobID, after next: PagePosition, listing: [QueryPair], links: Links) -> String {
        Paging.link(next, to: links.users(job), list: list(of: job, links.version), listing: listing)
    }

    private static func list(of job: JobID, _ version: APIVersion) -> String {
        "\(version.rawValue)/\(Links.collection)/\(job)/users"
    }
}

/// What pages of jobs and of users have in common: `$top`, `$skip`, `$skiptoken` and the link to the next page.
private struct Paging: Sendable, Hashable {
    /// Rows of this page.
    let size: Int
    let skip: Int
    /// Names the list that a token belongs to, without the options.
    let list: String
    let token: String?
    private let listing: [QueryPair]

    init(_ options: QueryOptions, list: String, preferences: Preferences, largest: Int) throws(Failure) {
        let wanted = try options.number(.top) ?? APILimits.defaultPageSize
        let preferred = preferences.maximumPageSize.map { size in options[.top] == nil ? size : min(size, wanted) }
        size = min(preferred ?? wanted, largest)
        self.list = list
        token = options[.skiptoken]
        // The token says where to go on; skipping again would lose rows.
        skip = token == nil ? min(try options.number(.skip) ?? 0, Int(Int32.max)) : 0
        listing = options.listing
    }

    /// Where the token says that the last page ended. `instants` tells which values of the ordering are instants.
    func position(for instants: [Bool]) throws(Failure) -> PagePosition? {
        guard let token else { return nil }
        let position = try SkipToken.decode(token, list: Self.identity(list, listing))
        let fits =
            position.values.count == instants.count
            && zip(position.values, instants).allSatisfy { value, isInstant in
                switch value {
                case .instant: isInstant
                case .text: !isInstant
                case .null: false
                }
            }
        guard fits else {
            throw .badRequest(
                "$skiptoken does not fit $orderby. Follow @odata.nextLink as it is.", target: "$skiptoken")
        }
        return position
    }

    func link(_ next: PagePosition?, to url: String) -> String? {
        guard let next, size > 0 else { return nil }
        return Self.link(next, to: url, list: list, listing: listing)
    }

    static func link(_ next: PagePosition, to url: String, list: String, listing: [QueryPair]) -> String {
        var link = url + "?"
        for pair in listing { link += "$\(pair.option)=\(PercentEncoding.encode(pair.value))&" }
        return link + "$skiptoken=" + SkipToken.encode(next, list: identity(list, listing))
    }

    /// The list and its other options in one text, for the token's digest.
    private static func identity(_ list: String, _ listing: [QueryPair]) -> String {
        listing.reduce(list) { "\($0)\n\($1.option)=\($1.value)" }
    }
}

/// An option and its value, decoded.
struct QueryPair: Sendable, Hashable {
    var option: QueryOptions.Option
    var value: String
}

extension QueryOptions {
    /// `$filter` on users.
    func taskPredicate() throws(Failure) -> Predicate<TaskField>? {
        guard let filter = self[.filter] else { return nil }
        return try FilterParser.parse(filter, schema: .tasks)
    }

    /// `$orderby` of users.
    func taskOrder() throws(Failure) -> [Ordering<TaskField>]? {
        guard let orderby = self[.orderby] else { return nil }
        return try Ordering.parse(orderby, properties: TaskField.orderable)
    }

    /// The text of `$search`, which must be one text in double quotes.
    func searchText() throws(Failure) -> String? {
        guard let value = self[.search] else { return nil }
        let text = ASCII.trim(value[...])
        guard text.utf8.count > 2, text.utf8.first == UInt8(ascii: "\""), text.utf8.last == UInt8(ascii: "\"") else {
            throw .badRequest("$search must be one text in double quotes.", target: "$search")
        }
        var content: [UInt8] = []
        var isEscaped = false
        for byte in text.utf8.dropFirst().dropLast() {
            if !isEscaped, byte == UInt8(ascii: "\\") {
                isEscaped = true
                continue
            }
            guard isEscaped || byte != UInt8(ascii: "\"") else {
                throw .badRequest("$search: only one text can be searched for.", target: "$search")
            }
            isEscaped = false
            content.append(byte)
        }
        guard !isEscaped else { throw .badRequest("$search must be one text in double quotes.", target: "$search") }
        return String(decoding: content, as: UTF8.self)
    }
}
