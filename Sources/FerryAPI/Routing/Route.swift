import FerryCore

/// A request path that was understood.
package struct Route: Sendable, Hashable {
    /// The Graph version of the path; `nil` in our own namespace `/ferry`.
    package var version: APIVersion?
    package var resource: Resource

    /// Finds the resource of a path. Segments compare without case; both key syntaxes are read (reference 7.3).
    ///
    /// Throws `Failure.badRequest` for a segment or version that does not exist, `Failure.notFound` for a path that
    /// ends too early.
    package init(segments: [String]) throws(Failure) {
        var rest = segments[...]
        guard let first = rest.popFirst() else {
            throw .notFound("There is nothing at the root. Graph paths begin with /beta or /v1.0.")
        }
        if ASCII.equalFoldingCase(first, "ferry") {
            version = nil
            resource = try Self.ours(&rest)
            return
        }
        guard let named = APIVersion.allCases.first(where: { ASCII.equalFoldingCase($0.rawValue, first) }) else {
            throw .badRequest("Invalid version: \(Self.quoted(first)). Use beta or v1.0.", target: nil)
        }
        version = named
        guard let root = rest.first else {
            resource = .serviceDocument
            return
        }
        if root.utf8.first == UInt8(ascii: "$") {
            rest = rest.dropFirst()
            resource = try Self.system(root, rest)
            return
        }
        try Self.step("solutions", &rest)
        try Self.step("migrations", &rest)
        guard let collection = rest.popFirst() else {
            resource = .migrationsRoot
            return
        }
        resource = try Self.jobs(collection, &rest)
    }

    /// `$metadata` and `$batch`.
    private static func system(_ segment: String, _ rest: ArraySlice<String>) throws(Failure) -> Resource {
        if ASCII.equalFoldingCase(segment, "$metadata") { return try end(.metadata, rest) }
        if ASCII.equalFoldingCase(segment, "$batch") { return try end(.batch, rest) }
        throw unknown(segment)
    }

    private static func jobs(_ collection: String, _ rest: inout ArraySlice<String>) throws(Failure) -> Resource {
        let job: JobReference
        switch try KeyedSegment(collection, collection: "crossTenantMigrationJobs", alternateKey: "displayName") {
        case nil: throw unknown(collection)
        case .key(let key): job = .key(key)
        case .alternateKey(let name): job = .displayName(name)
        case .collection:
            guard let key = rest.popFirst() else { return .jobs }
            if ASCII.equalFoldingCase(key, "$count") { return try end(.jobCount, rest) }
            if key.utf8.first == UInt8(ascii: "$") { throw unknown(key) }
            if action(key) == .validate, rest.isEmpty { return .collectionActionOrJob(key) }
            job = .key(key)
        }
        guard let next = rest.popFirst() else { return .job(job) }
        if let action = action(next) { return try end(.jobAction(job, action), rest) }
        return try users(of: job, next, &rest)
    }

    private static func users(
        of job: JobReference, _ collection: String, _ rest: inout ArraySlice<String>
    ) throws(Failure) -> Resource {
        let task: String
        switch try KeyedSegment(collection, collection: "users", alternateKey: nil) {
        case nil, .alternateKey: throw unknown(collection)
        case .key(let key): task = key
        case .collection:
            guard let key = rest.popFirst() else { return .users(job) }
            if ASCII.equalFoldingCase(key, "$count") { return try end(.userCount(job), rest) }
            if key.utf8.first == UInt8(ascii: "$") { throw unknown(key) }
            task = key
        }
        guard let next = rest.popFirst() else { return .user(job, task) }
        if ASCII.equalFoldingCase(next, "$ref") { return try end(.userLink, rest) }
        guard action(next) == .cancel else { throw unknown(next) }
        return try end(.userCancel(job, task), rest)
    }

    /// `/ferry/jobs/{job}/{progress|items|report|dryRun|manifest|reversal|approve}`,
    /// `/ferry/jobs/{job}/users/{user}/approve`, `/ferry/manifest-key`, `/ferry/audit` and `/ferry/identity-map`.
    private static func ours(_ rest: inout ArraySlice<String>) throws(Failure) -> Resource {
        if let first = rest.first, ASCII.equalFoldingCase(first, "audit") { return try end(.audit, rest.dropFirst()) }
        if let first = rest.first, ASCII.equalFoldingCase(first, "manifest-key") {
            return try end(.manifestKey, rest.dropFirst())
        }
        if let first = rest.first, ASCII.equalFoldingCase(first, "identity-map") {
            return try identities(rest.dropFirst())
        }
        try step("jobs", &rest)
        guard let key = rest.popFirst(), let view = rest.popFirst() else {
            throw .notFound(
                "The path ends too early: /ferry/jobs/{job} has progress, items, report, dryRun, manifest, reversal and approve."
            )
        }
        let job = JobReference.key(key)
        switch view.lowercased() {
        case "progress": return try end(.progress(job), rest)
        case "items": return try end(.items(job), rest)
        case "report": return try end(.report(job), rest)
        case "dryrun": return try end(.dryRun(job), rest)
        case "manifest": return try end(.manifest(job), rest)
        case "reversal": return try end(.reversal(job), rest)
        case "approve": return try end(.approval(job), rest)
        case "users":
            guard let user = rest.popFirst() else {
                throw .notFound("The path ends too early: /ferry/jobs/{job}/users/{user} has approve.")
            }
            try step("approve", &rest)
            return try end(.userApproval(job, user), rest)
        default: throw unknown(view)
        }
    }

    /// `/ferry/identity-map`, its actions, and `/ferry/identity-map/{person}`: no person has the name of an action.
    private static func identities(_ rest: ArraySlice<String>) throws(Failure) -> Resource {
        guard let name = rest.first else { return .identities }
        let resource: Resource =
            switch name.lowercased() {
            case "check": .identityCheck
            case "match": .identityMatch
            case "complete": .identityCompletion
            default: .identity(name)
            }
        return try end(resource, rest.dropFirst())
    }

    /// An action by its short or its namespace-qualified name (reference 1, action names).
    private static func action(_ segment: String) -> Resource.Action? {
        let name = ASCII.drop(Schema.namespace + ".", from: segment) ?? segment[...]
        return Resource.Action.allCases.first { ASCII.equalFoldingCase($0.rawValue, name) }
    }

    private static func step(_ name: String, _ rest: inout ArraySlice<String>) throws(Failure) {
        guard let segment = rest.popFirst() else {
            throw .notFound("The path ends too early: expected the segment '\(name)'.")
        }
        guard ASCII.equalFoldingCase(segment, name) else { throw unknown(segment) }
    }

    private static func end(_ resource: Resource, _ rest: ArraySlice<String>) throws(Failure) -> Resource {
        if let extra = rest.first { throw unknown(extra) }
        return resource
    }

    private static func unknown(_ segment: String) -> Failure {
        .badRequest("Resource not found for the segment \(quoted(segment)).", target: nil)
    }

    /// Part of the client's own path, short enough to be sent back.
    private static func quoted(_ segment: String) -> String { "'\(segment.prefix(64))'" }
}
