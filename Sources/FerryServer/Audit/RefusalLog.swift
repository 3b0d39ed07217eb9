import FerryCore
import FerryEngine
import FerryStore
import Logging
import Synchronization

/// Brings refused requests into the audit trail, however many there are.
///
/// The first refusal of a kind is written within a second; equal ones within the same minute are counted and written as
/// one record when the minute is over. Kinds are bounded, and what is beyond is counted together, so that a flood costs
/// a chain at most `2 * (kinds + 1)` records a minute and memory that does not grow with it.
final class RefusalLog: Sendable {
    /// Kinds that are told apart in one chain and minute.
    static let kinds = 64
    /// Nanoseconds for which equal refusals are counted together.
    static let window: Int64 = 60_000_000_000
    /// Records that wait while the store cannot be written.
    static let backlog = 4_096

    /// What makes two refusals equal: everything but time and request.
    private struct Kind: Hashable {
        var subject: String
        var application: String
        var origin: String
        var operation: String
        var job: JobID?
        var detail: String
        var status: Int
        var code: String
    }

    private struct Tally {
        /// What to write: the first refusal that is not written yet, with the count of those since.
        var pending: AuditEntry?
        /// One of the kind was written in this minute, so the others wait for its end.
        var isKnown = false

        mutating func add(_ entry: AuditEntry) {
            guard var sum = pending else {
                pending = entry
                return
            }
            sum.count += entry.count
            sum.at = entry.at
            pending = sum
        }
    }

    /// The refusals of one minute in one chain.
    private struct Minute {
        var begin: Int64
        var tallies: [Kind: Tally] = [:]
        /// Everything beyond the kinds that are told apart.
        var others = Tally()

        mutating func add(_ entry: AuditEntry, _ kind: Kind) {
            if tallies[kind] != nil || tallies.count < RefusalLog.kinds {
                tallies[kind, default: Tally()].add(entry)
            } else {
                others.add(AuditEntry(tenant: entry.tenant, at: entry.at, operation: AuditOperation.various))
            }
        }
    }

    private struct State {
        var minutes: [TenantID: Minute] = [:]
        /// Taken, but not stored yet.
        var waiting: [AuditEntry] = []
    }

    private let state = Mutex(State())
    private let uptime: @Sendable () -> Int64
    private let commands: any CommandHandling
    private let logger: Logger

    /// - Parameter uptime: nanoseconds by a monotonic clock.
    init(_ commands: any CommandHandling, uptime: @escaping @Sendable () -> Int64, logger: Logger) {
        self.commands = commands
        self.uptime = uptime
        self.logger = logger
    }

    /// Takes the refusal; it is written by a later `flush`.
    func note(_ entry: AuditEntry) {
        let kind = Kind(
            subject: entry.subject, application: entry.application, origin: entry.origin, operation: entry.operation,
            job: entry.job, detail: entry.detail, status: entry.status, code: entry.code)
        let now = uptime()
        state.withLock { $0.minutes[entry.tenant, default: Minute(begin: now)].add(entry, kind) }
    }

    /// Writes what is due, or everything with `all`. What cannot be stored now is tried again the next time.
    func flush(all: Bool = false) async {
        let now = uptime()
        let entries = state.withLock { state -> [AuditEntry] in
            var entries = state.waiting
            state.waiting = []
            for (tenant, var minute) in state.minutes {
                let isOver = all || now - minute.begin >= Self.window
                for kind in minute.tallies.keys {
                    entries += Self.due(&minute.tallies[kind, default: Tally()], isOver: isOver)
                }
                entries += Self.due(&minute.others, isOver: isOver)
                state.minutes[tenant] = isOver ? nil : minute
            }
            return entries
        }
        guard !entries.isEmpty else { return }
        do throws(StoreError) {
            // The order of a chain is that of time, as far as refusals of the last second can be.
            try await commands.record(entries.sorted { $0.at < $1.at })
        } catch {
            let lost = state.withLock { state -> Int in
                state.waiting = entries + state.waiting
                let lost = max(0, state.waiting.count - Self.backlog)
                state.waiting.removeLast(lost)
                return lost
            }
            logger.error(
                "Refusals could not be recorded in the audit trail",
                metadata: ["waiting": "\(entries.count - lost)", "lost": "\(lost)", "error": "\(error)"])
        }
    }

    private static func due(_ tally: inout Tally, isOver: Bool) -> [AuditEntry] {
        guard let entry = tally.pending, isOver || !tally.isKnown else { return [] }
        tally.pending = nil
        tally.isKnown = true
        return [entry]
    }

    /// Flushes every second until it is cancelled, and once more then.
    func run(on clock: any Clock<Duration>) async {
        while true {
            do { try await clock.sleep(for: .seconds(1)) } catch { break }
            await flush()
        }
        await flush(all: true)
    }
}
