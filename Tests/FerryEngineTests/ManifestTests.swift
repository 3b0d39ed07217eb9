import FerryConnector
import FerryCore
import FerryEngine
import FerryFormats
import FerryStore
import FerryTestKit
import Testing

/// The signed manifest: what it says, and that nobody can change it unseen.
@Suite(.timeLimit(.minutes(10))) struct ManifestTests {
    @Test func `A finished job has a manifest of every user and workload, in which both sides are the same`()
        async throws
    {
        let moved = try await ManifestWorld()
        let job = try await moved.move()
        // In small pieces, so that lines are cut everywhere.
        let file = try await moved.file(job, piece: 7)
        #expect(file.statement.job == job)
        #expect(file.statement.status == .completed)
        #expect(file.statement.unrecorded == 0)
        #expect(
            file.sections.map { "\($0.head.person) \($0.head.workload)" }
                == [1, 2].flatMap { number in
                    Workload.allCases.map { "\(Samples.person(number)) \($0)" }
                })
        let mailbox = try #require(file.sections.first { $0.head.workload == .mailbox })
        // Six messages, two meetings of which one is moved by the other run, a contact.
        #expect(mailbox.head.source.items == 9)
        #expect(mailbox.head.target.items == 8)
        #expect(mailbox.head.identical == 8)
        #expect(mailbox.head.elsewhere == 1)
        for comparison in ManifestChecker.Comparison.allCases {
            #expect(try await moved.differences(file, comparison) == [:])
        }
        await moved.world.remove()
    }

    @Test func `Every changed, removed or added line is found, whose ever it is`() async throws {
        let moved = try await ManifestWorld(people: 1)
        let job = try await moved.move()
        let bytes = try #require(moved.archive.bytes(of: job))
        let lines: [[UInt8]] = bytes.split(separator: 0x0A).map { Array($0) }
        func problem(_ lines: [[UInt8]]) async -> ManifestProblem? {
            do throws(ManifestProblem) {
                let whole = Array(lines.map { $0 + [0x0A] }.joined())
                _ = try await ManifestFile(BytesInput(whole), key: moved.key.publicKey)
                return nil
            } catch {
                return error
            }
        }
        #expect(await problem(lines) == nil)
        var random = SeededRandom(seed: RunSeed.value)
        for index in lines.indices {
            var changed = lines
            let place = Int.random(in: 0..<changed[index].count, using: &random)
            changed[index][place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            #expect(await problem(changed) != nil, "line \(index), octet \(place)")
            var shorter = lines
            shorter.remove(at: index)
            #expect(await problem(shorter) != nil, "without line \(index)")
            var longer = lines
            longer.insert(lines[index], at: index)
            #expect(await problem(longer) != nil, "line \(index) twice")
        }
        #expect(await problem(lines + [lines[2]]) == .surplus)
        #expect(await problem([]) == .truncated)
        let stranger = try #require(ManifestKey(seed: Array(2...33)))
        let foreign = await #expect(throws: ManifestProblem.self) {
            _ = try await ManifestFile(BytesInput(bytes), key: stranger.publicKey)
        }
        #expect(foreign == .otherKey(moved.key.publicKey.id))
        await moved.world.remove()
    }

    @Test func `An altered side is named with its user, workload and side`() async throws {
        let moved = try await ManifestWorld(people: 2)
        let job = try await moved.move(workloads: ["ODSP"])
        let text = String(decoding: try #require(moved.archive.bytes(of: job)), as: UTF8.self)
        let plan = "\"name\":\"notes/plan.txt\""
        // The second user's target is the last of the four places with that name.
        let parts = text.split(separator: plan, omittingEmptySubsequences: false)
        #expect(parts.count == 5)
        let altered =
            parts[..<4].joined(separator: plan) + "\"name\":\"notes/plot.txt\"" + parts[4]
        let problem = await #expect(throws: ManifestProblem.self) {
            _ = try await ManifestFile(BytesInput(Array(altered.utf8)), key: moved.key.publicKey)
        }
        #expect(problem == .altered(Samples.person(2), .files, .target))
        await moved.world.remove()
    }

    @Test func `A retried job keeps what was recorded before, and adds what is completed now`() async throws {
        let moved = try await ManifestWorld(people: 2)
        let refusal = ConnectorError(.targetItemRefused, .retry(after: nil), "The fake tenant does not like it.")
        moved.world.source.edit(.init(.files, moved.world.login(2))) { holdings in
            let metadata = ItemMetadata.file(FileMetadata(modified: Instant(seconds: 1_700_000_000)))
            holdings[["Files"]].add("second.txt", [1, 2, 3], metadata)
        }
        moved.world.target.faults.inject(.spoil(names: ["second.txt"], refusal), at: .write, times: 1_000_000)
        let job = try await moved.move(workloads: ["ODSP", "Teams"])
        let first = try await moved.file(job)
        #expect(first.statement.status == .completedWithErrors)
        #expect(first.sections.count == 3)
        #expect(!first.sections.contains { $0.head.person == Samples.person(2) && $0.head.workload == .files })

        moved.world.target.faults.clear()
        let (world, archive) = (moved.world, moved.archive)
        try await world.withEngine(moved.makeEngine()) { engine in
            _ = try await world.send(.migrate(.key(job.description)), to: engine)
            try await world.reach([.completed], job, where: { $0.attempt > first.statement.attempt })
            try await archive.madeManifest(of: job)
        }
        let second = try await moved.file(job)
        #expect(second.statement.status == .completed)
        #expect(second.statement.attempt == first.statement.attempt + 1)
        #expect(second.sections.count == 4)
        for section in first.sections {
            #expect(second.sections.contains { $0.head == section.head }, "\(section.head.person)")
        }
        await moved.world.remove()
    }

    @Test func `A verification that cannot be written down does not count, and the cutover is tried again`()
        async throws
    {
        let moved = try await ManifestWorld(people: 1)
        moved.archive.refuse(.unavailable("the disk is full"))
        let engine = moved.makeEngine()
        let world = moved.world
        let job = try await world.withEngine(engine) { engine in
            let job = try await world.create(world.draft(workloads: ["ODSP"], in: .seconds(60)), at: engine)
            _ = try await world.send(.validate(.key(job.id.description)), to: engine)
            try await world.reach([.validatePassed], job.id)
            _ = try await world.send(.migrate(.key(job.id.description)), to: engine)
            world.time.advance(by: .seconds(120))
            try await world.reach([.cuttingOver], job.id)
            for _ in 0..<3 { try await world.nextBeat() }
            #expect(try await world.job(job.id).status == .cuttingOver)
            moved.archive.refuse(nil)
            world.time.advance(by: .seconds(60))
            try await world.reach([.completed], job.id)
            try await moved.archive.madeManifest(of: job.id)
            return job.id
        }
        #expect(try await moved.file(job).sections.count == 1)
        await moved.world.remove()
    }
}
