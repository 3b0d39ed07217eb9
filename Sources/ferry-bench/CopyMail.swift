import ArgumentParser
import FerryConnector
import FerryCore
import FerryEngine
import FerryIMAP
import FerrySQLite
import FerryStore
import FerryTestKit
import NIOPosix

/// One pass over mailboxes of one server into mailboxes of another, with the copier, the connector and the store that the
/// server uses, and with as many people at once as it would have.
struct CopyMail: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Move mailboxes between two servers of Tests/servers/dovecot.sh; again for the next pass.")

    @Option(help: "The store's file; holds the ledger from pass to pass.") var store: String
    @Option(help: "The source server's port on 127.0.0.1.") var source: Int
    @Option(help: "The target server's port on 127.0.0.1.") var target: Int
    @Option(help: "Connections to each server at once.") var connections = 8
    @Option(help: "Connections that read one large mailbox at once.") var readers: Int?
    @Option(help: "Connections that write into one large mailbox at once.") var writers: Int?
    @Argument(help: "Logins, as SOURCE=TARGET.") var pairs: [String]

    func run() async throws {
        let logins = try LoginPair.read(pairs)
        let store = try await SQLiteStore.open(path: store, now: { Instant.wallClock })
        let job = BenchJob(store: store, moving: .mailbox, people: logins.count)
        let (from, to) = (connector("North", port: source), connector("South", port: target))
        let legs: @Sendable (Int) -> [Transfer.Leg] = { number in
            [.bench(.mail, from, to, number, logins[number - 1])]
        }

        let clock = ContinuousClock()
        let start = clock.now
        try await job.begin()
        let sums = try await withThrowingTaskGroup(of: (changes: Int64, items: Int64, bytes: Int64).self) { group in
            // As many as the scheduler would let at both endpoints.
            for _ in 0..<min(from.parallelism, to.parallelism) {
                group.addTask {
                    var sum = (changes: Int64(0), items: Int64(0), bytes: Int64(0))
                    while let result = try await job.pass(legs) {
                        sum.changes += result.changes
                        sum.items += result.progress.items
                        sum.bytes += result.progress.bytes
                    }
                    return sum
                }
            }
            return try await group.reduce((0, 0, 0)) { ($0.0 + $1.changes, $0.1 + $1.items, $0.2 + $1.bytes) }
        }
        let elapsed = start.duration(to: clock.now)
        await store.close()

        var measured = Measurement()
        measured.add("changes", sums.0)
        measured.add("items", sums.1)
        measured.add("bytes", sums.2)
        measured.add("seconds", seconds: elapsed)
        measured.add("processorSeconds", seconds: Measurement.processorTime())
        measured.finish()
    }

    private func connector(_ tenant: String, port: Int) -> IMAPConnector {
        var settings = IMAPSettings(
            endpoint: IMAPEndpoint(host: "127.0.0.1", port: port, security: .none),
            entrance: .master(user: "mover", separator: "*", password: Secret("masterpw")), connections: connections)
        if let readers { settings.readers = readers }
        if let writers { settings.writers = writers }
        return IMAPConnector(tenant: tenant, settings: settings, on: .singletonMultiThreadedEventLoopGroup)
    }
}
