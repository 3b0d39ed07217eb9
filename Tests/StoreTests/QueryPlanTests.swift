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

    /// A filter, the index that has to answer it in the default order, and whether what it finds has to be sorted:
    /// then it must have been found that it is little.
    struct Filter: Sendable, CustomTestStringConvertible {
        var predicate: FerryCore.Predicate<JobField>
        var index: String
        var testDescription: String { "\(predicate)" }

        init(_ predicate: FerryCore.Predicate<JobField>, _ index: String) {
            self.predicate = predicate
            self.index = index
        }
    }

    static let filters: [Filter] = [
        Filter(.compare(.status, .equal, .text("completed")), "job_status (target_tenant=? AND status=?)"),
        Filter(.isIn(.status, [.text("failed"), .text("completed")]), "job_status (target_tenant=? AND status=?)"),
        Filter(.not(.compare(.status, .equal, .text("completed"))), "job_status (target_tenant=? AND status=?)"),
        Filter(
            .and(.compare(.status, .equal, .text("failed")), .compare(.type, .equal, .text("migrate"))),
            "job_status (target_tenant=? AND status=?)"),
        Filter(
            .and(.compare(.created, .greater, .instant(Samples.start)), .compare(.status, .equal, .text("failed"))),
            "job_status (target_tenant=? AND status=? AND created>?)"),
        Filter(.compare(.createdBy, .equal, .text("a@b")), "job_creator (target_tenant=? AND created_by=?)"),
        Filter(.compare(.type, .equal, .text("migrate")), "job_type (target_tenant=? AND type=?)"),
        Filter(.compare(.created, .less, .instant(Samples.start)), "job_page (target_tenant=? AND created<?)"),
        Filter(.match(.displayName, .contains, "x", foldingCase: true), "job_page (target_tenant=?)"),
        Filter(.compare(.displayName, .equal, .text("x")), "job_display_name (target_tenant=? AND display_name=?)"),
        Filter(
            .match(.displayName, .startsWith, "x", foldingCase: false),
            "job_display_name (target_tenant=? AND display_name>? AND display_name<?)"),
        Filter(
            .match(.displayName, .equals, "x", foldingCase: true),
            "job_folded_name (target_tenant=? AND folded_name=?)"),
        Filter(
            .compare(.updated, .greaterOrEqual, .instant(Samples.start)), "job_updated (target_tenant=? AND updated>?)"
        ),
        Filter(
            .compare(.completeAfter, .less, .instant(Samples.start)),
            "job_complete_after (target_tenant=? AND complete_after<?)"),
        Filter(
            .isIn(.id, [.text(Samples.jobID(1).description), .text(Samples.jobID(2).description)]),
            "sqlite_autoindex_job_1 (id=?)"),
    ]

    @Test("find a page of jobs by the index of what it is filtered by", arguments: filters)
    func filteredPages(_ filter: Filter) async throws {
        var query = JobQuery(tenant: Samples.target)
        query.predicate = filter.predicate
        for position in [nil, PagePosition(values: [.instant(Samples.start)], id: Samples.jobID(1).description)] {
            query.after = position
            let page = PageQuery<JobField>(query)
            let plans = try await plans { db in
                _ = try page.rows(in: db, JobTable.decode) { ($0.id.description, $0.queryValue) }
            }
            #expect(!plans.contains { $0.hasPrefix("SCAN job") || $0.hasPrefix("SCAN j ") }, "\(plans)")
            #expect(plans.contains { $0.contains(filter.index.dropLast()) }, "\(plans)")
        }
    }

    @Test(
        "order by an index, too",
        arguments: [
            (JobField.displayName, "job_display_name"), (.updated, "job_updated"),
            (.completeAfter, "job_complete_after"), (.created, "job_page"),
        ])
    func orderedPages(_ field: JobField, _ index: String) async throws {
        for isDescending in [false, true] {
            var query = JobQuery(tenant: Samples.target)
            query.order = [Ordering(field, descending: isDescending)]
            let page = PageQuery<JobField>(query)
            let plans = try await plans { db in
                _ = try page.rows(in: db, JobTable.decode) { ($0.id.description, $0.queryValue) }
            }
            #expect(plans.contains { $0.contains("USING INDEX \(index) ") }, "\(plans)")
            // Only rows of one value may have to be sorted.
            #expect(!plans.contains("USE TEMP B-TREE FOR ORDER BY"), "\(plans)")
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
