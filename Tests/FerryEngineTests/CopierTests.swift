import FerryConnector
import FerryCore
import FerryEngine
import FerryStore
import FerryTestKit
import Synchronization
import Testing

@Suite struct CopierTests {
    private let all: [ServiceKind] = [.mail, .calendar, .contacts]

    @Test func `A first pass moves everything byte for byte, with metadata and empty containers`() async throws {
        let world = try await CopierWorld()
        world.fill()
        let result = try await world.pass()
        world.expectSame(all)
        #expect(world.moved(.mail)[["Empty"]] == [])
        #expect(result.changes == 33)
        #expect(result.progress.items == 33)
        #expect(result.progress.itemsExpected == 33)
        #expect(result.progress.bytes == result.progress.bytesExpected)
        #expect(result.progress.passes == 1)
        #expect(try await world.progress() == result.progress)
    }

    @Test func `A pass without changes lists nothing and does not open the target`() async throws {
        let world = try await CopierWorld()
        world.fill()
        let first = try await world.pass()
        world.source.faults.resetCalls()
        world.target.faults.resetCalls()
        let second = try await world.pass()
        #expect(second.changes == 0)
        #expect(second.progress.items == first.progress.items)
        #expect(second.progress.bytes == first.progress.bytes)
        #expect(second.progress.bytesExpected == first.progress.bytesExpected)
        #expect(world.target.faults.calls.isEmpty)
        #expect(world.source.faults.calls[.items] == nil)
    }

    @Test(arguments: [true, false])
    func `A pass after a day's work asks for the changes and lists nothing`(isIdempotent: Bool) async throws {
        var settings = FakeTenant.Settings()
        settings.isIdempotent = isIdempotent
        let world = try await CopierWorld(to: settings)
        world.fill(mail: 60)
        try await world.pass()
        for number in 0..<3 {
            world.source.faults.resetCalls()
            world.addMail(2, from: 100 + number * 2)
            world.source.edit(world.place(.mail)) { holdings in
                holdings[["INBOX"]].remove("m\(number)")
                holdings[["INBOX"]].change("m\(30 + number)") { $0.metadata = CopierWorld.metadata(99) }
            }
            let result = try await world.pass()
            #expect(result.changes == 4)
            #expect(result.progress.items == 69 + Int64(number))
            #expect(result.progress.bytes == result.progress.bytesExpected)
            #expect(world.source.faults.calls[.changes] == 1)
            #expect(world.source.faults.calls[.items] == nil)
            world.expectSame(all)
        }
        #expect(try await world.verify().isIdentical)
    }

    @Test func `Items that could not be moved are asked for by name until they have moved`() async throws {
        let world = try await CopierWorld()
        world.addMail(40)
        let error = ConnectorError(.sourceItemUnreadable, .retry(after: nil), "Cannot be read now.")
        world.source.faults.inject(.spoil(names: ["m3", "m31"], error), at: .bodies, times: 9)
        #expect(try await world.pass().progress.failed == 2)
        world.source.faults.resetCalls()
        let second = try await world.pass()
        #expect(second.progress.failed + second.progress.skipped == 2)
        #expect(try await world.findings().map(\.item) == ["m3", "m31"])
        world.source.faults.clear()
        world.source.edit(world.place(.mail)) { $0[["INBOX"]].remove("m31") }
        let third = try await world.pass()
        #expect(third.progress.items == 39)
        #expect(third.progress.bytes == third.progress.bytesExpected)
        #expect(world.source.faults.calls[.items] == nil)
        #expect(try await world.findings().isEmpty)
        world.expectSame([.mail])
    }

    @Test func `A source that keeps silent about a change is found out by the number of its items`() async throws {
        let world = try await CopierWorld()
        world.addMail(40)
        try await world.pass()
        world.addMail(3, from: 50)
        world.source.edit(world.place(.mail)) { holdings in
            holdings[["INBOX"]].items.removeAll { $0.name == "m7" || $0.name == "m8" }
            for index in holdings[["INBOX"]].items.indices where holdings[["INBOX"]].items[index].name == "m51" {
                holdings[["INBOX"]].items[index].changedAt = 0
            }
        }
        #expect(try await world.pass().changes == 5)
        world.expectSame([.mail])
        world.source.faults.resetCalls()
        world.addMail(1, from: 60)
        #expect(try await world.pass().changes == 1)
        #expect(world.source.faults.calls[.items] == nil, "what it says is believed again")
    }

    @Test func `A pass that compares everything finds what no source has told`() async throws {
        let world = try await CopierWorld()
        world.addMail(40)
        try await world.pass()
        world.source.edit(world.place(.mail)) { holdings in
            for index in holdings[["INBOX"]].items.indices where holdings[["INBOX"]].items[index].name == "m5" {
                holdings[["INBOX"]].items[index].metadata = CopierWorld.metadata(6)
            }
        }
        #expect(try await world.pass().changes == 0)
        let (run, lease) = (world.run(), try await world.lease(world.run()))
        let result = try await world.copier().pass(
            world.transfer(run), under: lease, starting: try await world.progress(), comparingEverything: true)
        #expect(result.changes == 1)
        world.expectSame([.mail])
    }

    @Test(arguments: [true, false])
    func `Changed flags are updated at the target without reading a message again`(isIdempotent: Bool) async throws {
        var settings = FakeTenant.Settings()
        settings.isIdempotent = isIdempotent
        let world = try await CopierWorld(to: settings)
        world.addMail(20)
        try await world.pass()
        let read = world.source.bytesRead
        world.source.edit(world.place(.mail)) { holdings in
            holdings[["INBOX"]].change("m5") { $0.metadata = CopierWorld.metadata(6) }
        }
        #expect(try await world.pass().changes == 1)
        #expect(world.source.bytesRead == read)
        world.expectSame([.mail])
    }

    @Test(arguments: [true, false])
    func `A target that cannot update gets the message anew, and only once`(isIdempotent: Bool) async throws {
        var settings = FakeTenant.Settings()
        settings.isIdempotent = isIdempotent
        settings.canUpdate = false
        let world = try await CopierWorld(to: settings)
        world.addMail(40)
        try await world.pass()
        world.source.edit(world.place(.mail)) { holdings in
            for number in 0..<35 { holdings[["INBOX"]].change("m\(number)") { $0.metadata = CopierWorld.metadata(99) } }
        }
        #expect(try await world.pass().changes == 35)
        world.expectSame([.mail])
    }

    @Test(arguments: [true, false])
    func `A message that somebody deleted at the target comes back when it changes`(isIdempotent: Bool) async throws {
        var settings = FakeTenant.Settings()
        settings.isIdempotent = isIdempotent
        let world = try await CopierWorld(to: settings)
        world.addMail(12)
        try await world.pass()
        world.target.edit(world.newPlace(.mail)) { $0[["INBOX"]].remove("m4") }
        world.source.edit(world.place(.mail)) { holdings in
            for name in ["m4", "m5"] { holdings[["INBOX"]].change(name) { $0.metadata = CopierWorld.metadata(99) } }
        }
        try await world.pass()
        world.expectSame([.mail])
    }

    @Test func `What is deleted at the source is removed at the target, whole containers too`() async throws {
        let world = try await CopierWorld()
        world.fill()
        try await world.pass()
        world.target.edit(world.newPlace(.mail)) { $0[["INBOX"]].add("welcome", [1], CopierWorld.metadata(0)) }
        world.source.edit(world.place(.mail)) { holdings in
            holdings[["INBOX"]].remove("m7")
            holdings.folders.removeAll { $0.container.path == ["Projects", "2024"] }
        }
        let result = try await world.pass()
        #expect(result.changes == 4)
        #expect(result.progress.items == 29)
        #expect(result.progress.itemsExpected == 29)
        #expect(world.differences([.mail]) == ["mail [\"INBOX\"]: 1 of 0 welcome"])
        #expect(try await world.ledgers().keys.contains { $0.text.contains("Projects") } == false)
    }

    @Test func `An account that is gone is an error and empties nothing`() async throws {
        let world = try await CopierWorld()
        world.fill()
        try await world.pass()
        world.source.removeAccount(world.place(.mail))
        await #expect(throws: WorkError.self) { try await world.pass() }
        #expect(world.moved(.mail)[["INBOX"]]?.count == 25)
    }

    @Test func `A service in which the person never had anything is passed over`() async throws {
        let world = try await CopierWorld()
        world.addMail(3)
        world.source.removeAccount(world.place(.contacts))
        #expect(try await world.pass().progress.items == 3)
        #expect(!world.target.has(world.newPlace(.contacts)))
    }

    @Test func `An item that fails is reported, tried again, and its report goes once it has moved`() async throws {
        let world = try await CopierWorld()
        world.addMail(12)
        let error = ConnectorError(.sourceItemUnreadable, .retry(after: nil), "Cannot be read now.")
        world.source.faults.inject(.spoil(names: ["m3"], error), at: .bodies)
        let first = try await world.pass()
        #expect(first.progress.failed == 1)
        #expect(first.progress.items == 11)
        #expect(first.progress.itemsExpected == 12)
        let findings = try await world.findings()
        #expect(findings.map(\.item) == ["m3"])
        #expect(findings.map(\.outcome) == [.failed])
        let second = try await world.pass()
        #expect(second.changes == 1)
        #expect(second.progress.failed == 0)
        #expect(second.progress.bytes == second.progress.bytesExpected)
        #expect(try await world.findings().isEmpty)
        world.expectSame([.mail])
    }

    @Test func `An item that the target refuses is skipped and stays reported, pass after pass`() async throws {
        let world = try await CopierWorld()
        world.addMail(12)
        let error = ConnectorError(.targetItemRefused, .skip, "The target does not take it.")
        world.target.faults.inject(.spoil(names: ["m3"], error), at: .write, times: 100)
        for _ in 0..<3 {
            let result = try await world.pass()
            #expect(result.progress.skipped == 1)
            #expect(result.progress.items == 11)
            #expect(try await world.findings().map(\.item) == ["m3"])
        }
        let verification = try await world.verify()
        #expect(verification.isIdentical)
        #expect(verification.containers.first { $0.path == ["INBOX"] }?.skipped == 1)
    }

    @Test func `An item that is too large for the target is never read`() async throws {
        var settings = FakeTenant.Settings()
        settings.largestItemBytes = 500
        let world = try await CopierWorld(to: settings)
        world.source.edit(world.place(.mail)) { holdings in
            holdings[["INBOX"]].add("huge", Array(repeating: 65, count: 501), CopierWorld.metadata(1))
            holdings[["INBOX"]].add("fits", Array(repeating: 65, count: 500), CopierWorld.metadata(2))
        }
        #expect(try await world.pass().progress.skipped == 1)
        #expect(world.source.bytesRead == 500)
        #expect(try await world.findings().map(\.code) == [.targetItemTooLarge])
    }

    @Test func `A target in trouble stops the pass instead of failing item by item`() async throws {
        let world = try await CopierWorld()
        world.addMail(60)
        let names = Set((0..<60).map { "m\($0)" })
        let error = ConnectorError(.targetThrottled, .retry(after: .seconds(9)), "Slow down.")
        world.target.faults.inject(.spoil(names: names, error), at: .write, times: 2)
        do throws(WorkError) {
            _ = try await pass(world)
            Issue.record("The pass went on")
        } catch {
            guard case .connector(let problem) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(problem.code == .targetThrottled)
            #expect(problem.disposition == .retry(after: .seconds(9)))
        }
        #expect(world.target.faults.calls[.write] == 1)
    }

    @Test func `A pass that breaks off keeps what was written, and the next one does the rest`() async throws {
        let world = try await CopierWorld()
        world.addMail(60)
        world.source.faults.inject(.refuse(Fault.disconnected), at: .bodies, skipping: 2)
        await #expect(throws: WorkError.self) { try await world.pass() }
        let kept = try await world.progress().items
        #expect(kept == 32)
        let written = world.target.bytesWritten
        let result = try await world.pass()
        #expect(result.changes == 60 - kept)
        #expect(result.progress.items == 60)
        #expect(result.progress.bytes == world.target.bytesWritten)
        #expect(written < world.target.bytesWritten)
        world.expectSame([.mail])
    }

    @Test func `The holder of a lost lease can record nothing`() async throws {
        let world = try await CopierWorld()
        world.addMail(5)
        let old = try await world.lease(world.run())
        _ = try await world.lease(world.run())
        do throws(WorkError) {
            _ = try await world.copier().pass(world.transfer(world.run()), under: old, starting: RunProgress())
            Issue.record("The pass went through")
        } catch {
            guard case .store(.leaseLost) = error else {
                Issue.record("\(error)")
                return
            }
        }
        #expect(try await world.ledgers().isEmpty)
    }

    @Test func `A cancelled pass ends between two batches with its last checkpoint stored`() async throws {
        let world = try await CopierWorld()
        world.addMail(200)
        let (begun, goOn) = (AsyncStream<Void>.makeStream(), world.target)
        goOn.meanwhile { operation in if operation == .write { begun.continuation.yield() } }
        let lease = try await world.lease(world.run())
        let result = await withTaskGroup(of: WorkError?.self) { group in
            group.addTask {
                do throws(WorkError) {
                    _ = try await world.copier().pass(
                        world.transfer(world.run()), under: lease, starting: RunProgress())
                    return nil
                } catch {
                    return error
                }
            }
            var writes = begun.stream.makeAsyncIterator()
            for _ in 0..<3 { await writes.next() }
            group.cancelAll()
            return await group.next() ?? nil
        }
        goOn.meanwhile(nil)
        guard case .connector(let problem) = result else {
            Issue.record("\(String(describing: result))")
            return
        }
        #expect(problem.disposition == .cancelled)
        #expect(try await world.progress().items >= 16)
        try await world.pass()
        world.expectSame([.mail])
    }

    @Test func `A new job for the same person continues where the last one stopped`() async throws {
        let world = try await CopierWorld()
        world.fill()
        let first = try await world.pass()
        let next = JobID(GUID(high: 7, low: 2))
        try await world.insertJob(next)
        world.addMail(1, from: 500)
        let result = try await world.pass(world.run(next))
        #expect(result.changes == 1)
        #expect(result.progress.items == first.progress.items + 1)
        #expect(result.progress.bytes == result.progress.bytesExpected)
        world.expectSame(all)
    }

    @Test func `Objects are written again when the identity map has changed`() async throws {
        let world = try await CopierWorld()
        world.fill()
        try await world.pass()
        let carol = Person(
            id: PersonID(GUID(high: 1, low: 11)), userPrincipalName: "carol", displayName: "Carol",
            mail: "carol@elsewhere.example")
        var newCarol = carol
        newCarol.mail = "carol@fabrikam.example"
        world.colleagues.withLock { [newCarol] in $0 = [(carol, newCarol)] }
        #expect(try await world.pass().changes == 5)
        let event = world.moved(.calendar)[["Work"]]?.first?.content ?? []
        #expect(String(decoding: event, as: UTF8.self).contains("ORGANIZER:mailto:carol@fabrikam.example"))
        #expect(try await world.pass().changes == 0)
    }

    @Test func `Own meetings go with the meetings run and everything else with the mailbox run`() async throws {
        let world = try await CopierWorld(.mailbox)
        world.fill(mail: 1)
        world.source.edit(world.place(.calendar)) { holdings in
            holdings[["Work"]].add(
                "mine.ics", CopierWorld.event("mine", organizer: CopierWorld.ada.mail), .calendarObject)
        }
        let mailbox = try await world.pass(hasMeetingsRun: true)
        #expect(mailbox.progress.items == 9)
        #expect(mailbox.progress.itemsExpected == 9)
        #expect(world.moved(.calendar)[["Work"]]?.map(\.name) == ["a.ics", "b.ics", "c.ics"])

        let run = world.run(nil, .meetings)
        let meetings = try await world.pass(run)
        #expect(meetings.changes == 1)
        let mine = world.moved(.calendar)[["Work"]]?.first { $0.name == "mine.ics" }?.content ?? []
        let text = String(decoding: mine, as: UTF8.self)
        #expect(text.contains("ORGANIZER:mailto:ada@fabrikam.example"))
        #expect(text.contains("SEQUENCE:2"))

        for (run, hasMeetingsRun) in [(world.run(), true), (run, false)] {
            let verification = try await world.verify(run, hasMeetingsRun: hasMeetingsRun)
            #expect(verification.differences == [])
        }
        #expect(try await world.pass(hasMeetingsRun: true).changes == 0)
        world.source.edit(world.place(.calendar)) { $0[["Work"]].remove("mine.ics") }
        #expect(try await world.pass(hasMeetingsRun: true).changes == 0)
        #expect(world.moved(.calendar)[["Work"]]?.count == 4)
        #expect(try await world.pass(run).changes == 1)
        #expect(world.moved(.calendar)[["Work"]]?.count == 3)
    }

    @Test(arguments: [true, false], [1, 2, 3] as [UInt64])
    func `Peers that fail at random cost retries and nothing else`(isIdempotent: Bool, number: UInt64) async throws {
        let seed = RunSeed.value &* 10 &+ number
        var settings = FakeTenant.Settings()
        settings.isIdempotent = isIdempotent
        settings.batchItems = 5
        let world = try await CopierWorld(to: settings)
        world.fill(mail: 60)
        world.source.faults.injectRandomly(0.1, seed: seed)
        world.target.faults.injectRandomly(0.1, seed: seed &+ 100)
        var attempts = 0
        while true {
            attempts += 1
            try #require(attempts < 300, "seed \(seed)")
            do throws(WorkError) {
                let result = try await pass(world)
                if result.changes == 0, result.progress.failed == 0 { break }
            } catch {
                guard case .connector(let problem) = error, case .retry = problem.disposition else {
                    Issue.record("seed \(seed): \(error)")
                    return
                }
            }
        }
        world.expectSame(all, "seed \(seed)")
        let progress = try await world.progress()
        #expect(progress.items == 68)
        #expect(progress.bytes == progress.bytesExpected)
    }

    @Test(arguments: [true, false], [true, false])
    func `People may work while a pass runs; a quiet pass makes both sides the same`(
        isIdempotent: Bool, tellsChanges: Bool
    ) async throws {
        var source = FakeTenant.Settings()
        source.tellsChanges = tellsChanges
        var settings = FakeTenant.Settings()
        settings.isIdempotent = isIdempotent
        settings.batchItems = 5
        let world = try await CopierWorld(from: source, to: settings)
        world.addMail(40)
        let random = SharedRandom(seed: 7)
        world.source.meanwhile { [weak world] operation in
            guard let world, [.changes, .items, .bodies].contains(operation) else { return }
            let number = random.number(in: 0..<40)
            world.source.edit(world.place(.mail)) { holdings in
                holdings[["INBOX"]].remove("m\(number)")
                holdings[["INBOX"]].change("m\(39 - number)") { $0.metadata = CopierWorld.metadata(number) }
                holdings[["INBOX"]].add("new\(random.number(in: 0..<1_000_000))", [65], CopierWorld.metadata(number))
            }
        }
        for _ in 0..<4 { try await world.pass() }
        world.source.meanwhile(nil)
        try await world.pass()
        #expect(try await world.pass().changes == 0)
        world.expectSame([.mail])
        #expect(try await world.verify().isIdentical)
    }

    @Test func `Freezing and redirecting reach every source and can be undone`() async throws {
        let world = try await CopierWorld()
        world.fill()
        let steps = CutoverSteps(world.transfer(world.run()))
        #expect(try await steps.freeze() == .whole)
        try await steps.redirect(to: "ada@fabrikam.example")
        for service in all {
            #expect(world.source[world.place(service)].isFrozen)
            #expect(world.source[world.place(service)].redirect == "ada@fabrikam.example")
        }
        try await steps.removeRedirect()
        try await steps.thaw()
        for service in all {
            #expect(!world.source[world.place(service)].isFrozen)
            #expect(world.source[world.place(service)].redirect == nil)
        }
        var settings = FakeTenant.Settings()
        settings.canFreeze = false
        let stubborn = try await CopierWorld(from: settings)
        #expect(try await CutoverSteps(stubborn.transfer(stubborn.run())).freeze() == .nothing)
    }

    private func pass(_ world: CopierWorld) async throws(WorkError) -> PassResult {
        let (lease, progress): (Lease, RunProgress)
        do {
            lease = try await world.lease(world.run())
            progress = try await world.progress()
        } catch {
            throw .store(.unavailable("\(error)"))
        }
        return try await world.copier().pass(world.transfer(world.run()), under: lease, starting: progress)
    }
}
