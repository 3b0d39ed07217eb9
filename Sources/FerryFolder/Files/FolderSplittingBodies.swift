import FerryConnector
import Synchronization

/// The bodies of the files among a batch's items; what is said of the folders is kept aside.
final class FolderSplittingBodies: BodyReader {
    /// Headers of the items that are not folders, in order.
    let files: [ItemHeader]
    private let isFolder: [Bool]
    private let bodies: any BodyReader
    private let state = Mutex<(index: Int, failures: [Int: ConnectorError])>((0, [:]))

    init(_ headers: [ItemHeader], _ bodies: any BodyReader) {
        isFolder = headers.map { header in
            if case .fileFolder = header.metadata { true } else { false }
        }
        files = zip(headers, isFolder).filter { !$0.1 }.map(\.0)
        self.bodies = bodies
    }

    func next() async throws(ConnectorError) -> [BodyEvent]? {
        guard let events = try await bodies.next() else { return nil }
        return state.withLock { state in
            events.filter { event in
                let isOfFolder = state.index < isFolder.count && isFolder[state.index]
                switch event {
                case .bytes: break
                case .end: state.index += 1
                case .failed(let error):
                    if isOfFolder { state.failures[state.index] = error }
                    state.index += 1
                }
                return !isOfFolder
            }
        }
    }

    /// By place in the batch, why a folder is not to be written.
    var failedFolders: [Int: ConnectorError] { state.withLock { $0.failures } }
}
