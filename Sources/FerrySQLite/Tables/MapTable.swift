import FerryCore
import FerryStore
import GRDB

/// Rows of `map_entry`, `map_history`, `map_revision` and `mailbox`, of one pair of tenants.
struct MapTable {
    let db: Database
    let pair: TenantPair

    private static let columns = "source, target, state, origin, changed, author"
    private static let isPair = "target_tenant = ? AND source_tenant = ?"
    private var key: StatementArguments { [pair.target.blob, pair.source.blob] }

    // MARK: reads

    func revision() throws -> Int64 {
        try db.first("SELECT revision FROM map_revision WHERE \(Self.isPair)", key) { $0[0] } ?? 0
    }

    func all() throws -> StoredMap {
        StoredMap(
            revision: try revision(),
            entries: try db.rows(
                "SELECT \(Self.columns) FROM map_entry WHERE \(Self.isPair) ORDER BY source", key, Self.decode))
    }

    func find(_ source: PersonID) throws -> MapEntry? {
        try db.first(
            "SELECT \(Self.columns) FROM map_entry WHERE \(Self.isPair) AND source = ?", key + [source.blob],
            Self.decode)
    }

    func history(of source: PersonID) throws -> [FormerMapEntry] {
        try db.rows(
            """
            SELECT \(Self.columns), until FROM map_history WHERE \(Self.isPair) AND source = ?
            ORDER BY number DESC LIMIT 100
            """, key + [source.blob]
        ) { FormerMapEntry(entry: try Self.decode($0), until: $0.instant(6)) }
    }

    func mailbox(of source: PersonID) throws -> String? {
        try db.first("SELECT identity FROM mailbox WHERE \(Self.isPair) AND source = ?", key + [source.blob]) { $0[0] }
    }

    func mailboxes() throws -> [PersonID: String] {
        let rows = try db.rows("SELECT source, identity FROM mailbox WHERE \(Self.isPair)", key) { row in
            (try row.identifier(0) as PersonID, row[1] as String)
        }
        return Dictionary(uniqueKeysWithValues: rows)
    }

    static func leaving(_ tenant: TenantID, in db: Database) throws -> Set<PersonID> {
        Set(
            try db.rows(
                "SELECT source FROM map_entry WHERE source_tenant = ? AND target IS NOT NULL", [tenant.blob]
            ) { try $0.identifier(0) as PersonID })
    }

    // MARK: changes

    func save(_ entries: [MapEntry], now: Instant) throws {
        for entry in entries {
            try keep(entry.source, now: now)
            try db.run(
                """
                INSERT OR REPLACE INTO map_entry (target_tenant, source_tenant, \(Self.columns))
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """,
                key + [
                    entry.source.blob, entry.target?.blob, entry.state.rawValue, entry.origin.rawValue,
                    (entry.changed ?? now).microseconds, entry.author,
                ])
        }
        if !entries.isEmpty { try raiseRevision() }
    }

    func remove(_ source: PersonID, now: Instant) throws -> Bool {
        let wasThere = try keep(source, now: now)
        try db.run("DELETE FROM map_entry WHERE \(Self.isPair) AND source = ?", key + [source.blob])
        let hadMailbox = try mailbox(of: source) != nil
        try setMailbox(nil, of: source)
        if wasThere { try raiseRevision() }
        return wasThere || hadMailbox
    }

    func setMailbox(_ identity: String?, of source: PersonID) throws {
        guard let identity else {
            return try db.run("DELETE FROM mailbox WHERE \(Self.isPair) AND source = ?", key + [source.blob])
        }
        try db.run(
            "INSERT OR REPLACE INTO mailbox (target_tenant, source_tenant, source, identity) VALUES (?, ?, ?, ?)",
            key + [source.blob, identity])
    }

    /// What is stored of the person goes to the history; returns whether there is anything.
    @discardableResult
    private func keep(_ source: PersonID, now: Instant) throws -> Bool {
        guard try find(source) != nil else { return false }
        try db.run(
            """
            INSERT INTO map_history (target_tenant, source_tenant, \(Self.columns), until)
            SELECT target_tenant, source_tenant, \(Self.columns), ? FROM map_entry WHERE \(Self.isPair) AND source = ?
            """, [now.microseconds] + key + [source.blob])
        return true
    }

    private func raiseRevision() throws {
        try db.run(
            """
            INSERT INTO map_revision (target_tenant, source_tenant, revision) VALUES (?, ?, 1)
            ON CONFLICT (target_tenant, source_tenant) DO UPDATE SET revision = revision + 1
            """, key)
    }

    private static func decode(_ row: Row) throws -> MapEntry {
        MapEntry(
            source: try row.identifier(0), target: row.hasNull(atIndex: 1) ? nil : try row.identifier(1),
            state: try row.member(2), origin: try row.member(3), changed: row.instant(4), author: row[5])
    }
}
