import FerryCore
import FerryFormats
import FerryStore
import Synchronization

/// Writes down what a verification sees of one run, both sides at once.
struct RunRecorder: Sendable {
    let source: SideRecorder
    let target: SideRecorder
    private let run: RunID
    private let route: Route
    private let archive: any ManifestArchive

    init(_ transfer: Transfer, in archive: any ManifestArchive) async throws(StoreError) {
        run = transfer.run
        route = transfer.route
        self.archive = archive
        source = SideRecorder(try await archive.draft(of: run, .source))
        do throws(StoreError) {
            target = SideRecorder(try await archive.draft(of: run, .target))
        } catch {
            await source.discard()
            throw error
        }
    }

    /// Makes what was written the record of the run. Durable on return; a failure leaves the older record.
    func keep(_ result: TransferVerification, at now: Instant) async throws(StoreError) {
        func sum(_ count: KeyPath<TransferVerification.ContainerResult, Int64>) -> Int64 {
            result.containers.reduce(0) { $0 + $1[keyPath: count] }
        }
        let head = ManifestRun(
            person: run.person, sourcePerson: route.sourcePerson, workload: run.workload, compared: now,
            identical: sum(\.identical), altered: result.alteredMessages, skipped: sum(\.skipped),
            elsewhere: sum(\.elsewhere),
            source: try await source.finish(), target: try await target.finish())
        try await archive.keep(head, of: run, source: source.draft, target: target.draft)
    }

    /// Forgets what was written. After `keep` it does nothing.
    func discard() async {
        await source.discard()
        await target.discard()
    }
}

/// The lines of one side of a run: hashed and handed on as they come, so that none is held for long.
final class SideRecorder: Sendable {
    /// Octets that are held before they are handed on.
    private static let chunk = 64 << 10

    private struct State {
        var tree = MerkleTree()
        var pending: [UInt8] = []
        var items: Int64 = 0
        var bytes: Int64 = 0
    }

    let draft: any ManifestDraft
    private let state = Mutex(State())

    init(_ draft: any ManifestDraft) { self.draft = draft }

    /// What follows is in this container.
    func open(_ container: ManifestContainer) { add(.container(container)) }

    /// Call `flush` now and then.
    func add(_ item: ManifestItem) { add(.item(item)) }

    private func add(_ line: ManifestLine) {
        let bytes = line.bytes
        state.withLock { state in
            state.tree.append(bytes)
            state.pending += bytes
            state.pending.append(0x0A)
            state.bytes += Int64(bytes.count) + 1
            if case .item = line { state.items += 1 }
        }
    }

    /// Hands on what has come together; all of it, or only when it is worth it.
    func flush(all: Bool = false) async throws(StoreError) {
        let ready = state.withLock { state -> [UInt8] in
            guard all || state.pending.count >= Self.chunk else { return [] }
            let ready = state.pending
            state.pending = []
            return ready
        }
        if !ready.isEmpty { try await draft.write(ready) }
    }

    func finish() async throws(StoreError) -> ManifestRun.Side {
        try await flush(all: true)
        return state.withLock {
            ManifestRun.Side(items: $0.items, lines: $0.tree.count, bytes: $0.bytes, root: $0.tree.root)
        }
    }

    func discard() async { await draft.discard() }
}
