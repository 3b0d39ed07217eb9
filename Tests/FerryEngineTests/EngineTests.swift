import FerryConnector
import FerryCore
import FerryEngine
import FerryStore
import FerryTestKit
import Synchronization
import Testing

/// Whole jobs, from the command to the last checkpoint, on fake tenants and a real store (orchestration 11).
@Suite(.timeLimit(.minutes(10))) struct EngineTests {
    @Test
    func `C36 C42 C44 scenario 1: create, validate, migrate, date passes, completed; statuses only as in table 3.2`()
        async throws
    {
        let world = try await EngineWorld(people: 3)
        try await world.withEngine(world.makeEngine()) { engine in
            let job = try await world.create(world.draft(), at: engine)
            #expect(job.status == .submitted && job.message.isEmpty && job.type == .validate)
            _ = try await world.send(.validate(.key("wave 1")), to: engine)
            try await world.reach([.validatePassed], job.id) { try await world.checkTable($0) }
            _ = try await world.send(.migrate(.key(job.id.description)), to: engine)
            try await world.reach([.inProgress], job.id) { job in
                try await world.checkTable(job)
                return try await world.allRuns(job.id, .mailbox, are: .synced)
            }
            // Long before the date everything is there, and nobody has noticed anything.
            #expect(!world.source[.init(.mail, world.login(1))].isFrozen)
            #expect(world.holdings(1, .mail)[["INBOX"]]?.count == 5)
            #expect(world.holdings(1, .calendar)[["work"]]?.count == 1)
            _ = try await world.send(.reschedule(.key(job.id.description), completeAfter: world.time.now), to: engine)
            let done = try await world.reach([.completed, .completedWithErrors, .failed], job.id) {
                try await world.checkTable($0)
            }
            #expect(done.status == .completed)
            for number in 1...3 {
                let task = try await world.task(job.id, number)
                #expect(task.runs.allSatisfy { $0.status == .completed && $0.findings.isEmpty })
                #expect(world.source[.init(.mail, world.login(number))].isFrozen)
                #expect(world.source[.init(.mail, world.login(number))].redirect == "person\(number)@south.example")
                try world.expectEverything(number)
            }
            let verification = try await engine.verify(done)
            #expect(verification.isIdentical)
            #expect(verification.transfers.count == 12)
        }
        await world.remove()
    }

    @Test
    func `C36 C37 scenario 3: one unmapped person gets every finding at once, and passes after the map is mended`()
        async throws
    {
        var directory = StaticDirectory(people: 2)
        directory.pairs.removeLast()
        directory.cache()
        let world = try await EngineWorld(people: 2, directory: directory)
        try await world.withEngine(world.makeEngine()) { engine in
            let job = try await world.create(world.draft(), at: engine)
            _ = try await world.send(.validate(.key(job.id.description)), to: engine)
            let judged = try await world.reach([.validateFailed, .validatePassed], job.id)
            #expect(judged.status == .validateFailed)
            let codes = Set(try await world.task(job.id, 2).runs.flatMap(\.findings).map(\.code))
            #expect(codes.isSuperset(of: [.mappingMissing, .chatsNotMapped, .filesNotMapped]))
            #expect(try await world.task(job.id, 1).runs.allSatisfy { $0.status == .valid })
            await #expect(throws: Refusal.self) {
                try await world.send(.migrate(.key(job.id.description)), to: engine)
            }
            // Cancelling the person out of the job is the other way to mend it.
            _ = try await world.send(.cancelPerson(.key(job.id.description), Samples.person(2).description), to: engine)
            try await world.reach([.validatePassed], job.id)
            #expect(try await world.task(job.id, 2).runs.allSatisfy { $0.status == .cancelled })
        }
        await world.remove()
    }

    @Test func `C40 scenario 5: eight days after passing, migrate is refused, validate and migrate work again`()
        async throws
    {
        let world = try await EngineWorld(people: 1)
        try await world.withEngine(world.makeEngine()) { engine in
            let job = try await world.create(world.draft(in: .seconds(30 * 86_400)), at: engine)
            let key = JobReference.key(job.id.description)
            _ = try await world.send(.validate(key), to: engine)
            try await world.reach([.validatePassed], job.id)
            world.time.advance(by: .seconds(8 * 86_400))
            let refusal = await #expect(throws: Refusal.self) { try await world.send(.migrate(key), to: engine) }
            guard case .conflict(.validationExpired, _) = refusal else {
                Issue.record("Refused as \(String(describing: refusal))")
                return
            }
            _ = try await world.send(.validate(key), to: engine)
            try await world.reach([.validatePassed], job.id)
            _ = try await world.send(.migrate(key), to: engine)
            try await world.reach([.inProgress], job.id)
        }
        await world.remove()
    }

    @Test
    func
        `C45 scenario 6: cancel while syncing ends cancelled, the source untouched, and a new job goes on from the seed`()
        async throws
    {
        let world = try await EngineWorld(people: 2)
        try await world.withEngine(world.makeEngine()) { engine in
            let job = try await world.validated(world.draft(), at: engine)
            let key = JobReference.key(job.id.description)
            _ = try await world.send(.migrate(key), to: engine)
            try await world.reach([.inProgress], job.id) { _ in try await world.allRuns(job.id, .mailbox, are: .synced)
            }
            _ = try await world.send(.cancel(key), to: engine)
            try await world.reach([.cancelled], job.id)
            #expect(try await world.task(job.id, 1).runs.allSatisfy { $0.status == .cancelled })
            #expect(!world.source[.init(.mail, world.login(1))].isFrozen)
            let before = world.target.bytesWritten

            let second = try await world.validated(world.draft("Wave 2"), at: engine)
            try await world.migrateNow(second, at: engine)
            try await world.reach([.completed], second.id)
            try world.expectEverything(1)
            // Only the meetings are new: everything else lay there already.
            #expect(world.target.bytesWritten - before < before)
        }
        await world.remove()
    }

    @Test func `C48 scenario 7: one of three is cancelled, the other two complete; unknown people are not found`()
        async throws
    {
        let world = try await EngineWorld(people: 3)
        try await world.withEngine(world.makeEngine()) { engine in
            let job = try await world.validated(world.draft(), at: engine)
            let key = JobReference.key(job.id.description)
            _ = try await world.send(.migrate(key), to: engine)
            try await world.reach([.inProgress], job.id) { _ in try await world.allRuns(job.id, .mailbox, are: .synced)
            }
            await #expect(throws: Refusal.personNotFound("nobody")) {
                try await world.send(.cancelPerson(key, "nobody"), to: engine)
            }
            _ = try await world.send(.cancelPerson(key, Samples.person(2).description), to: engine)
            _ = try await world.send(.reschedule(key, completeAfter: world.time.now), to: engine)
            try await world.reach([.completed], job.id)
            #expect(try await world.task(job.id, 2).runs.allSatisfy { $0.status == .cancelled })
            try world.expectEverything(1)
            try world.expectEverything(3)
            await #expect(throws: Refusal.self) {
                try await world.send(.cancelPerson(key, Samples.person(1).description), to: engine)
            }
        }
        await world.remove()
    }

    @Test func `scenario 9: mail that arrives during sync and right before the freeze is there exactly once`()
        async throws
    {
        let world = try await EngineWorld(people: 1)
        try await world.withEngine(world.makeEngine()) { engine in
            let job = try await world.validated(world.draft(), at: engine)
            _ = try await world.send(.migrate(.key(job.id.description)), to: engine)
            try await world.reach([.inProgress], job.id) { _ in try await world.allRuns(job.id, .mailbox, are: .synced)
            }
            let place = FakeTenant.Place(.mail, world.login(1))
            world.source.edit(place) { $0[["INBOX"]].add("late", EngineWorld.message(1, 50), EngineWorld.mail) }
            world.source.edit(place) { $0[["INBOX"]].remove("m1") }
            _ = try await world.send(
                .reschedule(.key(job.id.description), completeAfter: world.time.now), to: engine)
            try await world.reach([.completed], job.id)
            let inbox = try #require(world.holdings(1, .mail)[["INBOX"]])
            #expect(inbox.count { $0.contains("Subject: 50\r\n") } == 1)
            #expect(!inbox.contains { $0.contains("Subject: 1\r\n") })
            #expect(inbox.count == 5)
        }
        await world.remove()
    }

    @Test func `a service that cannot be asked for a moment when people are let in is asked again`() async throws {
        let world = try await EngineWorld(people: 1)
        try await world.withEngine(world.makeEngine()) { engine in
            let job = try await world.validated(world.draft(workloads: ["Exchange"]), at: engine)
            world.source.faults.inject(.refuse(Fault.disconnected), at: .probe, times: 2)
            _ = try await world.send(.migrate(.key(job.id.description)), to: engine)
            try await world.reach([.inProgress], job.id) { _ in try await world.allRuns(job.id, .mailbox, are: .synced)
            }
            #expect(world.holdings(1, .mail)[["INBOX"]]?.count == 5)
        }
        await world.remove()
    }

    @Test(arguments: [FakeOperation.redirect, .bodies])
    func `mail that is delivered to a frozen source until the redirect is there exactly once`(
        _ moment: FakeOperation
    ) async throws {
        let world = try await EngineWorld(people: 1)
        let place = FakeTenant.Place(.mail, world.login(1))
        let source = world.source
        let delivered = Mutex(0)
        try await world.withEngine(world.makeEngine()) { engine in
            let job = try await world.validated(world.draft(workloads: ["Exchange"]), at: engine)
            _ = try await world.send(.migrate(.key(job.id.description)), to: engine)
            try await world.reach([.inProgress], job.id) { _ in try await world.allRuns(job.id, .mailbox, are: .synced)
            }
            // At the redirect, or while the verifier reads what both sides have.
            source.meanwhile { operation in
                guard operation == moment, source[place].isFrozen, source[place].redirect == nil else { return }
                let number = delivered.withLock { count in
                    count += 1
                    return 500 + count
                }
                source.edit(place) {
                    $0[["INBOX"]].add("late \(number)", EngineWorld.message(1, number), EngineWorld.mail)
                }
            }
            _ = try await world.send(
                .reschedule(.key(job.id.description), completeAfter: world.time.now), to: engine)
            try await world.reach([.completed], job.id)
            source.meanwhile(nil)
            let count = delivered.withLock { $0 }
            #expect(count > 0)
            let inbox = try #require(world.holdings(1, .mail)[["INBOX"]])
            for number in 501..<(501 + count) {
                #expect(inbox.count { $0.contains("Subject: \(number)\r\n") } == 1)
            }
            #expect(inbox.count == 5 + count)
        }
        await world.remove()
    }

    @Test
    func
        `scenario 11: a mailbox that fails at the cutover thaws the source and holds the others back; migrate again repairs it`()
        async throws
    {
        let world = try await EngineWorld(people: 1)
        try await world.withEngine(world.makeEngine()) { engine in
            let job = try await world.validated(world.draft(), at: engine)
            let key = JobReference.key(job.id.description)
            _ = try await world.send(.migrate(key), to: engine)
            try await world.reach([.inProgress], job.id) { _ in try await world.allRuns(job.id, .mailbox, are: .synced)
            }
            let gone = ConnectorError(.targetForbidden, .failRun, "The target refuses the person.")
            world.target.faults.inject(.refuse(gone), at: .openTarget, times: 10_000)
            world.source.edit(.init(.mail, world.login(1))) {
                $0[["INBOX"]].add("late", EngineWorld.message(1, 51), EngineWorld.mail)
            }
            _ = try await world.send(.reschedule(key, completeAfter: world.time.now), to: engine)
            try await world.reach([.failed], job.id)
            let task = try await world.task(job.id, 1)
            #expect(task[.mailbox]?.status == .failed && task[.mailbox]?.findings.count == 1)
            #expect(task[.meetings]?.findings.first?.code == .targetMailboxMissing)
            #expect(!world.source[.init(.mail, world.login(1))].isFrozen)
            #expect(world.source[.init(.mail, world.login(1))].redirect == nil)

            world.target.faults.clear()
            _ = try await world.send(.migrate(key), to: engine)
            try await world.reach([.completed], job.id)
            #expect(world.holdings(1, .mail)[["INBOX"]]?.count == 6)
        }
        await world.remove()
    }

    @Test func `scenario 12: the second job of a person reports CTM-002 with the first one's name`() async throws {
        let world = try await EngineWorld(people: 1)
        try await world.withEngine(world.makeEngine()) { engine in
            _ = try await world.validated(world.draft("First"), at: engine)
            let second = try await world.create(world.draft("Second"), at: engine)
            _ = try await world.send(.validate(.key("Second")), to: engine)
            try await world.reach([.validateFailed], second.id)
            let findings = try await world.task(second.id, 1).runs.flatMap(\.findings)
            #expect(findings.contains { $0.code == .inOtherJob && $0.message.contains("First") })
        }
        await world.remove()
    }

    @Test
    func
        `C50 C52 C53 scenario 14: delete is refused while running, then pendingDelete becomes deleted and frees the name`()
        async throws
    {
        let world = try await EngineWorld(people: 1)
        try await world.withEngine(world.makeEngine()) { engine in
            let job = try await world.validated(world.draft(), at: engine)
            let key = JobReference.key(job.id.description)
            await #expect(throws: Refusal.self) { try await world.send(.delete(key), to: engine) }
            _ = try await world.send(.cancel(key), to: engine)
            try await world.reach([.cancelled], job.id)
            _ = try await world.send(.delete(key), to: engine)
            let tombstone = try await world.reach([.deleted], job.id)
            #expect(tombstone.people.isEmpty)
            _ = try await world.create(world.draft(), at: engine)
        }
        await world.remove()
    }

    @Test func `throttling and broken connections are ridden out`() async throws {
        let world = try await EngineWorld(people: 2)
        world.target.faults.inject(.throttled, at: .write, skipping: 1, times: 2)
        world.source.faults.inject(.refuse(Fault.disconnected), at: .items, skipping: 2, times: 1)
        try await world.withEngine(world.makeEngine()) { engine in
            let job = try await world.validated(world.draft(), at: engine)
            try await world.migrateNow(job, at: engine)
            try await world.reach([.completed], job.id)
            try world.expectEverything(1)
            try world.expectEverything(2)
        }
        await world.remove()
    }
}

extension EngineWorld {
    func validated(_ draft: JobDraft, at engine: Engine) async throws -> Job {
        let job = try await create(draft, at: engine)
        _ = try await send(.validate(.key(job.id.description)), to: engine)
        return try await reach([.validatePassed], job.id)
    }

    func migrateNow(_ job: Job, at engine: Engine) async throws {
        _ = try await send(.migrate(.key(job.id.description)), to: engine)
        _ = try await send(.reschedule(.key(job.id.description), completeAfter: time.now), to: engine)
    }

    func allRuns(_ id: JobID, _ workload: Workload, are status: RunStatus) async throws -> Bool {
        for number in 1...people {
            guard try await task(id, number)[workload]?.status == status else { return false }
        }
        return true
    }

    /// Records an issue for a combination that table 3.2 does not have. A later state of the job may be met with an
    /// earlier state of its people, since both are read one after the other; the job is read again to be sure.
    @discardableResult
    func checkTable(_ job: Job) async throws -> Bool {
        for number in 1...people {
            let task = try await task(job.id, number)
            guard try await self.job(job.id).status == job.status else { return true }
            for run in task.runs where !Job.permits(job.status, run.id.workload, run.status) {
                Issue.record("\(job.status) does not permit \(run.id.workload) \(run.status)")
            }
        }
        return true
    }

    /// Everything that the person was furnished with is at the target once, with the addresses of the target.
    func expectEverything(_ number: Int, _ location: SourceLocation = #_sourceLocation) throws {
        let mail = holdings(number, .mail)
        #expect(mail[["INBOX"]]?.count == 5, sourceLocation: location)
        #expect(mail[["Projects", "Ærø"]]?.count == 1, sourceLocation: location)
        let work = try #require(holdings(number, .calendar)[["work"]], sourceLocation: location)
        #expect(work.count == 2, sourceLocation: location)
        let own = try #require(work.first { $0.contains("ORGANIZER:mailto:person\(number)@south.example") })
        #expect(own.contains("SEQUENCE:4") && own.contains("mailto:guest@elsewhere.example"), sourceLocation: location)
        #expect(own.contains("LOCATION:https://meet.south.example/room-\(number)\r\n"), sourceLocation: location)
        #expect(holdings(number, .contacts)[["friends"]]?.count == 1, sourceLocation: location)
        #expect(holdings(number, .files)[["Files"]]?.count == 2, sourceLocation: location)
        #expect(holdings(number, .chats)[["room"]]?.count == 3, sourceLocation: location)
    }
}
