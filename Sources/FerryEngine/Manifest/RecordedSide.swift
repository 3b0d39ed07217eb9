import FerryCore
import FerryFormats

/// One side of a run as a manifest has it: where the lines of each container are. Memory grows with the containers; the
/// items are read again for every question.
struct RecordedSide: Sendable {
    struct Extent: Sendable {
        var line: ManifestContainer
        /// Octets of the file with the lines of its items.
        var items: Range<Int64>
    }

    /// How the source's items are to be seen.
    enum View: Sendable {
        /// As they were.
        case plain
        /// As they were, and where the target had them.
        case placed
        /// As the target was to have them, and excused where they were.
        case moved
    }

    /// In the order of the file.
    private(set) var containers: [Extent] = []
    private let input: any ManifestInput

    init(_ section: ManifestFile.Section, _ side: ManifestSide, of file: ManifestFile) async throws(ManifestProblem) {
        input = file.input
        let range = section[side]
        var lines = ManifestLines(input, range)
        var open: ManifestContainer?
        var start = range.lowerBound
        while true {
            let place = lines.offset
            guard let line = try await lines.next() else { break }
            guard line.starts(with: Self.beginning) else { continue }
            if let open { containers.append(Extent(line: open, items: start..<place)) }
            guard case .container(let container) = try Self.parsed(line, lines.number) else {
                throw .malformed(line: lines.number)
            }
            (open, start) = (container, lines.offset)
        }
        if let open { containers.append(Extent(line: open, items: start..<lines.offset)) }
    }

    /// How the line of a container begins, and no other.
    private static let beginning = Array(#"{"service":"#.utf8)

    func census(
        _ extents: [Extent], as view: View, by identity: Census.Identity = .name
    ) async throws(ManifestProblem) -> Census {
        var census = Census()
        try await forEachItem(in: extents) { item in
            guard let header = item.header else {
                switch view {
                case .plain: census.add(unreadable: item.name)
                case .placed, .moved: census.unlisted.append((item.name, Census.Excuse(item.excuse)))
                }
                return
            }
            switch view {
            case .plain: census.add(header, content: item.content, at: nil, excuse: .none, by: identity)
            case .placed: census.add(header, content: item.content, at: item.place, excuse: .none)
            case .moved:
                census.add(
                    header, content: item.moved ?? item.content, at: item.place, excuse: Census.Excuse(item.excuse))
            }
        }
        return census
    }

    /// The names behind the hashes.
    func names(
        _ wanted: Set<UInt64>, in extents: [Extent], by identity: Census.Identity = .name
    ) async throws(ManifestProblem) -> [UInt64: String] {
        var names: [UInt64: String] = [:]
        guard !wanted.isEmpty else { return names }
        try await forEachItem(in: extents) { item in
            let key = ItemKey(name: item.name)
            let hash = identity == .name ? key.high : identity.hash(item.key ?? key)
            if wanted.contains(hash) { names[hash] = item.name }
        }
        return names
    }

    private func forEachItem(
        in extents: [Extent], _ body: (ManifestItem) -> Void
    ) async throws(ManifestProblem) {
        for extent in extents {
            var lines = ManifestLines(input, extent.items)
            while let line = try await lines.next() {
                guard case .item(let item) = try Self.parsed(line, lines.number) else {
                    throw .malformed(line: lines.number)
                }
                body(item)
            }
        }
    }

    private static func parsed(_ line: [UInt8], _ number: Int64) throws(ManifestProblem) -> ManifestLine {
        do throws(ManifestFlaw) { return try ManifestLine(parsing: line) } catch {
            throw ManifestProblem(error, line: number)
        }
    }
}
