import FerryCore
import FerryStore
import FerryTestKit
import Foundation
import GRDB
import Testing

@testable import FerrySQLite

@Suite("What the embedded store has promised") struct DurabilityTests {
    @Test("the writer syncs every commit")
    func syncsEveryCommit() throws {
        let directory = try StoreDirectory()
        let file = StoreFile(path: directory.store, settings: SQLiteStore.Settings())
        let writer = try file.openWriter()
        let pragmas = try writer.inDatabase { db in
            try ["synchronous", "journal_mode", "foreign_keys", "secure_delete"].map {
                try String.fetchOne(db, sql: "PRAGMA \($0)")
            }
        }
        #expect(pragmas == ["2", "wal", "1", "0"])
    }

    @Test("is in the files as soon as the call returns, without any close")
    func survivesACrash() async throws {
        let directory = try StoreDirectory()
        let store = try await directory.open()
        for number in 1...5 {
            let job = Samples.job(number, people: Array(1...number))
            try await store.transact { (tx) throws(StoreError) in
                try tx.insert(job)
                try tx.enqueue(Samples.work(number))
            }
            try directory.copyFiles(to: "copy\(number).sqlite")
            let copy = try await directory.open("copy\(number).sqlite")
            #expect(try await copy.reader.job(.key(job.id.description), in: Samples.target) == job)
            #expect(try await copy.reader.count(JobQuery(tenant: Samples.target)) == number)
            #expect(try await copy.reader.tasks(TaskQuery(job: job.id)).rows.count == number)
            await copy.close()
        }
        await store.close()
    }

    @Test("a log that was cut off in the middle of a commit gives the commits before it")
    func survivesATornLog() async throws {
        let directory = try StoreDirectory()
        let store = try await directory.open()
        try await store.transact { (tx) throws(StoreError) in try tx.insert(Samples.job(1)) }
        let whole = try Data(contentsOf: URL(filePath: directory.store + "-wal")).count
        try await store.transact { (tx) throws(StoreError) in try tx.insert(Samples.job(2, people: Array(1...500))) }
        try directory.copyFiles(to: "torn.sqlite")
        let log = try FileHandle(forWritingTo: URL(filePath: directory.path + "/torn.sqlite-wal"))
        let size = try log.seekToEnd()
        try #require(size > whole + 5_000)
        try log.truncate(atOffset: size - 3_000)
        try log.close()
        let torn = try await directory.open("torn.sqlite")
        #expect(try await torn.reader.jobs(JobQuery(tenant: Samples.target)).rows == [Samples.job(1)])
        #expect(try await torn.reader.task(Samples.jobID(2), Samples.person(1)) == nil)
        await torn.close()
        await store.close()
    }

    @Test("lease tokens rise beyond a restart")
    func tokensRiseBeyondARestart() async throws {
        let directory = try StoreDirectory()
        var tokens: [Int64] = []
        for number in 1...3 {
            let store = try await directory.open()
            tokens += try await store.transact { (tx) throws(StoreError) in
                try tx.enqueue(Samples.work(number))
                return try tx.lease(room: [.control: 1], limit: 1, term: .seconds(60)).map(\.token)
            }
            await store.close()
        }
        #expect(tokens.count == 3)
        #expect(zip(tokens, tokens.dropFirst()).allSatisfy { $0 < $1 })
    }

    @Test("a restart frees what was leased, even when the clock was set back meanwhile")
    func restartFreesLeases() async throws {
        let directory = try StoreDirectory()
        let before = try await directory.open(now: Samples.start + .seconds(7200))
        let item = WorkItem(key: Samples.work(1).key, lane: .control, due: Samples.start)
        let lost = try await before.transact { (tx) throws(StoreError) in
            try tx.enqueue(item)
            return try tx.lease(room: [.control: 1], limit: 1, term: .seconds(60))[0]
        }
        await before.close()
        let after = try await directory.open(now: Samples.start + .seconds(1))
        let lease = try await after.transact { (tx) throws(StoreError) in
            try tx.lease(room: [.control: 1], limit: 1, term: .seconds(60)).first
        }
        #expect(lease?.item.key == item.key)
        await #expect(throws: StoreError.leaseLost) {
            try await after.transact { (tx) throws(StoreError) in try tx.require(lost) }
        }
        await after.close()
    }

    @Test("a full disk refuses what does not fit, loses nothing, and what fits goes on")
    func survivesAFullDisk() async throws {
        let directory = try StoreDirectory()
        var settings = SQLiteStore.Settings()
        settings.maximumPages = 150
        let store = try await directory.open(settings: settings)
        var stored: [Job] = []
        var failure: StoreError?
        for number in 1...200 where failure == nil {
            let job = Samples.job(number, people: Array(1...100))
            do throws(StoreError) {
                try await store.transact { (tx) throws(StoreError) in try tx.insert(job) }
                stored.append(job)
            } catch {
                failure = error
            }
        }
        guard case .unavailable(let text)? = failure else {
            Issue.record("The store took 200 jobs of 100 people into 150 pages, or failed otherwise: \(failure as Any)")
            return
        }
        #expect(text.contains("free disk space"))
        // A closure that hides the failure of a verb commits nothing either.
        await #expect(throws: StoreError.unavailable(text)) {
            try await store.transact { (tx) throws(StoreError) in
                try tx.enqueue(Samples.work(1))
                do throws(StoreError) { try tx.insert(Samples.job(500, people: Array(1...2_000))) } catch {}
            }
        }
        #expect(try await store.reader.nextDue() == nil)
        // Concurrent callers: only those that do not fit are refused.
        await withTaskGroup(of: Void.self) { group in
            for number in 1...8 {
                group.addTask {
                    do throws(StoreError) {
                        try await store.transact { (tx) throws(StoreError) in
                            if number == 4 {
                                try tx.insert(Samples.job(600, people: Array(1...2_000)))
                            } else {
                                try tx.enqueue(Samples.work(number))
                            }
                        }
                        #expect(number != 4)
                    } catch {
                        #expect(number == 4, "\(error)")
                    }
                }
            }
        }
        #expect(try await store.transact { (tx) throws(StoreError) in try tx.lanes() } == [.control])
        var query = JobQuery(tenant: Samples.target)
        query.order = [Ordering(.created)]
        query.limit = 1_000
        #expect(try await store.reader.jobs(query).rows == stored)
        await store.close()
        let again = try await directory.open()
        #expect(try await again.reader.jobs(query).rows == stored)
        try await again.transact { (tx) throws(StoreError) in try tx.insert(Samples.job(501, people: Array(1...2_000)))
        }
        await again.close()
    }
}
