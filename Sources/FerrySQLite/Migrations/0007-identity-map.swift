extension Migration {
    /// The identity map that administrators build, what it was before, and which mailboxes it was made for.
    static let identityMap = Migration(
        number: 7, name: "identity-map",
        sql: """
            CREATE TABLE map_entry (
                target_tenant BLOB NOT NULL,
                source_tenant BLOB NOT NULL,
                source BLOB NOT NULL,
                target BLOB,                      -- NULL while unmapped
                state TEXT NOT NULL,
                origin TEXT NOT NULL,
                changed INTEGER NOT NULL,
                author TEXT NOT NULL,
                PRIMARY KEY (target_tenant, source_tenant, source)
            ) STRICT, WITHOUT ROWID;

            CREATE INDEX map_entry_leaving ON map_entry (source_tenant, source) WHERE target IS NOT NULL;

            CREATE TABLE map_revision (
                target_tenant BLOB NOT NULL,
                source_tenant BLOB NOT NULL,
                revision INTEGER NOT NULL,
                PRIMARY KEY (target_tenant, source_tenant)
            ) STRICT, WITHOUT ROWID;

            CREATE TABLE map_history (
                number INTEGER PRIMARY KEY,
                target_tenant BLOB NOT NULL,
                source_tenant BLOB NOT NULL,
                source BLOB NOT NULL,
                target BLOB,
                state TEXT NOT NULL,
                origin TEXT NOT NULL,
                changed INTEGER NOT NULL,
                author TEXT NOT NULL,
                until INTEGER NOT NULL            -- when it was replaced or removed
            ) STRICT;

            CREATE INDEX map_history_person ON map_history (target_tenant, source_tenant, source, number);

            -- Also of people whom only the configuration maps.
            CREATE TABLE mailbox (
                target_tenant BLOB NOT NULL,
                source_tenant BLOB NOT NULL,
                source BLOB NOT NULL,
                identity TEXT NOT NULL,           -- as its connector spells it
                PRIMARY KEY (target_tenant, source_tenant, source)
            ) STRICT, WITHOUT ROWID;
            """)
}
