import FerryConnector
import Synchronization

/// Contents on their way to a target, of which the fingerprints are kept: 32 bytes per message of a batch.
final class FingerprintRecord: BodyReader {
    private struct State: Sendable {
        var hasher = MessageFingerprint.Hasher()
        var fingerprints: [MessageFingerprint?] = []
    }

    private let reader: any BodyReader
    private let state = Mutex(State())

    init(_ reader: any BodyReader) { self.reader = reader }

    /// Of the items that were read so far, in order; `nil` for those that could not be read.
    var fingerprints: [MessageFingerprint?] { state.withLock { $0.fingerprints } }

    func next() async throws(ConnectorError) -> [BodyEvent]? {
        guard let events = try await reader.next() else { return nil }
        state.withLock { state in
            for event in events {
                switch event {
                case .bytes(let buffer):
                    state.hasher.update(buffer)
                    continue
                case .end: state.fingerprints.append(state.hasher.finish())
                case .failed: state.fingerprints.append(nil)
                }
                state.hasher = MessageFingerprint.Hasher()
            }
        }
        return events
    }
}
