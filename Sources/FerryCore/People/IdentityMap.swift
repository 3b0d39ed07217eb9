/// Two tenants, and the direction in which people move between them.
package struct TenantPair: Sendable, Hashable {
    package var source: TenantID
    package var target: TenantID

    package init(source: TenantID, target: TenantID) {
        self.source = source
        self.target = target
    }
}

/// How far the mapping of one person is (orchestration 1, "map states"). Only `completed` counts for a migration.
package enum MapState: String, Sendable, Hashable, CaseIterable {
    /// In the map, and nobody knows yet who it will be.
    case unmapped
    /// A target person is named; nobody has agreed to it yet.
    case mapped
    /// Reviewed and agreed to; the source mailbox was recorded.
    case completed
}

/// Who says so. Stored, so never renamed.
package enum MapOrigin: String, Sendable, Hashable, CaseIterable {
    /// The configuration's file, or its matching by address. Never stored.
    case configuration
    /// Found by address when an administrator asked for it.
    case match
    /// Named by an administrator.
    case `import`
}

/// What the identity map says of one source person.
package struct MapEntry: Sendable, Hashable {
    package var source: PersonID
    /// `nil` exactly while `unmapped`.
    package var target: PersonID?
    package var state: MapState
    package var origin: MapOrigin
    /// When it was said; `nil` for the configuration's entries.
    package var changed: Instant?
    /// The name of who said it; empty for the configuration's entries.
    package var author: String

    package init(
        source: PersonID, target: PersonID?, state: MapState, origin: MapOrigin, changed: Instant? = nil,
        author: String = ""
    ) {
        self.source = source
        self.target = target
        self.state = target == nil ? .unmapped : state
        self.origin = origin
        self.changed = changed
        self.author = author
    }
}

/// What the store keeps of the identity map of one pair of tenants.
package struct StoredMap: Sendable, Hashable {
    /// Rises with every change; 0 while there was none.
    package var revision: Int64
    /// In ascending order of the source person.
    package var entries: [MapEntry]

    package init(revision: Int64 = 0, entries: [MapEntry] = []) {
        self.revision = revision
        self.entries = entries
    }
}

/// Which source person becomes which target person, between one pair of tenants.
package struct IdentityMap: Sendable, Hashable {
    /// By source person.
    package private(set) var entries: [PersonID: MapEntry] = [:]
    /// Target person → all source people that are mapped to it, in ascending order. More than one is a conflict.
    package private(set) var sources: [PersonID: [PersonID]] = [:]

    /// The map of the configuration, whose entries are all completed. The last pair of a source person counts.
    package init(_ pairs: [(source: PersonID, target: PersonID)]) {
        for pair in pairs {
            entries[pair.source] = MapEntry(
                source: pair.source, target: pair.target, state: .completed, origin: .configuration)
        }
        index()
    }

    /// The configuration's map, in which what was stored of a person replaces what the configuration says of them.
    package init(_ configured: IdentityMap, replacing stored: [MapEntry]) {
        entries = configured.entries
        for entry in stored { entries[entry.source] = entry }
        index()
    }

    private mutating func index() {
        for entry in entries.values {
            if let target = entry.target { sources[target, default: []].append(entry.source) }
        }
        for (target, people) in sources where people.count > 1 { sources[target] = people.sorted() }
    }

    /// Source person → target person, whatever the state.
    package var targets: [PersonID: PersonID] { entries.compactMapValues(\.target) }

    /// The entry that names the target person, if exactly one does; in whatever state.
    package func entry(for target: PersonID) -> MapEntry? {
        guard let found = sources[target], found.count == 1 else { return nil }
        return entries[found[0]]
    }

    /// The source of a target person if exactly one is mapped, and that mapping is completed.
    package func source(of target: PersonID) -> PersonID? {
        guard let entry = entry(for: target), entry.state == .completed else { return nil }
        return entry.source
    }
}
