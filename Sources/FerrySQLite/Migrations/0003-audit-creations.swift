extension Migration {
    /// The audit trail, and the creations that a client may send again.
    ///
    /// A record is columns and not a blob, so that every octet that a filter reads is covered by its digest.
    static let auditCreations = Migration(
        number: 3, name: "audit-creations",
        sql: """
            -- One chain per tenant. Records follow each other without gaps; the triggers below keep our own statements
            -- from changing what was written, the digests show when somebody else did.
            CREATE TABLE audit_record (
                tenant BLOB NOT NULL,             -- 16 zero octets: what belongs to no tenant
                sequence INTEGER NOT NULL,        -- from 1
                at INTEGER NOT NULL,
                since INTEGER NOT NULL,
                count INTEGER NOT NULL,
                subject TEXT NOT NULL,
                name TEXT NOT NULL,
                application TEXT NOT NULL,
                origin TEXT NOT NULL,
                operation TEXT NOT NULL,
                job BLOB,
                person BLOB,
                detail TEXT NOT NULL,
                status INTEGER NOT NULL,
                code TEXT NOT NULL,
                request BLOB,
                digest BLOB NOT NULL,             -- 32 octets
                PRIMARY KEY (tenant, sequence)
            ) STRICT, WITHOUT ROWID;

            CREATE INDEX audit_record_job ON audit_record (tenant, job, sequence) WHERE job IS NOT NULL;
            CREATE INDEX audit_record_at ON audit_record (tenant, at);
            -- The record of a token may come to the store twice; it is taken once.
            CREATE UNIQUE INDEX audit_record_token ON audit_record (request) WHERE operation = 'issueToken';

            CREATE TRIGGER audit_record_keeps BEFORE UPDATE ON audit_record
            BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
            CREATE TRIGGER audit_record_stays BEFORE DELETE ON audit_record
            BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;

            CREATE TABLE creation (
                tenant BLOB NOT NULL,
                subject TEXT NOT NULL,
                id TEXT NOT NULL,                 -- client-request-id
                fingerprint BLOB NOT NULL,
                job BLOB NOT NULL,
                at INTEGER NOT NULL,
                PRIMARY KEY (tenant, subject, id)
            ) STRICT, WITHOUT ROWID;

            CREATE INDEX creation_at ON creation (at);
            """)
}
