import FerryCore
import FerryStore
import FerryTestKit
import GRDB
import Synchronization
import Testing

@testable import FerrySQLite

/// What a statement costs is decided by its plan; a full scan or a sort in a hot one is a mistake that no small test
/// would notice.
@Suite("The statements of the embedded store") struct QueryPlanTests {
    /// Runs the verb and gives the plans of all statements that it ran.
    private func plans(_ verb: (Database) throws -> Void) async throws -> [String] {
        let directory = try StoreDirectory()
        let writer = try StoreFile(path: directory.store, settings: SQLiteStore.Settings()).openWriter()
        let statements = Mutex<[String]>([])
        return try writer.inDatabase { db in
            db.trace { event in
                if case .statement(let statement) = event { statements.withLock { $0.append(statement.sql) } }
            }
            try verb(db)
            db.trace(nil)
            return try statements.withLock { $0 }.flatMap { sql in
                try Row.fetchAll(
                    db.makeStatement(sql: "EXPLAIN QUERY PLAN " + sql),
                    arguments: StatementArguments(Array(repeating: 0, count: sql.filter { $0 == "?" }.count))
                ).map { row in row["detail"] as String }
            }
        }
    }

    private func expectProbes(_ plans: [String], sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(!plans.isEmpty, sourceLocation: sourceLocation)
        for plan in plans {
            #expect(
                !plan.hasPrefix("SCAN ") || plan.hasPrefix("SCAN lanes") || plan == "SCAN CONSTANT ROW", "\(plan)",
                sourceLocation: sourceLocation)
            #expect(!plan.contains("USE TEMP B-TREE"), sourceLocation: sourceLocation)
        }
    }

    @Test("find a page of jobs by the index, the first and the next ones")
    func pageOfJobs() async throws {
        var query = JobQuery(tenant: Samples.target)
        for position in [nil, PagePosition(values: [.instant(Samples.start)], id: Samples.jobID(1).description)] {
            query.after = position
            let page = PageQuery<JobField>(query)
            let plans = try await plans { db in
                _ = try page.rows(in: db, JobTable.decode) { ($0.id.description, $0.queryValue) }
            }
            expectProbes(plans)
            let isPositioned = position != nil
            #expect(
                plans.contains { $0.contains("job_page (target_tenant=?" + (isPositioned ? " AND created<?" : "")) })
        }
    }

    @Test("find jobs, tasks and runs by their keys")
    func probes() async throws {
        let run = Samples.run(1, 1)
        expectProbes(
            try await plans { db in
                _ = try JobTable(db: db).find(run.job)
                _ = try JobTable(db: db).find(named: "wave", in: Samples.target)
                _ = try TaskTable(db: db).find(run.job, run.person)
                _ = try TaskTable(db: db).page(run.job, from: 5, limit: 20)
                _ = try TaskTable(db: db).hasRun(of: run.job, in: [.valid, .failed])
                try TaskTable(db: db).setProgress(RunProgress(), of: run)
                _ = try TaskTable(db: db).activeJobs(with: run.person, in: Samples.target, besides: run.job).count
                _ = try FindingTable(db: db).page(of: run.job, after: 7, limit: 20)
                try FindingTable(db: db).remove(of: run)
            }.filter { !$0.contains("USE TEMP B-TREE FOR ORDER BY") })
    }

    @Test("lease and wake up by the index of what is ready")
    func work() async throws {
        expectProbes(
            try await plans { db in
                let table = WorkTable(db: db)
                let lease = Lease(item: Samples.work(1), token: 1, expires: Samples.start)
                _ = try table.lease(room: [.control: 5], limit: 5, term: .seconds(1), now: Samples.start)
                _ = try table.nextDue()
                _ = try table.lanes()
                _ = try table.renew(lease, term: .seconds(1), now: Samples.start)
                _ = try table.bringForward(Samples.jobID(1), to: Samples.start)
                try table.remove(of: Samples.jobID(1))
                try table.release(lease.item)
            })
    }

    @Test("append to a ledger without reading it")
    func ledger() async throws {
        expectProbes(
            try await plans { db in
                let table = LedgerTable(db: db)
                let number = try table.open(Samples.route(1), ContainerID("mail/INBOX"))
                try table.append([Samples.entry(1)], removed: [], to: number)
                try table.setIntent(nil, of: number)
                _ = try table.read(Samples.route(1), ContainerID("mail/INBOX"))
                _ = try table.containers(Samples.route(1))
            })
    }
}
