import FerryConnector
import FerryCore
import NIOCore
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Where one item's file belongs.
struct Placement: Sendable {
    /// Where the unfinished file lies: `directory`, or another one of the same file system.
    var staging: Directory
    var directory: Directory
    var name: FileName
    /// Time of last change of the finished file.
    var modified: Timestamp?
    var isExecutable = false
    /// The item's present file where it has another name. It gets the new name first and is then replaced, so that at
    /// no time the item is missing or there twice.
    var replaces: (directory: Directory, name: FileName)?
}

/// Writes a batch of items, one file each, at the price of one synchronization.
///
/// The order is what makes it safe against a crash at any instant:
/// 1. every file is written under a temporary name: whatever is lost, no item has been touched;
/// 2. all of them are synchronized at once: from here on the contents survive;
/// 3. each is renamed to its name: a rename is all or nothing, and can only show content that step 2 made durable;
/// 4. the directories are synchronized: the names survive too, and only now the batch is reported as written.
/// A crash before 4 leaves each item old, new or absent, and a temporary file at worst; writing again mends both.
struct FileBatch: Sendable {
    /// Decides where an item goes. Called on a pool thread, once per item that has a body, before anything is written
    /// for it. Throws what becomes the item's receipt.
    typealias Placing = @Sendable (ItemHeader) throws(ConnectorError) -> Placement

    /// Files up to which each is synchronized by itself, which spares the rest of the file system.
    private static let singly = 2

    /// Any directory of the file system that is written to.
    let home: Directory
    let placing: Placing

    init(home: Directory, placing: @escaping Placing) {
        self.home = home
        self.placing = placing
    }

    /// Receipts per header, in order; durable. Throws with nothing left behind if the batch cannot go on.
    func write(
        _ headers: [ItemHeader], bodies: any BodyReader
    ) async throws(ConnectorError) -> [WriteReceipt] {
        let draft = FileDraft(headers, placing: placing)
        do throws(ConnectorError) {
            while let events = try await bodies.next() {
                try await Disk.run { () throws(ConnectorError) in try draft.take(events) }
            }
            return try await Disk.run { () throws(ConnectorError) in try draft.publish(home, syncSingly: Self.singly) }
        } catch {
            // Not through `Disk.run`: a cancelled task would not get there, and a few removals are soon done.
            _ = try? await Deferred { () throws(ConnectorError) in draft.discard() }.value
            throw error
        }
    }
}

/// The unfinished files of a batch.
private final class FileDraft: Sendable {
    private struct Unfinished: Sendable {
        var placement: Placement
        var temporary: FileName
        /// Open while the item's bytes come, and longer in small batches, for their own synchronization.
        var file: File?
        var bytes: Int64 = 0
        /// The last write left zeros out, so the file is not as long yet as it has to be.
        var endsInHole = false
    }

    private enum Entry: Sendable {
        case waiting
        case writing(Unfinished)
        case written(Unfinished)
        case failed(ConnectorError)
    }

    private struct State: Sendable {
        var entries: [Entry]
        var index = 0
    }

    private let headers: [ItemHeader]
    private let placing: FileBatch.Placing
    private let state: Mutex<State>

    init(_ headers: [ItemHeader], placing: @escaping FileBatch.Placing) {
        self.headers = headers
        self.placing = placing
        state = Mutex(State(entries: Array(repeating: .waiting, count: headers.count)))
    }

    /// Writes a bunch of events to temporary files.
    func take(_ events: [BodyEvent]) throws(ConnectorError) {
        try state.withLock { (state) throws(ConnectorError) in
            for event in events {
                guard state.index < headers.count else {
                    preconditionFailure("A body reader gave more bodies than it was asked for.")
                }
                let entry = state.entries[state.index]
                do throws(ConnectorError) {
                    state.entries[state.index] = try taking(event, into: entry, of: headers[state.index])
                } catch {
                    if case .writing(let unfinished) = entry { discard(unfinished) }
                    state.entries[state.index] = .failed(error)
                    if !error.concernsOneItemOnly { throw error }
                }
                switch event {
                case .bytes: break
                case .end, .failed: state.index += 1
                }
            }
        }
    }

    private func taking(
        _ event: BodyEvent, into entry: Entry, of header: ItemHeader
    ) throws(ConnectorError) -> Entry {
        switch (event, entry) {
        case (_, .failed), (_, .written):
            return entry
        case (.failed(let error), .waiting):
            return .failed(error)
        case (.failed(let error), .writing(let unfinished)):
            discard(unfinished)
            return .failed(error)
        case (.bytes(let bytes), .waiting):
            return .writing(try append(bytes, to: try begin(header), of: header))
        case (.bytes(let bytes), .writing(let unfinished)):
            return .writing(try append(bytes, to: unfinished, of: header))
        case (.end, .waiting):
            return .written(try finish(try begin(header), of: header))
        case (.end, .writing(let unfinished)):
            return .written(try finish(unfinished, of: header))
        }
    }

    private func begin(_ header: ItemHeader) throws(ConnectorError) -> Unfinished {
        let placement = try placing(header)
        let temporary = StagingName.next()
        let file = try translating({ .target($0, header.place) }) { () throws(SystemError) in
            try placement.staging.file(creating: temporary, isExecutable: placement.isExecutable)
        }
        return Unfinished(placement: placement, temporary: temporary, file: file)
    }

    private func append(
        _ bytes: ByteBuffer, to unfinished: Unfinished, of header: ItemHeader
    ) throws(ConnectorError) -> Unfinished {
        var unfinished = unfinished
        do throws(SystemError) {
            unfinished.endsInHole = try bytes.withUnsafeReadableBytes { (buffer) throws(SystemError) in
                try unfinished.file?.write(leavingHoles: buffer) ?? false
            }
        } catch {
            discard(unfinished)
            throw .target(error, header.place)
        }
        unfinished.bytes += Int64(bytes.readableBytes)
        return unfinished
    }

    private func finish(_ unfinished: Unfinished, of header: ItemHeader) throws(ConnectorError) -> Unfinished {
        var unfinished = unfinished
        do throws(SystemError) {
            if unfinished.endsInHole { try unfinished.file?.truncate(to: unfinished.bytes) }
            if let time = unfinished.placement.modified { try unfinished.file?.setModified(time) }
        } catch {
            discard(unfinished)
            throw .target(error, header.place)
        }
        // A batch may have more files than the process may open.
        if headers.count > FileDraft.keptOpen { unfinished.file = nil }
        return unfinished
    }

    /// Batches up to this size keep their files open until they are synchronized.
    private static let keptOpen = 8

    /// Steps 2 to 4 of `FileBatch`.
    func publish(_ home: Directory, syncSingly: Int) throws(ConnectorError) -> [WriteReceipt] {
        try state.withLock { (state) throws(ConnectorError) in
            precondition(state.index == headers.count, "A body reader ended before the last body.")
            try synchronize(state.entries, home, syncSingly: syncSingly)
            var receipts = [WriteReceipt]()
            receipts.reserveCapacity(headers.count)
            var touched = [ObjectIdentifier: Directory]()
            for (index, entry) in state.entries.enumerated() {
                switch entry {
                case .written(let unfinished):
                    do throws(SystemError) {
                        try publish(unfinished, touching: &touched)
                        receipts.append(.written(bytes: unfinished.bytes))
                    } catch {
                        discard(unfinished)
                        let failure = ConnectorError.target(error, headers[index].place)
                        if !failure.concernsOneItemOnly { throw failure }
                        receipts.append(.failure(failure))
                    }
                case .failed(let error):
                    receipts.append(.failure(error))
                case .waiting, .writing:
                    preconditionFailure("An item is neither written nor failed after its last event.")
                }
            }
            try translating({ .target($0, "the folder") }) { () throws(SystemError) in
                for directory in touched.values { try directory.sync() }
            }
            return receipts
        }
    }

    private func synchronize(_ entries: [Entry], _ home: Directory, syncSingly: Int) throws(ConnectorError) {
        let written = entries.compactMap { entry -> Unfinished? in
            if case .written(let unfinished) = entry { unfinished } else { nil }
        }
        try translating({ .target($0, "the batch") }) { () throws(SystemError) in
            if written.isEmpty { return }
            let open = written.compactMap(\.file)
            if written.count <= syncSingly, open.count == written.count {
                for file in open { try file.syncContent() }
            } else {
                try home.syncFileSystem()
            }
        }
    }

    private func publish(
        _ unfinished: Unfinished, touching touched: inout [ObjectIdentifier: Directory]
    ) throws(SystemError) {
        let placement = unfinished.placement
        if let old = placement.replaces {
            do {
                try old.directory.rename(old.name, to: placement.name, in: placement.directory)
                touched[ObjectIdentifier(old.directory)] = old.directory
            } catch  where error.number == ENOENT {}
        }
        try placement.staging.rename(unfinished.temporary, to: placement.name, in: placement.directory)
        touched[ObjectIdentifier(placement.directory)] = placement.directory
    }

    /// Removes every temporary file that has not been published.
    func discard() {
        state.withLock { state in
            for entry in state.entries {
                switch entry {
                case .writing(let unfinished), .written(let unfinished): discard(unfinished)
                case .waiting, .failed: break
                }
            }
        }
    }

    /// What cannot be removed now is removed as a leftover later.
    private func discard(_ unfinished: Unfinished) {
        _ = try? unfinished.placement.staging.remove(unfinished.temporary)
    }
}
