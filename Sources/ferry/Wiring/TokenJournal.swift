import Dispatch
import FerryCore
import FerryEngine
import FerryStore
import FoundationEssentials
import Glibc
import Logging
import ServiceLifecycle

/// Brings tokens that `ferry token` made into the audit trail.
///
/// The store has one writer, the server, and `ferry token` runs beside it. So it leaves a note in a folder beside the
/// store, durable before the token is shown, and the server takes the notes up: at its start and while it runs. A note
/// is removed after its record is committed; the record of a token is taken once, so a crash in between costs nothing.
struct TokenJournal: Sendable {
    /// What a note says.
    struct Note: Codable, Hashable, Sendable {
        /// Claim `uti` of the token.
        var id: String
        var tenant: String
        /// Object id, or application id, that the token speaks for.
        var subject: String
        var name: String
        var application: String
        /// Microseconds since 1970.
        var issued: Int64
        /// Who is logged in on the machine, and until when the token holds.
        var detail: String
    }

    /// The folder of notes.
    let folder: String

    init(_ store: Configuration.StoreLocation) {
        switch store {
        case .sqlite(let path): folder = path + ".tokens"
        }
    }

    /// Writes the note; durable when it returns.
    func add(_ note: Note) throws(Complaint) {
        do {
            if mkdir(folder, 0o700) != 0, errno != EEXIST { throw SystemFailure(about: folder) }
            let path = "\(folder)/\(note.id).json"
            try LocalFile.write(Array(try JSONEncoder().encode(note)), to: path + ".new", mode: 0o600)
            try Self.synchronize(path + ".new")
            guard rename(path + ".new", path) == 0 else { throw SystemFailure(about: path) }
            try Self.synchronize(folder)
        } catch {
            throw Complaint(
                "The token was not made, because the audit trail could not be told: \(error). Check the rights of the"
                    + " folder.")
        }
    }

    /// The notes that are there, as entries, with their files; half-written ones and strangers' files left out.
    func notes() throws(SystemFailure) -> [(entry: AuditEntry, path: String)] {
        var entries: [(entry: AuditEntry, path: String)] = []
        for name in try LocalFile.names(in: folder) ?? [] where name.hasSuffix(".json") {
            let path = "\(folder)/\(name)"
            let bytes = try LocalFile.contents(of: path)
            guard let note = try? JSONDecoder().decode(Note.self, from: Data(bytes)), let entry = note.entry else {
                continue
            }
            entries.append((entry, path))
        }
        return entries
    }

    private static func synchronize(_ path: String) throws(SystemFailure) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemFailure(about: path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw SystemFailure(about: path) }
    }

    /// The name under which somebody is logged in, else the number of the account.
    static var account: String {
        guard let entry = getpwuid(getuid()), let name = entry.pointee.pw_name else { return String(getuid()) }
        return String(cString: name)
    }
}

extension TokenJournal.Note {
    fileprivate var entry: AuditEntry? {
        guard let id = GUID(id), let tenant = TenantID(tenant) else { return nil }
        return AuditEntry(
            tenant: tenant, at: Instant(microseconds: issued), subject: subject, name: name, application: application,
            operation: AuditOperation.issueToken, detail: detail, requestID: id)
    }
}

/// Takes up the notes of the token journal while the server runs.
struct TokenJournalReader: Service {
    let journal: TokenJournal
    let commands: any CommandHandling
    let clock: any Clock<Duration>
    let logger: Logger
    private let queue = DispatchQueue(label: "ferry.tokens")

    private static let pause = Duration.seconds(2)

    init(journal: TokenJournal, commands: any CommandHandling, clock: any Clock<Duration>, logger: Logger) {
        self.journal = journal
        self.commands = commands
        self.clock = clock
        self.logger = logger
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await takeUp()
                do { try await clock.sleep(for: Self.pause) } catch { return }
            }
        }
    }

    /// One round: record what is there, then remove the notes.
    func takeUp() async {
        let found = await onQueue { [journal] () -> Result<[(entry: AuditEntry, path: String)], SystemFailure> in
            Result { () throws(SystemFailure) in try journal.notes() }
        }
        do {
            let notes = try found.get()
            guard !notes.isEmpty else { return }
            try await commands.record(notes.map(\.entry))
            await onQueue { for note in notes { unlink(note.path) } }
        } catch {
            logger.error("Notes of issued tokens could not be recorded", metadata: ["error": "\(error)"])
        }
    }

    private func onQueue<R: Sendable>(_ work: @escaping @Sendable () -> R) async -> R {
        await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: work()) }
        }
    }
}
