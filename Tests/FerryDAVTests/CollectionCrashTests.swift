import FerryConnector
import FerryCore
import FerryEngine
import FerryFormats
import FerryHTTP
import FerrySQLite
import FerryStore
import FerryTestKit
import Foundation
import Logging
import Synchronization
import Testing

@testable import FerryDAV

private let place = FakeTenant.Place(.calendar, "ada")
private let details = ContainerDetails.calendar(
    displayName: "Work ☂", color: "#00ff7f",
    traits: CollectionTraits(description: "All of it", order: "3", components: ["VEVENT", "VTODO"]))

private func event(_ name: String, _ summary: String) -> [UInt8] {
    let isZoned = name == "zoned"
    let zone =
        isZoned
        ? "BEGIN:VTIMEZONE\nTZID:Here\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0130\nTZOFFSETTO:+0130\n"
            + "END:STANDARD\nEND:VTIMEZONE\n" : ""
    let text =
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Ferry//Test//EN\n\(zone)BEGIN:VEVENT\nUID:\(name)@x\n"
        + "DTSTAMP:20240101T000000Z\nDTSTART\(isZoned ? ";TZID=Here:20240101T100000" : ":20240101T100000Z")\n"
        + "DURATION:PT1H\nSUMMARY:\(summary)\nEND:VEVENT\nEND:VCALENDAR\n"
    return Array(text.replacing("\n", with: "\r\n").utf8)
}

extension FakeTenant.Folder {
    fileprivate mutating func add(_ name: String, _ summary: String) {
        add("\(name)@x.ics", event(name, summary), .calendarObject)
    }
}

/// Law 1 where many objects go in one request: whoever dies at a request, an answer or a commit (every fourth of them, or each
/// with FERRY_SEED=0), every object is there exactly once, and what others have put into the calendar meanwhile is untouched.
@Suite struct `Crashes over CalDAV` {
    private static let stride = RunSeed.value == 0 ? 1 : 4

    private final class World: Sendable {
        let source = FakeTenant()
        let target: CollectionServer
        let store: any Store
        let stage = Mutex(0)
        private let clock = VirtualClock()
        private let job = JobID(GUID(high: 7, low: 1))
        private let directory: URL

        init() async throws {
            target = try await CollectionServer.person(.radicale)
            directory = FileManager.default.temporaryDirectory.appending(path: "ferry-dav-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
            let (clock, job, account) = (clock, job, target.account())
            store = try await SQLiteStore.open(path: directory.appending(path: "ferry.sqlite").path) { clock.instant }
            try await store.transact { (tx) throws(StoreError) in
                try tx.insert(
                    Job(
                        id: job, targetTenant: account.tenant, sourceTenant: account.tenant, displayName: "Wave",
                        exchangeSettings: nil, workloads: [.mailbox], people: [account.person.id], createdBy: "test",
                        created: clock.instant, updated: clock.instant, completeAfter: clock.instant,
                        status: .inProgress, type: .migrate, message: "", validated: nil, attempt: 1,
                        isValidationOnly: false, version: 0))
            }
            edit { folder in
                for number in 0..<24 { folder.add("many-\(number)", "Number \(number)") }
                folder.add("zoned", "Not in the bundle")
            }
        }

        deinit { try? FileManager.default.removeItem(at: directory) }

        func edit(_ body: (inout FakeTenant.Folder) -> Void) {
            source.edit(place) { body(&$0[["work"], details]) }
        }

        var sourceContents: [String: ContentDigest] {
            Dictionary(
                uniqueKeysWithValues: source[place].folders.flatMap(\.items).map {
                    ($0.name, ContentMeaning.digest(of: $0.content))
                })
        }

        /// One pass of a process that reaches the server through a relay that dies with it.
        func pass(through points: CrashPoints) async throws {
            clock.advance(by: .seconds(60))
            let relay = try await DAVRelay.open(to: target.endpoint.port, points)
            let account = target.account()
            let run = RunID(job: job, person: account.person.id, workload: .mailbox)
            let lane = LaneID("test")
            let leases = try await store.transact { (tx) throws(StoreError) in
                try tx.enqueue(WorkItem(key: .run(run), lane: lane, due: tx.now))
                return try tx.lease(room: [lane: 10], limit: 10, term: .seconds(30))
            }
            let lease = try #require(leases.first)
            var settings = CopySettings()
            settings.countsAhead = false
            let copier = Copier(
                store: points.wrap(store), effects: .steady(clock), settings: settings,
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
            let transfer = Transfer(
                run: run,
                route: Route(
                    sourceTenant: account.tenant, sourcePerson: account.person.id, targetTenant: account.tenant,
                    targetPerson: account.person.id, workload: .mailbox),
                legs: [
                    Transfer.Leg(
                        service: .calendar, source: source.connector(.calendar),
                        sourceAccount: Account(tenant: account.tenant, person: account.person, login: "ada"),
                        target: target.connector(.calendars, port: relay.port), targetAccount: account)
                ],
                addresses: AddressBook(), ownAddresses: [], hasMeetingsRun: false)
            let progress = try await store.reader.task(job, run.person)?[.mailbox]?.progress ?? RunProgress()
            _ = try await copier.pass(transfer, under: lease, starting: progress)
            let findings = try await store.reader.itemFindings(of: job, after: 0, limit: 100)
            #expect(findings == [])
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func `A process that dies at a request, an answer or a commit loses and doubles nothing`() async throws {
        let sweep = CrashSweep<World>(
            makeWorld: { try await World() },
            live: { world, points in
                while world.stage.withLock({ $0 }) < 2 {
                    try await world.pass(through: points)
                    let stage = world.stage.withLock { stage in
                        stage += 1
                        return stage
                    }
                    guard stage == 1 else { continue }
                    // A day's work on both sides.
                    world.edit { folder in
                        folder.remove("many-3@x.ics")
                        folder.add("fresh", "Came later")
                        folder.change("many-5@x.ics") { $0.content = event("many-5", "Changed") }
                    }
                    try await world.target.put(
                        "theirs.ics", event("theirs", "Somebody's own"), in: "work", .calendars)
                }
            },
            judge: { world, story in
                let reader = try await world.target.connector(.calendars).source(for: world.target.account())
                let containers = try await reader.containers()
                #expect(containers.map(\.details) == [details], "\(story)")
                let container = try #require(containers.first)
                var there: [String: ContentDigest] = [:]
                for header in try await reader.items(in: container, after: nil).headers {
                    let content = try #require(
                        try await world.target.content(header.name, in: "work", .calendars), "\(story)")
                    #expect(
                        there.updateValue(ContentMeaning.digest(of: content), forKey: header.name) == nil, "\(story)")
                }
                await reader.close()
                #expect(there.removeValue(forKey: "theirs.ics") != nil, "\(story)")
                #expect(there == world.sourceContents, "\(story)")
            })
        let boundaries = try await sweep.run(killingTwiceWith: RunSeed.value, stride: Self.stride)
        #expect(boundaries > 50, "requests and answers among them")
    }
}
