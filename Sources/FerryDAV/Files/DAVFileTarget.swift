import FerryConnector
import FerryCore
import FerryFormats
import FerryHTTP

/// A person's file tree on a WebDAV server, opened for writing. The same path is the same item, so writing again does
/// no harm.
final class DAVFileTarget: TargetSession {
    let capabilities = TargetCapabilities(isIdempotent: true, batchItems: 512, batchBytes: 64 << 20)

    private let session: DAVSession
    private let folders: TargetFolders
    private let longestPath: Int

    /// - Parameter longestPath: bytes of a path below the person's folder that the server takes.
    init(_ session: DAVSession, longestPath: Int) {
        self.session = session
        self.longestPath = longestPath
        folders = TargetFolders(session)
    }

    /// The one tree there is; made where it is missing. Removes what interrupted uploads left behind.
    func ensure(_ container: Container) async throws(ConnectorError) -> Container {
        guard case .fileTree = container.details else {
            throw ConnectorError(.targetItemRefused, .skip, "Only file trees can be written here.")
        }
        switch try await AccountProbe(session).look() {
        case .present: try await FileUpload.removeLeftovers(session)
        case .absent:
            let head = try await session.status(
                HTTPRequest("MKCOL", session.address(DAVPath(), isCollection: true)))
            guard head.isDone || head.status == 405 else {
                throw session.side.folder(head, "The person's folder, or what it lies in,")
            }
        case .forbidden:
            throw ConnectorError(
                .targetForbidden, .failRun,
                "The person's folder cannot be written. Give the account that Ferry uses the right to.")
        }
        return DAVFileSource.container
    }

    func write(
        _ headers: [ItemHeader], bodies: any BodyReader, in container: Container
    ) async throws(ConnectorError) -> [WriteReceipt] {
        let paths = headers.map { Self.path(of: $0, longest: longestPath) }
        let needed = zip(headers, paths).compactMap { header, path -> DAVPath? in
            if case .file = header.metadata { path?.parent } else { nil }
        }
        let impossible = try await folders.ensure(needed)
        let upload = FileUpload(session: session, headers: headers) { [longestPath] index in
            guard let path = paths[index] else { return .failure(Self.refused(headers[index], longest: longestPath)) }
            return impossible[path.parent].map { .failure($0) } ?? .success(path)
        }
        var receipts = try await upload.run(bodies)
        // Folders that are items themselves, unless their source has taken them back meanwhile.
        let own = headers.indices.filter { index in
            guard case .fileFolder = headers[index].metadata, case .written = receipts[index] else { return false }
            return true
        }
        let failures = try await folders.ensure(own.compactMap { paths[$0] })
        for index in own {
            if let path = paths[index], let failure = failures[path] { receipts[index] = .failure(failure) }
        }
        return receipts
    }

    /// Goes through the tree once to find the paths of the keys. Folders go when they have become empty.
    func remove(_ items: [PlacedItem], in container: Container) async throws(ConnectorError) {
        let keys = Set(items.map(\.key))
        var files: [DAVPath] = []
        var emptied: [DAVPath] = []
        var walk = TreeWalk(session)
        var isOver = false
        while !isOver {
            let page = try await walk.next(1_000)
            for element in page.elements where keys.contains(ItemKey(name: element.path)) {
                guard let path = DAVPath(relative: element.path) else { continue }
                if element.entry.isFolder { emptied.append(path) } else { files.append(path) }
            }
            isOver = page.next == nil
        }
        for (_, result) in await session.forEach(files, { [session] in await session.delete($0, isFolder: false) }) {
            try result.get()
        }
        // What is deeper goes first, or nothing would be empty.
        for path in emptied.sorted(by: { $0.names.count > $1.names.count }) {
            let listing = try await session.list(path)
            guard listing.exists, listing.entries.isEmpty, listing.problems.isEmpty else { continue }
            try await session.delete(path, isFolder: true).get()
            folders.forget(path)
        }
    }

    /// Nothing of Ferry's own stays in the person's tree.
    func finish(_ container: Container) async throws(ConnectorError) { try await FileUpload.removeLeftovers(session) }

    func close() async {}

    /// Where an item goes; `nil` when its name cannot be a path here.
    static func path(of header: ItemHeader, longest: Int) -> DAVPath? {
        guard let path = DAVPath(relative: header.name), !path.text.hasPrefix(DAVSession.reserved),
            header.name.utf8.count <= longest
        else { return nil }
        return path
    }

    static func refused(_ header: ItemHeader, longest: Int) -> ConnectorError {
        ConnectorError(
            .targetNameRefused, .skip,
            "\(header.printableName) cannot be a path here: it is empty or longer than \(longest)"
                + " bytes, or has a part that is empty, '.', '..' or kept for Ferry's own files. Rename it at the source."
        )
    }
}

extension DAVSession {
    /// Removes what is at a path, if anything is.
    func delete(_ path: DAVPath, isFolder: Bool) async -> Result<Void, ConnectorError> {
        do throws(ConnectorError) {
            let head = try await status(HTTPRequest("DELETE", address(path, isCollection: isFolder)))
            guard head.isDone || head.status == 404 || head.status == 410 else {
                throw ConnectorError.targetFile(head, "'\(path.text.printable(limit: 400))'")
            }
            return .success(())
        } catch {
            return .failure(error)
        }
    }
}
