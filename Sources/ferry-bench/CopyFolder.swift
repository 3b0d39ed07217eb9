import ArgumentParser
import FerryConnector
import FerryCore
import FerryEngine
import FerryFolder
import FerrySQLite
import FerryStore
import FerryTestKit

/// One pass over one person's service, folder to folder, with the copier and the store that the server uses.
struct CopyFolder: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Move person1@north.example to person1@south.example; again for the next pass.")

    @Option(help: "mail or files.") var service: String
    @Option(help: "The store's file; holds the ledger from pass to pass.") var store: String
    @Argument(help: "Directory in which the person's folder lies.") var source: String
    @Argument(help: "Directory in which the person's folder is to be; made if it is absent.") var target: String

    func run() async throws {
        guard let service = ServiceKind(rawValue: service), let workload = Self.workload(of: service) else {
            throw ValidationError("--service wants mail or files")
        }
        try makeDirectory(target)
        let store = try await SQLiteStore.open(path: store, now: { Instant.wallClock })
        let (person, twin) = (StaticDirectory.sourcePerson(1), StaticDirectory.targetPerson(1))
        let leg = Transfer.Leg(
            service: service, source: connector(service, in: source),
            sourceAccount: Account(tenant: StaticDirectory.source, person: person, login: person.mail),
            target: connector(service, in: target),
            targetAccount: Account(tenant: StaticDirectory.target, person: twin, login: twin.mail))
        let job = BenchJob(store: store, moving: workload)
        try await job.begin()
        let clock = ContinuousClock()
        let start = clock.now
        guard let result = try await job.pass({ _ in [leg] }) else {
            throw ValidationError("another process is at work in this store")
        }
        let elapsed = start.duration(to: clock.now)
        await store.close()

        var measured = Measurement()
        measured.add("changes", result.changes)
        measured.add("items", result.progress.items)
        measured.add("bytes", result.progress.bytes)
        measured.add("seconds", seconds: elapsed)
        measured.add("processorSeconds", seconds: Measurement.processorTime())
        measured.finish()
    }

    private static func workload(of service: ServiceKind) -> Workload? {
        switch service {
        case .mail: .mailbox
        case .files: .files
        case .calendar, .contacts, .chats: nil
        }
    }

    private func connector(_ service: ServiceKind, in root: String) -> FolderConnector {
        FolderConnector(service: service, tenant: "Bench", root: root, now: { Instant.wallClock })
    }
}
