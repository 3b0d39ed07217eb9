extension Migration {
    /// Instants are microseconds since 1970, identifiers are 16 octets, states are the raw values of `FerryCore`.
    ///
    /// `job` is kept small, because its rows are rewritten with each change of state and scanned by filters; the people
    /// lie beside it. Children carry the job's number (1 to 3 octets) and the person's place instead of two GUIDs.
    static let jobsWorkLedger = Migration(
        number: 1, name: "jobs-work-ledger",
        sql: """
            CREATE TABLE job (
                number INTEGER PRIMARY KEY,
                id BLOB NOT NULL UNIQUE,
                target_tenant BLOB NOT NULL,
                source_tenant BLOB NOT NULL,
                display_name TEXT NOT NULL,
                folded_name TEXT NOT NULL,        -- display_name in lower case
                source_endpoint TEXT,             -- both NULL without exchange settings
                delivery_domain TEXT,
                workloads TEXT NOT NULL,          -- ',mailbox,files,' in the order of the request
                created_by TEXT NOT NULL,
                created INTEGER NOT NULL,
                updated INTEGER NOT NULL,
                complete_after INTEGER NOT NULL,
                status TEXT NOT NULL,
                type TEXT NOT NULL,
                message TEXT NOT NULL,
                interrupted TEXT,                 -- state to go back to; NULL unless adminActionRequired
                validated INTEGER,                -- NULL before the first pass
                attempt INTEGER NOT NULL,
                validation_only INTEGER NOT NULL, -- 0 or 1
                version INTEGER NOT NULL
            ) STRICT;

            -- A name is held until deletion was accepted.
            CREATE UNIQUE INDEX job_name ON job (target_tenant, folded_name)
                WHERE status NOT IN ('pendingDelete', 'deleted');
            -- The default page: newest first, tombstones left out.
            CREATE INDEX job_page ON job (target_tenant, created DESC, id) WHERE status <> 'deleted';
            CREATE INDEX job_tombstone ON job (updated) WHERE status = 'deleted';

            -- The people of a job in the order of the request, 16 octets each. No row: nobody.
            CREATE TABLE job_people (
                job INTEGER PRIMARY KEY REFERENCES job,
                people BLOB NOT NULL
            ) STRICT;

            CREATE TABLE user_task (
                job INTEGER NOT NULL REFERENCES job,
                ordinal INTEGER NOT NULL,         -- place in the request, from 0
                person BLOB NOT NULL,
                updated INTEGER NOT NULL,
                PRIMARY KEY (job, ordinal)
            ) STRICT, WITHOUT ROWID;

            CREATE UNIQUE INDEX user_task_person ON user_task (person, job);

            CREATE TABLE run (
                job INTEGER NOT NULL,
                ordinal INTEGER NOT NULL,
                workload TEXT NOT NULL,
                status TEXT NOT NULL,
                message TEXT NOT NULL DEFAULT '',
                findings TEXT NOT NULL DEFAULT '', -- JSON array, empty text for none
                items INTEGER NOT NULL DEFAULT 0,
                bytes INTEGER NOT NULL DEFAULT 0,
                items_expected INTEGER,            -- NULL until a listing has ended
                bytes_expected INTEGER,
                skipped INTEGER NOT NULL DEFAULT 0,
                failed INTEGER NOT NULL DEFAULT 0,
                passes INTEGER NOT NULL DEFAULT 0,
                active_microseconds INTEGER NOT NULL DEFAULT 0,
                frozen_microseconds INTEGER NOT NULL DEFAULT 0,
                PRIMARY KEY (job, ordinal, workload),
                FOREIGN KEY (job, ordinal) REFERENCES user_task
            ) STRICT, WITHOUT ROWID;

            CREATE INDEX run_status ON run (job, status);

            CREATE TABLE work (
                job BLOB NOT NULL,
                kind INTEGER NOT NULL,            -- 0 job, 1 check of a person, 2 run
                person BLOB NOT NULL,             -- empty for kind 0
                workload TEXT NOT NULL,           -- empty for kinds 0 and 1
                lane TEXT NOT NULL,
                due INTEGER NOT NULL,
                attempts INTEGER NOT NULL,
                token INTEGER NOT NULL DEFAULT 0, -- 0: nobody holds it
                lease_until INTEGER NOT NULL DEFAULT 0,
                again INTEGER NOT NULL DEFAULT 0, -- 1: enqueued while it was held
                PRIMARY KEY (job, kind, person, workload)
            ) STRICT, WITHOUT ROWID;

            -- When an item can be leased: once it is due and nobody holds it any more.
            CREATE INDEX work_ready ON work (lane, max(due, lease_until));

            CREATE TABLE counter (
                name TEXT PRIMARY KEY,
                value INTEGER NOT NULL
            ) STRICT, WITHOUT ROWID;

            INSERT INTO counter (name, value) VALUES ('lease', 0);

            -- What is known of a container: its base, then the batches since in the order of `sequence`.
            CREATE TABLE ledger (
                number INTEGER PRIMARY KEY,
                route BLOB NOT NULL,              -- source tenant and person, target tenant and person, workload
                container TEXT NOT NULL,
                UNIQUE (route, container)
            ) STRICT;

            CREATE TABLE ledger_base (
                ledger INTEGER PRIMARY KEY REFERENCES ledger,
                entries BLOB NOT NULL,
                cursor BLOB                       -- NULL before the first complete pass
            ) STRICT;

            CREATE TABLE ledger_batch (
                sequence INTEGER PRIMARY KEY,
                ledger INTEGER NOT NULL REFERENCES ledger,
                entries BLOB NOT NULL,
                removed BLOB NOT NULL             -- item keys, 16 octets each
            ) STRICT;

            CREATE INDEX ledger_batch_ledger ON ledger_batch (ledger, sequence);

            CREATE TABLE ledger_intent (
                ledger INTEGER PRIMARY KEY REFERENCES ledger,
                keys BLOB NOT NULL,               -- item keys, 16 octets each
                mark BLOB NOT NULL
            ) STRICT;

            -- Sequence numbers are never used again, so that a reader who follows misses nothing.
            CREATE TABLE item_finding (
                sequence INTEGER PRIMARY KEY AUTOINCREMENT,
                job INTEGER NOT NULL REFERENCES job,
                person BLOB NOT NULL,
                workload TEXT NOT NULL,
                container TEXT NOT NULL,
                item TEXT NOT NULL,
                outcome INTEGER NOT NULL,
                code TEXT NOT NULL,
                message TEXT NOT NULL,
                at INTEGER NOT NULL
            ) STRICT;

            CREATE INDEX item_finding_job ON item_finding (job, sequence);
            CREATE INDEX item_finding_run ON item_finding (job, person, workload);
            """)
}
