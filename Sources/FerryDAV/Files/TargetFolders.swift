import FerryConnector
import FerryCore
import FerryHTTP
import Synchronization

/// The folders of a target tree: made when they are needed, parents first, those of one depth at once.
final class TargetFolders: Sendable {
    private let session: DAVSession
    /// Known to be there.
    private let present = Mutex<Set<DAVPath>>([])

    init(_ session: DAVSession) { self.session = session }

    func forget(_ path: DAVPath) {
        present.withLock { present in present = present.filter { !$0.isWithin(path) } }
    }

    /// Makes folders with all that they lie in. Why some cannot be made, by their paths; a failure that concerns
    /// everything is thrown.
    func ensure(_ wanted: some Sequence<DAVPath>) async throws(ConnectorError) -> [DAVPath: ConnectorError] {
        var missing: Set<DAVPath> = []
        present.withLock { present in
            for path in wanted {
                var path = path
                while !path.names.isEmpty, !present.contains(path), missing.insert(path).inserted { path = path.parent }
            }
        }
        var failures: [DAVPath: ConnectorError] = [:]
        for (_, level) in Dictionary(grouping: missing, by: \.names.count).sorted(by: { $0.key < $1.key }) {
            let makeable = level.filter { path in
                guard let failure = failures[path.parent] else { return true }
                failures[path] = failure
                return false
            }
            for (path, result) in await session.forEach(makeable, { await self.make($0) }) {
                do throws(ConnectorError) {
                    try result.get()
                    present.withLock { _ = $0.insert(path) }
                } catch {
                    guard error.concernsOneItemOnly else { throw error }
                    failures[path] = error
                }
            }
        }
        return failures
    }

    private func make(_ path: DAVPath) async -> Result<Void, ConnectorError> {
        do throws(ConnectorError) {
            var head = try await create(path)
            switch head.status {
            case _ where head.isDone: return .success(())
            case 400, 403, 405, 409:
                // Something is there (RFC 4918 section 9.3.1): a folder as a rule.
                switch try await session.kind(of: path) {
                case .folder: return .success(())
                case .file:
                    // The source has a folder here by now.
                    _ = try await session.status(HTTPRequest("DELETE", session.address(path)))
                    head = try await create(path)
                    if head.isDone { return .success(()) }
                case .nothing: break
                }
            default: break
            }
            throw ConnectorError.targetFile(head, "the folder '\(path.text.printable(limit: 400))'")
        } catch {
            return .failure(error)
        }
    }

    private func create(_ path: DAVPath) async throws(ConnectorError) -> HTTPReplyHead {
        try await session.status(HTTPRequest("MKCOL", session.address(path, isCollection: true)))
    }
}

extension DAVSession {
    enum Kind { case file, folder, nothing }

    /// What is at a path.
    func kind(of path: DAVPath) async throws(ConnectorError) -> Kind {
        var kind = Kind.nothing
        let head = try await propfind(path, isCollection: false, depth: 0, FileEntry.request) { response in
            kind = FileEntry(response, name: "").isFolder ? .folder : .file
        }
        switch head.status {
        case 207: return kind
        case 404, 410: return .nothing
        // Some servers send collections to their address with the slash.
        case 301, 308: return .folder
        default: throw side.folder(head, "'\(path.text.printable(limit: 400))'")
        }
    }

    /// Does something with each element, as many at once as suit the server; results in any order.
    func forEach<Element: Sendable, Value: Sendable>(
        _ elements: some Sequence<Element>, _ body: @escaping @Sendable (Element) async -> Value
    ) async -> [(Element, Value)] {
        await withTaskGroup(of: (Element, Value).self) { group in
            var results: [(Element, Value)] = []
            var waiting = Array(elements)[...]
            for _ in 0..<width {
                guard let element = waiting.popFirst() else { break }
                group.addTask { (element, await body(element)) }
            }
            for await result in group {
                results.append(result)
                if let element = waiting.popFirst() { group.addTask { (element, await body(element)) } }
            }
            return results
        }
    }
}
