import FerryConnector
import FerryCore
import FerryEngine
import FerryStore
import FerryTestKit
import Testing

/// A dry run says what a move would come to, and moves nothing.
@Suite(.timeLimit(.minutes(10))) struct DryRunTests {
    private func started(_ world: EngineWorld, _ engine: Engine, _ draft: JobDraft) async throws -> Job {
        let job = try await world.create(draft, at: engine)
        _ = try await world.send(.startDryRun(.key(job.id.description)), to: engine)
        return job
    }

    /// Waits until the dry run has come to an end.
    private func ended(_ world: EngineWorld, _ id: JobID) async throws -> DryRun {
        for await _ in world.store.commits() {
            if let dryRun = try await world.store.reader.dryRun(of: id), dryRun.state != .running { return dryRun }
        }
        throw CancellationError()
    }

    private func forecast(_ world: EngineWorld, _ id: JobID, _ number: Int, _ workload: Workload) async throws
        -> Forecast
    {
        try #require(
            try await world.store.reader.forecast(
                of: RunID(job: id, person: Samples.person(number), workload: workload)))
    }

    @Test func `everything is counted where a move would count it, and nothing is touched`() async throws {
        var limits = FakeTenant.Settings()
        (limits.largestItemBytes, limits.longestName, limits.roomBytes) = (600, 13, 100)
        let world = try await EngineWorld(people: 2, target: limits)
        let login = world.login(1)
        world.source.edit(.init(.mail, login)) { holdings in
            holdings[["INBOX"]].add("huge", Array(repeating: 65, count: 601), EngineWorld.mail)
        }
        world.source.edit(.init(.files, login)) { holdings in
            let time = FileMetadata(modified: FerryCore.Instant(seconds: 1_700_000_000))
            holdings[["Files"], .fileTree].add("notes/much too long.txt", Array("x".utf8), .file(time))
        }
        world.source.edit(.init(.chats, login)) { holdings in
            let line = #"{"event_id":"$9","type":"m.room.message","sender":"@left:north.example"}"#
            holdings[["room"], .room(state: Array("[]".utf8))].add("$9", Array(line.utf8), .event)
        }
        let before = ServiceKind.allCases.map { world.source[.init($0, login)] }
        try await world.withEngine(world.makeEngine()) { engine in
            let job = try await started(world, engine, world.draft())
            let dryRun = try await ended(world, job.id)
            #expect(dryRun.state == .completed && dryRun.expected == 8 && dryRun.done == 8)

            let mailbox = try await forecast(world, job.id, 1, .mailbox)
            let mail = try #require(mailbox.shares.first { $0.service == .mail })
            #expect(mail.containers == 2 && mail.listed.items == 7 && mail.due.items == 6 && mail.skipped.items == 1)
            #expect(mail.skipped.bytes == 601 && mail.listed.bytes == mail.due.bytes + 601)
            #expect(mail.roomBytes == 100)
            #expect(mailbox.places.first?.item == "huge" && mailbox.places.first?.container == "INBOX")
            #expect(mailbox.places.first?.code == .targetItemTooLarge)
            #expect(mailbox.findings.contains { $0.code == .mailboxProbeFailed && $0.reason == "overQuota" })
            // Meetings that the person organizes are another workload's.
            let calendar = try #require(mailbox.shares.first { $0.service == .calendar })
            #expect(calendar.listed.items == 2 && calendar.elsewhere.items == 1)
            // person99 organizes, and is nobody at the target; the guest is of another domain.
            #expect(mailbox.mentions == [Forecast.Mention(address: "person99@north.example", count: 1)])
            #expect(mailbox.verdict(for: .mailbox).grade == .investigate)
            #expect(mailbox.seconds ?? 0 > 0 && mailbox.pace == .assumed(for: .mailbox) && mailbox.parallel == 4)

            let files = try await forecast(world, job.id, 1, .files)
            #expect(files.skips.map(\.code) == [.targetNameRefused])
            #expect(files.total(\.skipped).items == 2 && files.total(\.due).items == 1)
            let chats = try await forecast(world, job.id, 1, .chats)
            #expect(chats.mentions == [Forecast.Mention(address: "@left:north.example", count: 1)])
            let meetings = try await forecast(world, job.id, 2, .meetings)
            #expect(meetings.total(\.due).items == 1 && meetings.total(\.elsewhere).items == 1)

            #expect(try await world.job(job.id).status == .submitted)
            for number in 1...2 {
                for kind in ServiceKind.allCases {
                    #expect(world.target[.init(kind, world.targetLogin(number))].folders.isEmpty)
                }
            }
            #expect(ServiceKind.allCases.map { world.source[.init($0, login)] } == before)
            let route = Route(
                sourceTenant: StaticDirectory.source, sourcePerson: StaticDirectory.sourcePerson(1).id,
                targetTenant: StaticDirectory.target, targetPerson: StaticDirectory.targetPerson(1).id,
                workload: .mailbox)
            #expect(try await world.store.reader.ledgerContainers(route).isEmpty)
        }
        await world.remove()
    }

    @Test func `a forecast comes true: what it says is what the copy does`() async throws {
        var limits = FakeTenant.Settings()
        (limits.largestItemBytes, limits.longestName) = (600, 13)
        let world = try await EngineWorld(people: 1, target: limits)
        world.source.edit(.init(.mail, world.login(1))) { holdings in
            holdings[["INBOX"]].add("huge", Array(repeating: 65, count: 601), EngineWorld.mail)
        }
        try await world.withEngine(world.makeEngine()) { engine in
            let job = try await started(world, engine, world.draft())
            _ = try await ended(world, job.id)
            var before: [Workload: Forecast] = [:]
            for workload in Workload.allCases { before[workload] = try await forecast(world, job.id, 1, workload) }
            let key = JobReference.key(job.id.description)
            _ = try await world.send(.validate(key), to: engine)
            try await world.reach([.validatePassed], job.id)
            _ = try await world.send(.migrate(key), to: engine)
            try await world.reach([.inProgress], job.id) { _ in
                let runs = try await world.task(job.id, 1).runs
                return runs.allSatisfy { $0.id.workload == .meetings || $0.progress.passes > 0 }
            }
            for run in try await world.task(job.id, 1).runs where run.id.workload != .meetings {
                let told = try #require(before[run.id.workload])
                #expect(run.progress.items == told.total(\.due).items, "\(run.id.workload)")
                #expect(run.progress.bytes == told.total(\.due).bytes, "\(run.id.workload)")
                #expect(run.progress.skipped == told.total(\.skipped).items, "\(run.id.workload)")
            }
            // Now that they are there, another dry run says so, and measures by what was done.
            _ = try await world.send(.startDryRun(key), to: engine)
            _ = try await ended(world, job.id)
            let mailbox = try await forecast(world, job.id, 1, .mailbox)
            #expect(mailbox.total(\.due).items == 0)
            #expect(mailbox.total(\.copied) == before[.mailbox]?.total(\.due))
            #expect(mailbox.total(\.skipped).items == 1 && mailbox.skips.first?.code == .targetItemTooLarge)
        }
        await world.remove()
    }

    @Test func `somebody who is not mapped, and a source that breaks, are told and hold up nobody`() async throws {
        var directory = StaticDirectory(people: 2)
        directory.pairs.removeFirst()
        directory.cache()
        let world = try await EngineWorld(people: 2, directory: directory)
        let broken = ConnectorError(.sourceForbidden, .hold, "Reading is forbidden.")
        world.source.faults.inject(.refuse(broken), at: .items, times: 8)
        try await world.withEngine(world.makeEngine()) { engine in
            let job = try await started(world, engine, world.draft(workloads: ["ODSP"]))
            #expect(try await ended(world, job.id).state == .completed)
            let nobody = try await forecast(world, job.id, 1, .files)
            #expect(nobody.findings.map(\.code) == [.identityNotMapped] && nobody.seconds == nil)
            let unseen = try await forecast(world, job.id, 2, .files)
            #expect(unseen.findings.first?.reason == ErrorCode.sourceForbidden.rawValue)
        }
        await world.remove()
    }

    @Test func `a dry run can be stopped, joined and made again`() async throws {
        let world = try await EngineWorld(people: 2)
        // Nobody works: the engine is not running.
        let engine = world.makeEngine()
        let job = try await started(world, engine, world.draft())
        let key = JobReference.key(job.id.description)
        let began = try #require(try await world.store.reader.dryRun(of: job.id)?.began)
        world.time.advance(by: .seconds(5))
        _ = try await world.send(.startDryRun(key), to: engine)
        #expect(try await world.store.reader.dryRun(of: job.id)?.began == began)
        _ = try await world.send(.stopDryRun(key), to: engine)
        let stopped = try #require(try await world.store.reader.dryRun(of: job.id))
        #expect(stopped.state == .cancelled && stopped.ended != nil)
        await #expect(throws: Refusal.self) { try await world.send(.stopDryRun(key), to: engine) }
        _ = try await world.send(.startDryRun(key), to: engine)
        let again = try await world.withEngine(world.makeEngine()) { _ in try await ended(world, job.id) }
        #expect(again.state == .completed)
        let records = try await world.store.reader.auditRecords(
            AuditQuery(tenant: StaticDirectory.target, job: job.id)
        ).map(\.entry).filter { $0.operation.hasSuffix("DryRun") }
        #expect(records.map(\.operation) == ["startDryRun", "startDryRun", "stopDryRun", "startDryRun"])
        #expect(records.map(\.detail) == ["", "joined", "", ""])
        await world.remove()
    }

    @Test func `cancelling the job ends its dry run`() async throws {
        let world = try await EngineWorld(people: 1)
        let engine = world.makeEngine()
        let job = try await started(world, engine, world.draft())
        let key = JobReference.key(job.id.description)
        _ = try await world.send(.cancel(key), to: engine)
        #expect(try await world.store.reader.dryRun(of: job.id)?.state == .cancelled)
        await #expect(throws: Refusal.self) { try await world.send(.startDryRun(key), to: engine) }
        await world.remove()
    }

    @Test func `validation tells each user what could not be evaluated, and a dry run helps it`() async throws {
        var limits = FakeTenant.Settings()
        limits.roomBytes = 1 << 20
        let world = try await EngineWorld(people: 1, target: limits)
        try await world.withEngine(world.makeEngine()) { engine in
            let job = try await world.validated(world.draft(), at: engine)
            #expect(
                try await world.task(job.id, 1)[.files]?.message
                    == "Not evaluated, because no dry run has listed the files: U-21 (names and lengths of paths).")
            #expect(try await world.task(job.id, 1)[.mailbox]?.message == "")
        }
        await world.remove()
    }
}
