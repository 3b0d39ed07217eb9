import FerryConnector
import FerryCore
import FerryFormats
import Synchronization

/// A room's timeline in a target, with the events that are in it. Blocks: call it through `Disk`.
final class Timeline: Sendable {
    private struct State: Sendable {
        /// The version of each event's line.
        var versions: [ItemKey: ItemVersion] = [:]
        /// Bytes of whole lines.
        var length: Int64 = 0
    }

    private let room: Directory
    private let state = Mutex(State())

    /// Reads what is there. A last line without its end is what a crash in the middle of an append leaves: it gets its
    /// end if it is an event as it stands, else it is cut off, and its event is written again.
    init(_ room: Directory) throws(SystemError) {
        self.room = room
        guard let file = try room.timeline() else { return }
        var lines = LineScanner(file, from: 0, longestLine: ContentLimits.maximumObjectBytes)
        var loaded = State()
        while let line = try lines.next() {
            let event = line.octets.flatMap { octets in MatrixEvent.parse(octets).map { ($0, octets) } }
            if !line.isTerminated {
                let writer = try room.file(appendingTo: RoomLayout.timeline)
                if event == nil {
                    try writer.truncate(to: line.offset)
                    break
                }
                try writer.write([0x0A])
            }
            loaded.length = line.offset + line.length + 1
            guard let (event, octets) = event else { continue }
            loaded.versions[RoomLayout.key(of: event, line: octets)] = RoomLayout.version(of: octets)
        }
        state.withLock { [loaded] in $0 = loaded }
    }

    /// Writes the events that are missing, in order, and replaces those that are there with another content. A receipt
    /// for each; durable.
    func append(_ events: [Result<[UInt8], ConnectorError>]) throws(ConnectorError) -> [WriteReceipt] {
        try state.withLock { (state) throws(ConnectorError) in
            var receipts = [WriteReceipt]()
            receipts.reserveCapacity(events.count)
            var added = [ItemKey]()
            var lines: [ItemKey: [UInt8]] = [:]
            for event in events {
                do throws(ConnectorError) {
                    let line = try event.get()
                    let key = RoomLayout.key(of: try Self.event(line), line: line)
                    receipts.append(.written(bytes: Int64(line.count)))
                    if state.versions[key] == RoomLayout.version(of: line) {
                        lines[key] = nil
                        continue
                    }
                    if state.versions[key] == nil, lines[key] == nil { added.append(key) }
                    lines[key] = line
                } catch {
                    receipts.append(.failure(error))
                }
            }
            guard !lines.isEmpty else { return receipts }
            try translating({ .target($0, "'\(RoomLayout.timeline)'") }) { [lines, added] () throws(SystemError) in
                let addition = added.reduce(into: [UInt8]()) { $0 += (lines[$1] ?? []) + [0x0A] }
                if lines.count == added.count {
                    try extend(by: addition, &state)
                } else {
                    try replace(lines, addition, &state)
                }
                for (key, line) in lines { state.versions[key] = RoomLayout.version(of: line) }
            }
            return receipts
        }
    }

    private static func event(_ line: [UInt8]) throws(ConnectorError) -> MatrixEvent {
        guard line.count <= ContentLimits.maximumObjectBytes else {
            throw ConnectorError(
                .targetItemTooLarge, .skip,
                "The event has more than \(ContentLimits.maximumObjectBytes) bytes, the most that a line can have.")
        }
        guard let event = MatrixEvent.parse(line), !line.contains(0x0A) else {
            throw ConnectorError(
                .targetItemRefused, .skip, "The event is not a JSON object with a type on a single line.")
        }
        return event
    }

    private func extend(by addition: [UInt8], _ state: inout State) throws(SystemError) {
        let isNew = try room.statusIfPresent(of: RoomLayout.timeline) == nil
        let file = try room.file(appendingTo: RoomLayout.timeline)
        do throws(SystemError) {
            try file.write(addition)
            try file.syncContent()
        } catch {
            // Half a line must not have others behind it.
            _ = try? file.truncate(to: state.length)
            throw error
        }
        if isNew { try room.sync() }
        state.length += Int64(addition.count)
    }

    /// Writes the timeline anew with some of its lines replaced. Costs the whole file: it is for the rare time when
    /// people are mapped differently than in the pass before.
    private func replace(
        _ lines: [ItemKey: [UInt8]], _ addition: [UInt8], _ state: inout State
    ) throws(SystemError) {
        guard let old = try room.timeline() else { return try extend(by: addition, &state) }
        let temporary = StagingName.next()
        do throws(SystemError) {
            let file = try room.file(creating: temporary)
            var length: Int64 = 0
            var pending = [UInt8]()
            var scanner = LineScanner(old, from: 0, longestLine: ContentLimits.maximumObjectBytes)
            while let line = try scanner.next() {
                if let octets = line.octets {
                    let key = MatrixEvent.parse(octets).map { RoomLayout.key(of: $0, line: octets) }
                    pending += key.flatMap { lines[$0] } ?? octets
                } else {
                    // Too long to be an event of ours: copied in pieces, as it is.
                    var done: Int64 = 0
                    while done < line.length {
                        try file.write(pending)
                        length += Int64(pending.count)
                        pending = try old.read(at: line.offset + done, Int(min(line.length - done, 1 << 20)))
                        if pending.isEmpty { break }
                        done += Int64(pending.count)
                    }
                }
                pending.append(0x0A)
                if pending.count >= 1 << 20 {
                    try file.write(pending)
                    length += Int64(pending.count)
                    pending = []
                }
            }
            pending += addition
            try file.write(pending)
            length += Int64(pending.count)
            try file.syncContent()
            try room.rename(temporary, to: RoomLayout.timeline, in: room)
            state.length = length
        } catch {
            _ = try? room.remove(temporary)
            throw error
        }
        try room.sync()
    }
}
