package import FerryCore

/// URLs of one answer: all on our own base URL and in the version that was asked.
package struct Links: Sendable, Hashable {
    /// Scheme and authority, and a path prefix where a proxy has one; no slash at the end.
    package var base: String
    package var version: APIVersion

    package init(base: String, version: APIVersion) {
        self.base = base
        self.version = version
    }

    static let collection = "solutions/migrations/crossTenantMigrationJobs"

    private var root: String { "\(base)/\(version.rawValue)/" }

    /// The document that describes the types.
    var metadata: String { "\(root)$metadata" }

    /// The context URL that ends in `fragment`.
    func context(_ fragment: String) -> String { "\(metadata)#\(fragment)" }

    package var jobs: String { root + Self.collection }

    /// The job by its id, key as segment; also the `Location` of a new job.
    package func job(_ id: JobID) -> String { "\(root)\(Self.collection)/\(id)" }

    func users(_ id: JobID) -> String { job(id) + "/users" }

    /// The job in the key syntax of OData, which `@odata.id` uses.
    func canonicalJob(_ id: JobID) -> String { "\(root)\(Self.collection)('\(id)')" }
}

/// How much control information a client wants (reference 7.5).
package enum MetadataLevel: String, Sendable, Hashable, CaseIterable {
    case none, minimal, full
}

/// What one answer needs to know besides its contents.
package struct Representation: Sendable, Hashable {
    package var links: Links
    package var metadata: MetadataLevel

    package init(links: Links, metadata: MetadataLevel = .minimal) {
        self.links = links
        self.metadata = metadata
    }

    /// Value of `Content-Type` for a JSON answer at this level.
    package var contentType: String {
        switch metadata {
        case .none: "application/json;odata.metadata=none;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
        case .minimal: Self.minimalContentType
        case .full: "application/json;odata.metadata=full;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
        }
    }

    /// As Graph sends it (reference 7.1); also that of errors.
    package static let minimalContentType =
        "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
}
