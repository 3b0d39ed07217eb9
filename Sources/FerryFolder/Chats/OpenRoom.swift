import FerryConnector
import FerryCore
import FerryFormats
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// A room of a source while it is listed and read. Blocks: call it through `Disk`.
///
/// Lists media first, then the timeline, because events refer to media.
final class OpenRoom: Sendable {
    /// Where an item's content lies.
    struct Extent: Sendable {
        var file: File
        var offset: Int64
        var length: Int64
    }

    /// Where a listing goes on.
    private enum Position {
        case media(after: FileName?)
        /// `line` counts from 1 and is for messages.
        case timeline(offset: Int64, line: Int64)

        init?(_ cursor: Cursor?) {
            guard let bytes = cursor?.bytes else {
                self = .media(after: nil)
                return
            }
            if bytes.starts(with: [1, 0]), let name = FileName(bytes.dropFirst(2)) {
                self = .media(after: name)
            } else if bytes.starts(with: [1, 1]), bytes.count == 18 {
                func number(_ range: Range<Int>) -> Int64 { bytes[range].reduce(0) { $0 << 8 | Int64($1) } }
                self = .timeline(offset: number(2..<10), line: number(10..<18))
            } else {
                return nil
            }
        }

        var cursor: Cursor {
            switch self {
            case .media(let name): return Cursor([1, 0] + (name.map { Array($0.bytes) } ?? []))
            case .timeline(let offset, let line):
                func bytes(_ number: Int64) -> [UInt8] {
                    (0..<8).reversed().map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
                }
                return Cursor([1, 1] + bytes(offset) + bytes(line))
            }
        }
    }

    /// Where lines were seen, the last ones first to be wanted: bodies are asked for soon after their headers.
    private struct Places: Sendable {
        private static let limit = 16_384
        private var places: [ItemKey: (offset: Int64, length: Int64)] = [:]
        /// Keys in the order in which they came; a ring once it is full.
        private var order: [ItemKey] = []
        private var oldest = 0

        subscript(key: ItemKey) -> (offset: Int64, length: Int64)? { places[key] }

        mutating func insert(_ key: ItemKey, _ offset: Int64, _ length: Int64) {
            guard places.updateValue((offset, length), forKey: key) == nil else { return }
            if order.count < Self.limit {
                order.append(key)
            } else {
                places[order[oldest]] = nil
                order[oldest] = key
                oldest = (oldest + 1) % Self.limit
            }
        }
    }

    private static let pageItems = 1_000

    let name: String
    private let media: Directory?
    private let timeline: File?
    private let places = Mutex(Places())

    init(name: String, directory: Directory) throws(SystemError) {
        self.name = name
        media = try directory.mediaIfPresent()
        timeline = try directory.timeline()
    }

    func page(after cursor: Cursor?) throws(SystemError) -> ItemPage {
        switch Position(cursor) {
        case .media(let last): try mediaPage(after: last)
        case .timeline(let offset, let line): try timelinePage(offset, line)
        case nil: ItemPage(headers: [], next: nil)
        }
    }

    private func mediaPage(after last: FileName?) throws(SystemError) -> ItemPage {
        let start = Position.timeline(offset: 0, line: 1).cursor
        guard let media else { return try timelinePage(0, 1) }
        let names = try media.names().filter { name in
            !StagingName.isStaging(name) && last.map { name > $0 } ?? true
        }.sorted()
        var page = ItemPage(headers: [], next: start)
        for name in names.prefix(Self.pageItems) {
            guard let status = try media.statusIfPresent(of: name) else { continue }
            do throws(ConnectorError) { page.headers.append(try Self.header(name, status)) } catch {
                page.problems.append(ItemPage.Problem(name: "\(RoomLayout.mediaPrefix)\(name)", error: error))
            }
        }
        if names.count > Self.pageItems { page.next = Position.media(after: names[Self.pageItems - 1]).cursor }
        return page
    }

    private static func header(_ name: FileName, _ status: FileStatus) throws(ConnectorError) -> ItemHeader {
        guard let text = name.text else {
            throw ConnectorError(
                .sourceNameUnusable, .skip, "The name of the media file '\(name)' is not UTF-8. Rename it.")
        }
        guard status.kind == .file else {
            throw ConnectorError(
                .sourceItemUnsupported, .skip,
                "'\(RoomLayout.mediaPrefix)\(name)' is not a plain file; only those move.")
        }
        let item = RoomLayout.mediaPrefix + text
        return ItemHeader(
            key: ItemKey(name: item), version: RoomLayout.version(of: status), name: item, size: status.size,
            metadata: .media)
    }

    private func timelinePage(_ offset: Int64, _ firstLine: Int64) throws(SystemError) -> ItemPage {
        guard let timeline else { return ItemPage(headers: [], next: nil) }
        var page = ItemPage(headers: [], next: nil)
        var lines = LineScanner(timeline, from: offset, longestLine: ContentLimits.maximumObjectBytes)
        var number = firstLine
        while let line = try lines.next() {
            defer { number += 1 }
            if line.length == 0 { continue }
            if let octets = line.octets, let event = MatrixEvent.parse(octets) {
                let key = RoomLayout.key(of: event, line: octets)
                places.withLock { $0.insert(key, line.offset, line.length) }
                page.headers.append(
                    ItemHeader(
                        key: key, version: RoomLayout.version(of: octets), name: event.id ?? "line \(number)",
                        size: line.length, metadata: .event))
            } else {
                page.problems.append(ItemPage.Problem(name: "line \(number)", error: Self.malformed(number)))
            }
            if page.headers.count + page.problems.count == Self.pageItems {
                page.next = Position.timeline(offset: lines.offset, line: number + 1).cursor
                break
            }
        }
        return page
    }

    private static func malformed(_ number: Int64) -> ConnectorError {
        ConnectorError(
            .sourceItemMalformed, .skip,
            "Line \(number) of '\(RoomLayout.timeline)' is not a Matrix event: no JSON object with a type, or more "
                + "than \(ContentLimits.maximumObjectBytes) bytes. Mend or remove the line.")
    }

    // MARK: contents

    /// Opens an item's content. An item that is not what it was when it was listed is refused.
    func content(of header: ItemHeader) throws(ConnectorError) -> Extent {
        if case .media = header.metadata { return try mediaContent(of: header) }
        guard let timeline else { throw .sourceItem(SystemError(ENOENT, "open"), header.place) }
        return try translating({ .sourceItem($0, header.place) }) { () throws(SystemError) in
            var place = places.withLock { $0[header.key] }
            if place == nil { place = try search(for: header.key, in: timeline) }
            guard let place else { throw SystemError(ENOENT, "open") }
            return Extent(file: timeline, offset: place.offset, length: place.length)
        }
    }

    private func mediaContent(of header: ItemHeader) throws(ConnectorError) -> Extent {
        guard let media, header.name.hasPrefix(RoomLayout.mediaPrefix),
            let name = FileName(header.name.dropFirst(RoomLayout.mediaPrefix.count))
        else { throw .sourceItem(SystemError(ENOENT, "open"), header.place) }
        let (file, status) = try translating({ .sourceItem($0, header.place) }) { () throws(SystemError) in
            let file = try media.file(name)
            return (file, try file.status())
        }
        guard status.kind == .file, RoomLayout.version(of: status) == header.version else {
            throw Self.changed(header)
        }
        return Extent(file: file, offset: 0, length: status.size)
    }

    /// Whether what was read is what was listed. Media are looked at again, lines are compared by their digest.
    func confirm(_ header: ItemHeader, _ extent: Extent, line: [UInt8]?) throws(ConnectorError) {
        let version: ItemVersion
        if let line {
            version = RoomLayout.version(of: line)
        } else {
            version = try translating({ .sourceItem($0, header.place) }) { () throws(SystemError) in
                RoomLayout.version(of: try extent.file.status())
            }
        }
        guard version == header.version else { throw Self.changed(header) }
    }

    private static func changed(_ header: ItemHeader) -> ConnectorError {
        ConnectorError(
            .sourceItemUnreadable, .retry(after: nil), "\(header.place) is being changed; the next pass takes it.")
    }

    /// Goes through the timeline for a line that was listed too long ago to be remembered.
    private func search(for key: ItemKey, in timeline: File) throws(SystemError) -> (offset: Int64, length: Int64)? {
        var lines = LineScanner(timeline, from: 0, longestLine: ContentLimits.maximumObjectBytes)
        var found: (offset: Int64, length: Int64)?
        var rest = 0
        while let line = try lines.next() {
            guard let octets = line.octets, let event = MatrixEvent.parse(octets) else { continue }
            let candidate = RoomLayout.key(of: event, line: octets)
            if candidate == key { found = (line.offset, line.length) }
            guard found != nil else { continue }
            // Its neighbours are asked for next.
            places.withLock { $0.insert(candidate, line.offset, line.length) }
            rest += 1
            if rest == Self.pageItems { break }
        }
        return found
    }
}
