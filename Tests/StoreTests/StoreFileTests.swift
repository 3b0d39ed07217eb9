import FerryCore
import FerryStore
import FerryTestKit
import Foundation
import GRDB
import Testing

@testable import FerrySQLite

@Suite("The file of the embedded store") struct StoreFileTests {
    /// Opens the file and gives the text of the `.unusable` that it must throw.
    private func refusal(
        of directory: StoreDirectory, access: SQLiteStore.Access = .exclusive,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async -> String {
        let error = await #expect(throws: StoreError.self, sourceLocation: sourceLocation) {
            try await directory.open(access: access).close()
        }
        guard case .unusable(let text)? = error else {
            Issue.record("It was refused otherwise: \(error as Any)", sourceLocation: sourceLocation)
            return ""
        }
        #expect(text.hasPrefix(directory.store + ": "), sourceLocation: sourceLocation)
        return text
    }

    private func edit(_ directory: StoreDirectory, _ sql: String) throws {
        let queue = try DatabaseQueue(path: directory.store)
        try queue.write { try $0.execute(sql: sql) }
        try queue.close()
    }

    @Test("is made for its owner alone")
    func isPrivate() async throws {
        let directory = try StoreDirectory()
        let store = try await directory.open()
        let attributes = try FileManager.default.attributesOfItem(atPath: directory.store)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        await store.close()
    }

    @Test("is opened for writing once at a time, and who has it is said")
    func isLocked() async throws {
        let directory = try StoreDirectory()
        let first = try await directory.open()
        let error = await #expect(throws: StoreError.self) { _ = try await directory.open() }
        guard case .unavailable(let text)? = error else {
            Issue.record("It was refused otherwise: \(error as Any)")
            return
        }
        #expect(text.contains(directory.store + ".lock"))
        #expect(text.contains("process \(ProcessInfo.processInfo.processIdentifier) "))
        await first.close()
        let second = try await directory.open()
        await second.close()
    }

    @Test("can be read beside its writer, which is never waited for")
    func isReadBesideTheWriter() async throws {
        let directory = try StoreDirectory()
        let writer = try await directory.open()
        try await writer.transact { (tx) throws(StoreError) in try tx.insert(Samples.job(1)) }
        let reader = try await directory.open(access: .readOnly)
        let reference = JobReference.key("Wave 1")
        #expect(try await reader.reader.job(reference, in: Samples.target)?.version == 1)
        try await writer.transact { (tx) throws(StoreError) in _ = try tx.save(Samples.job(1, status: .failed)) }
        #expect(try await reader.reader.job(reference, in: Samples.target)?.status == .failed)
        await #expect(throws: StoreError.self) {
            try await reader.transact { (tx) throws(StoreError) in try tx.insert(Samples.job(2)) }
        }
        await reader.close()
        await writer.close()
        let alone = try await directory.open(access: .readOnly)
        #expect(try await alone.reader.job(reference, in: Samples.target)?.status == .failed)
        await alone.close()
    }

    @Test("is refused when a newer program wrote it")
    func refusesANewerSchema() async throws {
        let directory = try StoreDirectory()
        try await directory.open().close()
        try edit(directory, "INSERT INTO schema_migration VALUES (99, 'from-the-future', '0')")
        #expect(await refusal(of: directory).contains("newer version"))
        #expect(await refusal(of: directory, access: .readOnly).contains("newer version"))
    }

    @Test("is refused when a migration was applied to it in another form")
    func refusesAChangedMigration() async throws {
        let directory = try StoreDirectory()
        try await directory.open().close()
        try edit(directory, "UPDATE schema_migration SET checksum = 'abc' WHERE number = 1")
        #expect(await refusal(of: directory).contains("migration 1"))
    }

    @Test("is refused, and left as it is, when it belongs to another program")
    func refusesAnotherProgramsFile() async throws {
        let directory = try StoreDirectory()
        try edit(directory, "CREATE TABLE note (text TEXT)")
        let before = try Data(contentsOf: URL(filePath: directory.store))
        #expect(await refusal(of: directory).contains("another program"))
        #expect(try Data(contentsOf: URL(filePath: directory.store)) == before)
    }

    @Test("is refused when it is no database or damaged")
    func refusesDamage() async throws {
        let text = try StoreDirectory()
        try Data(repeating: UInt8(ascii: "x"), count: 10_000).write(to: URL(filePath: text.store))
        #expect(await refusal(of: text).contains("not a database"))

        let damaged = try StoreDirectory()
        let store = try await damaged.open()
        for number in 1...20 {
            try await store.transact { (tx) throws(StoreError) in
                try tx.insert(Samples.job(number, people: Array(1...50)))
            }
        }
        await store.close()
        #expect(!FileManager.default.fileExists(atPath: damaged.store + "-wal"))
        let file = try FileHandle(forUpdating: URL(filePath: damaged.store))
        let size = try file.seekToEnd()
        // All but the first page, which has the header and the schema.
        try file.seek(toOffset: 4_096)
        try file.write(contentsOf: Data(repeating: 0xA5, count: Int(size) - 4_096))
        try file.close()
        #expect(await refusal(of: damaged).contains("damaged"))
    }

    @Test("is not looked for in a directory that is not there")
    func namesAMissingDirectory() async throws {
        let path = "/nowhere/at/all.sqlite"
        let error = await #expect(throws: StoreError.self) {
            _ = try await SQLiteStore.open(path: path, now: { Samples.start })
        }
        guard case .unavailable(let text)? = error else {
            Issue.record("It was refused otherwise: \(error as Any)")
            return
        }
        #expect(text.contains(path + ".lock"))
        await #expect(throws: StoreError.self) {
            _ = try await SQLiteStore.open(path: path, access: .readOnly, now: { Samples.start })
        }
    }

    @Test(
        "has the checksums of released migrations",
        arguments: [(1, "43bf6d15469e3c07"), (2, "7f582a8c43e84420"), (3, "8820aeaa540b4fa9")])
    func keepsReleasedMigrations(number: Int, checksum: String) {
        #expect(Migration.all[number - 1].checksum == checksum)
        #expect(Migration.all.map(\.number) == Array(1...Migration.all.count))
    }

    @Test("comes to cutovers and grades with migrations that keep what was there")
    func migratesToCutoversAndGrades() async throws {
        let directory = try StoreDirectory()
        let old = try DatabaseQueue(path: directory.store)
        try await old.writeWithoutTransaction { db in
            try Migrator(migrations: Array(Migration.all.prefix(3))).migrate(db)
            try db.execute(sql: "INSERT INTO counter (name, value) VALUES ('kept', 5)")
            try db.execute(
                sql: """
                    INSERT INTO job (id, target_tenant, source_tenant, display_name, folded_name, workloads, created_by,
                        created, updated, complete_after, status, type, message, attempt, validation_only, version)
                    VALUES (?, ?, ?, 'Old', 'old', ',mailbox,', 'a', 0, 0, 0, 'failed', 'migrate', '', 1, 0, 1)
                    """, arguments: [Samples.jobID(5).blob, Samples.target.blob, Samples.source.blob])
            try db.execute(sql: "INSERT INTO user_task VALUES (1, 0, ?, 0)", arguments: [Samples.person(1).blob])
            try db.execute(sql: "INSERT INTO run (job, ordinal, workload, status) VALUES (1, 0, 'mailbox', 'failed')")
        }
        try old.close()
        let store = try await directory.open()
        let journal = CutoverJournal(step: .redirect, began: Samples.start, hold: .whole)
        try await store.transact { (tx) throws(StoreError) in
            try tx.insert(Samples.job(1))
            try tx.setCutover(journal, of: Samples.run(1, 1, .mailbox))
        }
        let run = try await store.reader.task(Samples.jobID(5), Samples.person(1))?[.mailbox]
        #expect(run?.status == .failed && run?.verdict == nil && run?.approved == 0)
        await store.close()
        let kept = try DatabaseQueue(path: directory.store)
        let value = try await kept.read { try Int.fetchOne($0, sql: "SELECT value FROM counter WHERE name = 'kept'") }
        #expect(value == 5)
        try kept.close()
        let again = try await directory.open()
        let found = try await again.transact { (tx) throws(StoreError) in
            try tx.cutover(of: Samples.run(1, 1, .mailbox))
        }
        #expect(found == journal)
        await again.close()
    }
}
