import FerryCore
import FerryFormats
import FerryStore
import FerryTestKit
import Foundation
import GRDB
import Testing

@testable import FerrySQLite

@Suite("The audit trail of the embedded store") struct AuditTests {
    /// A closed store with ten records, and the heads after the fifth and the tenth.
    private func written(_ directory: StoreDirectory) async throws -> (middle: AuditHead, end: AuditHead) {
        let store = try await directory.open()
        for number in 1...10 {
            try await store.append([
                AuditEntry(
                    tenant: Samples.target, at: Samples.start + .seconds(number), subject: "7", name: "mover",
                    application: "app", origin: "192.0.2.7", operation: "cancelUser", job: Samples.jobID(number),
                    person: Samples.person(number), detail: "d", status: 202, code: "c",
                    requestID: GUID(high: 1, low: UInt64(number)))
            ])
        }
        let records = try await store.reader.auditRecords(AuditQuery(tenant: Samples.target))
        await store.close()
        return (records[4].head, records[9].head)
    }

    /// What somebody does who may write the file and knows it well.
    private func edit(_ directory: StoreDirectory, _ sql: String) throws {
        let queue = try DatabaseQueue(path: directory.store)
        try queue.write { db in
            try db.execute(sql: "DROP TRIGGER audit_record_keeps; DROP TRIGGER audit_record_stays")
            try db.execute(sql: sql)
        }
        try queue.close()
    }

    private func verify(_ directory: StoreDirectory, anchors: [AuditHead] = []) async throws -> AuditVerifier.Flaw? {
        let store = try await directory.open(access: .readOnly)
        let records = try await store.reader.auditRecords(AuditQuery(tenant: Samples.target))
        await store.close()
        var verifier = AuditVerifier(tenant: Samples.target, anchors: anchors)
        do throws(AuditVerifier.Flaw) {
            for record in records { try verifier.check(record) }
            try verifier.end()
        } catch {
            return error
        }
        return nil
    }

    @Test("shows nothing wrong when nobody touched it")
    func isWhole() async throws {
        let directory = try StoreDirectory()
        let heads = try await written(directory)
        #expect(try await verify(directory, anchors: [heads.middle, heads.end]) == nil)
    }

    @Test(
        "shows a change of any column, at the record that was changed",
        arguments: [
            "at = at + 1", "since = since - 1", "count = 2", "subject = '8'", "name = 'Mover'", "application = ''",
            "origin = '192.0.2.8'", "operation = 'cancelJob'", "job = zeroblob(16)", "job = NULL", "person = job",
            "person = NULL", "detail = ''", "status = 409", "code = ''", "request = zeroblob(16)", "request = NULL",
            "digest = zeroblob(32)", "name = 'movera', application = 'pp'", "subject = '', name = '7mover'",
        ])
    func showsChanges(_ change: String) async throws {
        let directory = try StoreDirectory()
        _ = try await written(directory)
        try edit(directory, "UPDATE audit_record SET \(change) WHERE sequence = 4")
        #expect(try await verify(directory) == .altered(sequence: 4))
    }

    struct Tampering: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var sql: String
        var flaw: AuditVerifier.Flaw

        init(_ description: String, _ flaw: AuditVerifier.Flaw, _ sql: String) {
            testDescription = description
            self.sql = sql
            self.flaw = flaw
        }
    }

    @Test(
        "shows removed, moved and inserted records",
        arguments: [
            Tampering(
                "a record is removed", .missing(sequence: 4), "DELETE FROM audit_record WHERE sequence = 4"),
            Tampering(
                "the beginning is removed", .missing(sequence: 1), "DELETE FROM audit_record WHERE sequence < 4"),
            Tampering(
                "a record is removed and the others move up", .altered(sequence: 4),
                """
                DELETE FROM audit_record WHERE sequence = 4;
                UPDATE audit_record SET sequence = -sequence + 1 WHERE sequence > 4;
                UPDATE audit_record SET sequence = -sequence WHERE sequence < 0
                """),
            Tampering(
                "two records change places", .altered(sequence: 4),
                """
                UPDATE audit_record SET sequence = 99 WHERE sequence = 4;
                UPDATE audit_record SET sequence = 4 WHERE sequence = 5;
                UPDATE audit_record SET sequence = 5 WHERE sequence = 99
                """),
            Tampering(
                "a record is put in between", .altered(sequence: 4),
                """
                UPDATE audit_record SET sequence = -sequence - 1 WHERE sequence >= 4;
                UPDATE audit_record SET sequence = -sequence WHERE sequence < 0;
                INSERT INTO audit_record SELECT tenant, 4, at, since, count, subject, name, application, origin,
                    operation, job, person, detail, status, code, NULL, digest FROM audit_record WHERE sequence = 3
                """),
            Tampering(
                "a record is put at the end", .altered(sequence: 11),
                """
                INSERT INTO audit_record SELECT tenant, 11, at, since, count, subject, name, application, origin,
                    operation, job, person, detail, status, code, NULL, digest FROM audit_record WHERE sequence = 10
                """),
            Tampering(
                "a record comes from another chain", .altered(sequence: 4),
                "UPDATE audit_record SET digest = (SELECT digest FROM audit_record WHERE sequence = 5) WHERE sequence = 4"
            ),
        ])
    func showsMoves(_ tampering: Tampering) async throws {
        let directory = try StoreDirectory()
        _ = try await written(directory)
        try edit(directory, tampering.sql)
        #expect(try await verify(directory) == tampering.flaw)
    }

    @Test("shows with an anchor that its end was cut off, which nothing shows without one")
    func showsTruncation() async throws {
        let directory = try StoreDirectory()
        let heads = try await written(directory)
        try edit(directory, "DELETE FROM audit_record WHERE sequence > 7")
        #expect(try await verify(directory) == nil)
        #expect(try await verify(directory, anchors: [heads.middle]) == nil)
        #expect(
            try await verify(directory, anchors: [heads.middle, heads.end]) == .truncated(sequence: 7, anchored: 10))
    }

    @Test("shows with an anchor that it was written anew")
    func showsRewriting() async throws {
        let directory = try StoreDirectory()
        let heads = try await written(directory)
        try edit(directory, "DELETE FROM audit_record")
        let store = try await directory.open()
        for _ in 1...12 {
            try await store.append([AuditEntry(tenant: Samples.target, at: Samples.start, operation: "createJob")])
        }
        await store.close()
        #expect(try await verify(directory) == nil)
        #expect(try await verify(directory, anchors: [heads.end]) == .rewritten(sequence: 10))
    }

    @Test(
        "is not changed by any statement of ours",
        arguments: ["UPDATE audit_record SET name = ''", "DELETE FROM audit_record"])
    func isAppendOnly(_ sql: String) async throws {
        let directory = try StoreDirectory()
        _ = try await written(directory)
        let queue = try DatabaseQueue(path: directory.store)
        await #expect(throws: DatabaseError.self) { try await queue.write { try $0.execute(sql: sql) } }
        try queue.close()
        #expect(try await verify(directory) == nil)
    }

    @Test("is in the files together with the change it tells of, after every commit, whole or torn")
    func survivesACrash() async throws {
        let directory = try StoreDirectory()
        let store = try await directory.open()
        for number in 1...4 {
            try await store.transact { (tx) throws(StoreError) in
                try tx.insert(Samples.job(number, people: Array(1...200)))
                let head = try tx.auditHead(of: Samples.target) ?? .beginning(of: Samples.target)
                try tx.append(
                    AuditChain.seal(
                        AuditEntry(
                            tenant: Samples.target, at: tx.now, operation: "createJob", job: Samples.jobID(number)),
                        after: head))
            }
            for cut in [0, 3_000] {
                let name = "copy\(number)-\(cut).sqlite"
                try directory.copyFiles(to: name)
                let log = try FileHandle(forWritingTo: URL(filePath: "\(directory.path)/\(name)-wal"))
                try log.truncate(atOffset: try log.seekToEnd() - UInt64(cut))
                try log.close()
                let copy = try await directory.open(name)
                let records = try await copy.reader.auditRecords(AuditQuery(tenant: Samples.target))
                let jobs = try await copy.reader.count(JobQuery(tenant: Samples.target))
                #expect(records.count == (cut == 0 ? number : number - 1))
                #expect(jobs == records.count)
                var verifier = AuditVerifier(tenant: Samples.target)
                for record in records { try verifier.check(record) }
                await copy.close()
            }
        }
        await store.close()
    }

    @Test("comes to a store of before with the migration, which keeps what was there")
    func migrates() async throws {
        let directory = try StoreDirectory()
        let old = try DatabaseQueue(path: directory.store)
        try await old.writeWithoutTransaction { db in
            try Migrator(migrations: [.jobsWorkLedger]).migrate(db)
            try db.execute(sql: "INSERT INTO counter (name, value) VALUES ('kept', 5)")
        }
        try old.close()
        let store = try await directory.open()
        try await store.append([AuditEntry(tenant: Samples.target, at: Samples.start, operation: "createJob")])
        #expect(try await store.reader.auditHead(of: Samples.target)?.sequence == 1)
        await store.close()
        let kept = try DatabaseQueue(path: directory.store)
        let value = try await kept.read { try Int.fetchOne($0, sql: "SELECT value FROM counter WHERE name = 'kept'") }
        #expect(value == 5)
        try kept.close()
    }
}
