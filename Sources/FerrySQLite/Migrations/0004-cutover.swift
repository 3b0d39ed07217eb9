extension Migration {
    /// The journal of cutovers that have begun and are not over.
    static let cutover = Migration(
        number: 4, name: "cutover",
        sql: """
            CREATE TABLE cutover (
                job INTEGER NOT NULL,
                ordinal INTEGER NOT NULL,
                workload TEXT NOT NULL,
                step TEXT NOT NULL,               -- being done; those before it are done
                began INTEGER NOT NULL,           -- when the freeze was asked for
                hold TEXT,                        -- nothing, partly, whole; NULL until the freeze is done
                undoing INTEGER NOT NULL,         -- 0 or 1
                PRIMARY KEY (job, ordinal, workload)
            ) STRICT, WITHOUT ROWID;
            """)
}
