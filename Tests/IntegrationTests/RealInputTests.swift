import FerryConnector
import FerryCore
import FerryEngine
import FerryFolder
import FerrySQLite
import FerryStore
import FerryTestKit
import Foundation
import Logging
import Testing

/// Messages, calendars and cards that other projects collected because they are difficult. `script/test` fetches them
/// (`Tests/Support/collect-real-input.py`); the environment variable FERRY_REAL_INPUT says where they are.
@Suite struct RealInputTests {
    @Test func `Difficult messages, calendars and cards of the real world arrive byte for byte`() async throws {
        let input = try RealInput()
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let source = Mailbox(root: directory.url.appending(path: "source"), login: Self.person.mail)
        try source.fill(with: input)

        let findings = try await Self.move(in: directory)

        let target = Mailbox(root: directory.url.appending(path: "target"), login: Self.twin.mail)
        let (sent, arrived) = (try source.messages(), try target.messages())
        #expect(sent.values.reduce(0, +) == input.messages.count)
        #expect(
            differences(arrived, sent).isEmpty, "every message is in its folder, with its flags, no byte changed")

        for service in [ServiceKind.calendar, .contacts] {
            let (sent, arrived) = (try source.objects(of: service), try target.objects(of: service))
            let refused = Set(findings.filter { $0.container.text.hasPrefix(service.rawValue) }.map(\.item))
            let expected = sent.filter { !refused.contains($0.name) }
            #expect(
                differences(arrived.contents, expected.contents).isEmpty,
                "what was not refused by name is there exactly once, no byte changed")
            // Some of the input is damaged on purpose; most is not, and has to move.
            #expect(refused.count * 4 <= sent.count, "refused \(service.rawValue): \(refused.sorted())")
        }
    }

    @Test func `A second pass over difficult input finds nothing to do`() async throws {
        let input = try RealInput()
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        try Mailbox(root: directory.url.appending(path: "source"), login: Self.person.mail).fill(with: input)

        let store = try await SQLiteStore.open(path: directory.path("ferry.sqlite"), now: Effects.test.now)
        let first = try await Self.pass(in: directory, store: store)
        let second = try await Self.pass(in: directory, store: store, after: first.progress)
        await store.close()

        #expect(first.changes > 0)
        #expect(second.changes == 0)
        #expect(second.progress.items == first.progress.items)
    }

    // MARK: moving

    private static let person = StaticDirectory.sourcePerson(1)
    private static let twin = StaticDirectory.targetPerson(1)
    private static let run = RunID(job: JobID(GUID(high: 1, low: 1)), person: twin.id, workload: .mailbox)

    /// One pass of the real copier over the real store; gives what it could not move.
    private static func move(in directory: TemporaryDirectory) async throws -> [ItemFinding] {
        let store = try await SQLiteStore.open(path: directory.path("ferry.sqlite"), now: Effects.test.now)
        _ = try await pass(in: directory, store: store)
        let findings = try await store.reader.itemFindings(of: run.job, after: 0, limit: 10_000)
        await store.close()
        return findings
    }

    private static func pass(
        in directory: TemporaryDirectory, store: SQLiteStore, after progress: RunProgress = RunProgress()
    ) async throws -> PassResult {
        let (from, to) = (directory.url.appending(path: "source"), directory.url.appending(path: "target"))
        let legs = try Workload.mailbox.services.map { service in
            try FileManager.default.createDirectory(
                at: to.appending(path: service.rawValue), withIntermediateDirectories: true)
            return Transfer.Leg(
                service: service,
                source: FolderConnector(
                    service: service, tenant: "North", root: from.appending(path: service.rawValue).path,
                    now: Effects.test.now),
                sourceAccount: Account(tenant: StaticDirectory.source, person: person, login: person.mail),
                target: FolderConnector(
                    service: service, tenant: "South", root: to.appending(path: service.rawValue).path,
                    now: Effects.test.now),
                targetAccount: Account(tenant: StaticDirectory.target, person: twin, login: twin.mail))
        }
        let transfer = Transfer(
            run: run,
            route: Route(
                sourceTenant: StaticDirectory.source, sourcePerson: person.id, targetTenant: StaticDirectory.target,
                targetPerson: twin.id, workload: .mailbox),
            legs: legs, addresses: AddressBook(), ownAddresses: person.addresses, hasMeetingsRun: false)
        let copier = Copier(
            store: store, effects: .test, logger: Logger(label: "real-input") { _ in SwiftLogNoOpLogHandler() })
        let lease = try await lease(in: store)
        let result = try await copier.pass(transfer, under: lease, starting: progress)
        try await store.transact { (tx) throws(StoreError) in try tx.finish(lease, next: nil) }
        return result
    }

    private static func lease(in store: SQLiteStore) async throws -> Lease {
        let now = store.now
        let job = Job(
            id: run.job, targetTenant: StaticDirectory.target, sourceTenant: StaticDirectory.source,
            displayName: "real input", exchangeSettings: nil, workloads: [.mailbox], people: [twin.id],
            createdBy: "test", created: now, updated: now, completeAfter: now, status: .inProgress, type: .migrate,
            message: "", validated: now, attempt: 1, isValidationOnly: false, version: 1)
        let lane = LaneID("real-input")
        let leases = try await store.transact { (tx) throws(StoreError) -> [Lease] in
            if try tx.job(job.id) == nil { try tx.insert(job) }
            try tx.enqueue(WorkItem(key: .run(run), lane: lane, due: tx.now))
            return try tx.lease(room: [lane: 1], limit: 1, term: .seconds(600))
        }
        return try #require(leases.first)
    }
}

// MARK: the input

/// What was collected. Its absence cancels the test, visibly.
private struct RealInput {
    let messages: [URL]
    let calendars: [URL]
    let cards: [URL]

    init() throws {
        guard let path = ProcessInfo.processInfo.environment["FERRY_REAL_INPUT"] else {
            try Test.cancel("FERRY_REAL_INPUT is not set; script/test collects the input and sets it")
        }
        let root = URL(filePath: path)
        func files(_ folder: String) -> [URL] {
            let found = try? FileManager.default.contentsOfDirectory(
                at: root.appending(path: folder), includingPropertiesForKeys: nil)
            return (found ?? []).sorted { $0.lastPathComponent < $1.lastPathComponent }
        }
        (messages, calendars, cards) = (files("mail"), files("calendar"), files("contacts"))
        guard !messages.isEmpty, !calendars.isEmpty, !cards.isEmpty else {
            try Test.cancel("not all of the input could be collected under \(path)")
        }
    }
}

/// A person's mailbox made of files: a Maildir++ with a nested folder, two calendars, two address books.
private struct Mailbox {
    let root: URL
    let login: String

    private func folder(_ service: ServiceKind) -> URL {
        root.appending(path: service.rawValue).appending(path: login)
    }

    func fill(with input: RealInput) throws {
        for name in ["", ".Lists", ".Lists.Bounces"] {
            for part in ["cur", "new", "tmp"] {
                try FileManager.default.createDirectory(
                    at: folder(.mail).appending(path: name).appending(path: part), withIntermediateDirectories: true)
            }
        }
        for (number, file) in input.messages.enumerated() {
            let place = folder(.mail).appending(path: ["", ".Lists", ".Lists.Bounces"][number % 3])
            let base = "\(1_600_000_000 + number).M\(number)P1.real"
            // One in seven is new, without flags; the others carry every combination of three.
            if number.isMultiple(of: 7) {
                try FileManager.default.copyItem(at: file, to: place.appending(path: "new/\(base)"))
            } else {
                let flags = ["", "S", "RS", "FS", "FRS", "F", "R", "DS"][number % 8]
                try FileManager.default.copyItem(at: file, to: place.appending(path: "cur/\(base):2,\(flags)"))
            }
        }
        for (service, files) in [(ServiceKind.calendar, input.calendars), (.contacts, input.cards)] {
            for (number, file) in files.enumerated() {
                let collection = folder(service).appending(path: number.isMultiple(of: 2) ? "first" : "second")
                try FileManager.default.createDirectory(at: collection, withIntermediateDirectories: true)
                try FileManager.default.copyItem(at: file, to: collection.appending(path: file.lastPathComponent))
            }
        }
    }

    struct Message: Hashable {
        var folder: String
        var flags: String
        var content: Data
    }

    /// Every message with how often it is there.
    func messages() throws -> [Message: Int] {
        var found: [Message: Int] = [:]
        for file in try files(below: folder(.mail)) {
            let part = file.deletingLastPathComponent()
            guard part.lastPathComponent == "cur" || part.lastPathComponent == "new" else { continue }
            let name = file.lastPathComponent
            let flags = name.range(of: ":2,").map { String(name[$0.upperBound...]) } ?? ""
            let place = part.deletingLastPathComponent().lastPathComponent
            let message = Message(
                folder: place == login ? "INBOX" : place, flags: String(flags.filter("DFPRST".contains).sorted()),
                content: try Data(contentsOf: file))
            found[message, default: 0] += 1
        }
        return found
    }

    func objects(of service: ServiceKind) throws -> [Object] {
        try files(below: folder(service))
            .filter { ["ics", "vcf"].contains($0.pathExtension) }
            .map { Object(name: $0.lastPathComponent, content: try Data(contentsOf: $0)) }
    }

    private func files(below folder: URL) throws -> [URL] {
        let found = try #require(
            FileManager.default.enumerator(at: folder, includingPropertiesForKeys: [.isRegularFileKey]))
        return try found.compactMap { $0 as? URL }
            .filter { try $0.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true }
    }
}

private struct Object {
    var name: String
    var content: Data
}

extension [Object] {
    /// Every content with how often it is there; names are the target's own affair.
    fileprivate var contents: [Data: Int] { reduce(into: [:]) { $0[$1.content, default: 0] += 1 } }
}

/// What one side has oftener or less often than the other; short enough to be read when it is not empty.
private func differences<Element>(_ left: [Element: Int], _ right: [Element: Int]) -> [Element] {
    Set(left.keys).union(right.keys).filter { left[$0] != right[$0] }
}

// MARK: surroundings

private struct TemporaryDirectory {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "ferry-real-input-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    func path(_ name: String) -> String { url.appending(path: name).path }

    func remove() { try? FileManager.default.removeItem(at: url) }
}

extension Effects {
    fileprivate static let test = Effects(
        now: { Instant(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000)) }, clock: ContinuousClock(),
        makeGUID: { GUID(high: .random(in: .min ... .max), low: .random(in: .min ... .max)) },
        random: { .random(in: 0..<1) })
}
