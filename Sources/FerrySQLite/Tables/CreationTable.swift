import FerryCore
import FoundationEssentials
import GRDB

/// Rows of `creation`.
struct CreationTable {
    let db: Database

    func find(_ key: RememberedCreation.Key, since: Instant) throws -> RememberedCreation? {
        try db.first(
            "SELECT fingerprint, job, at FROM creation WHERE tenant = ? AND subject = ? AND id = ? AND at >= ?",
            [key.tenant.blob, key.subject, key.id, since.microseconds]
        ) { row in
            RememberedCreation(
                key: key, fingerprint: try row.octets(0), job: try row.identifier(1), at: row.instant(2))
        }
    }

    func save(_ creation: RememberedCreation) throws {
        try db.run(
            "INSERT OR REPLACE INTO creation (tenant, subject, id, fingerprint, job, at) VALUES (?, ?, ?, ?, ?, ?)",
            [
                creation.key.tenant.blob, creation.key.subject, creation.key.id, Data(creation.fingerprint),
                creation.job.blob, creation.at.microseconds,
            ])
    }

    func remove(before instant: Instant) throws {
        try db.run("DELETE FROM creation WHERE at < ?", [instant.microseconds])
    }
}
