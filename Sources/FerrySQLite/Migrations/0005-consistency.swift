extension Migration {
    /// How much of each run arrived, and what somebody has agreed to leave behind.
    static let consistency = Migration(
        number: 5, name: "consistency",
        sql: """
            ALTER TABLE run ADD COLUMN grade TEXT;     -- NULL until the run was judged
            ALTER TABLE run ADD COLUMN lost INTEGER NOT NULL DEFAULT 0;
            ALTER TABLE run ADD COLUMN approved INTEGER NOT NULL DEFAULT 0;

            CREATE INDEX run_held ON run (job, ordinal) WHERE grade = 'investigate';
            """)
}
