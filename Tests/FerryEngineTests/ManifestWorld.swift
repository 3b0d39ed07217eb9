import FerryConnector
import FerryCore
import FerryEngine
import FerryFormats
import FerryTestKit
import Testing

/// A job that was moved by an engine with an archive, and its manifest.
struct ManifestWorld {
    let world: EngineWorld
    let archive = MemoryManifestArchive()
    let key: ManifestKey
    let office: ManifestOffice

    init(people: Int = 2, source: FakeTenant.Settings = .init(), target: FakeTenant.Settings = .init()) async throws {
        world = try await EngineWorld(people: people, source: source, target: target)
        key = try #require(ManifestKey(seed: Array(1...32)))
        office = ManifestOffice(archive: archive, key: key)
    }

    /// Nobody is asked to approve anything: manifests are about jobs that have ended.
    func makeEngine() -> Engine {
        var settings = EngineWorld.quick
        settings.jobs.holdsSkippedItems = false
        return world.makeEngine(settings: settings, manifests: office)
    }

    /// Creates, validates and migrates a job, and waits for its end and its manifest.
    func move(_ name: String = "Wave 1", workloads: [String]? = nil) async throws -> JobID {
        let engine = makeEngine()
        return try await world.withEngine(engine) { [world, archive] engine in
            let job = try await world.create(world.draft(name, workloads: workloads, in: .seconds(60)), at: engine)
            _ = try await world.send(.validate(.key(job.id.description)), to: engine)
            try await world.reach([.validatePassed], job.id)
            _ = try await world.send(.migrate(.key(job.id.description)), to: engine)
            world.time.advance(by: .seconds(120))
            try await world.reach([.completed, .completedWithErrors], job.id)
            try await archive.madeManifest(of: job.id)
            return job.id
        }
    }

    func file(_ job: JobID, piece: Int = .max) async throws -> ManifestFile {
        try await ManifestFile(BytesInput(try #require(archive.bytes(of: job)), piece: piece), key: key.publicKey)
    }

    func checker(limit: Int = 100_000) -> ManifestChecker {
        ManifestChecker(
            directory: world.directory,
            connections: FakeConnections(source: world.source, target: world.target, points: nil),
            differenceLimit: limit)
    }

    /// One difference, with whose it is.
    struct Named: Hashable, CustomStringConvertible {
        var person: PersonID
        var service: ServiceKind
        var path: [String]
        var item: String
        var description: String { "\(person) \(service) \(path) \(item)" }
    }

    /// Everything that differs now, by what the manifest says; fails where a run cannot be compared. An object may be
    /// reported by two runs: one misses it, and to the other one it is a stranger.
    func differences(
        _ file: ManifestFile, _ comparison: ManifestChecker.Comparison
    ) async throws -> [Named: Set<ErrorCode>] {
        var found: [Named: Set<ErrorCode>] = [:]
        let checker = checker()
        for section in file.sections {
            guard case .compared(let result) = try await checker.compare(section, of: file, comparison) else {
                Issue.record("A run was not compared")
                continue
            }
            #expect(Int(result.differenceCount) == result.differences.count)
            var reported: Set<Named> = []
            for difference in result.differences {
                let named = Named(
                    person: section.head.person, service: difference.service, path: difference.path,
                    item: difference.item)
                #expect(reported.insert(named).inserted, "\(named) was reported twice")
                found[named, default: []].insert(difference.code)
            }
        }
        return found
    }
}
