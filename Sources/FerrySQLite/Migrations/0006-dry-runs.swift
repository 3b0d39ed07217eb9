extension Migration {
    /// Dry runs and what they saw. Work of kind 3 hands a dry run out, kind 4 forecasts a run.
    static let dryRuns = Migration(
        number: 6, name: "dry-runs",
        sql: """
            CREATE TABLE dry_run (
                job INTEGER PRIMARY KEY REFERENCES job,
                state TEXT NOT NULL,
                began INTEGER NOT NULL,
                ended INTEGER,                    -- NULL while it runs
                expected INTEGER,                 -- forecasts; NULL until the work has been handed out
                done INTEGER NOT NULL
            ) STRICT;

            CREATE TABLE forecast (
                job INTEGER NOT NULL,
                ordinal INTEGER NOT NULL,
                workload TEXT NOT NULL,
                content TEXT NOT NULL,            -- JSON object
                PRIMARY KEY (job, ordinal, workload),
                FOREIGN KEY (job, ordinal) REFERENCES user_task
            ) STRICT, WITHOUT ROWID;
            """)
}
