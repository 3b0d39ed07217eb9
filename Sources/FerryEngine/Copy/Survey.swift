import FerryConnector
import FerryCore
import Synchronization

/// Counts what there is to move, on sessions of its own, before the first pass. An estimate for people:
/// nothing depends on it, and when it fails, the end of the pass tells the truth.
struct Survey: Sendable {
    /// Where the count is found once it is complete.
    final class Result: Sendable {
        private let value = Mutex<(items: Int64, bytes: Int64)?>(nil)

        var found: (items: Int64, bytes: Int64)? { value.withLock { $0 } }

        fileprivate func store(items: Int64, bytes: Int64) { value.withLock { $0 = (items, bytes) } }
    }

    let legs: [Transfer.Leg]
    let result: Result

    @concurrent
    func run() async {
        var items: Int64 = 0
        var bytes: Int64 = 0
        do throws(ConnectorError) {
            for leg in legs {
                let session = try await leg.source.source(for: leg.sourceAccount)
                let counted = await count(session)
                await session.close()
                let (some, size) = try counted.get()
                items += some
                bytes += size
            }
            result.store(items: items, bytes: bytes)
        } catch {
            // The pass meets the same trouble and reports it.
        }
    }

    private func count(
        _ session: any SourceSession
    ) async -> Swift.Result<(items: Int64, bytes: Int64), ConnectorError> {
        do throws(ConnectorError) {
            var items: Int64 = 0
            var bytes: Int64 = 0
            for container in try await session.containers() {
                if let extent = try await session.extent(of: container) {
                    items += extent.items
                    bytes += extent.bytes
                    continue
                }
                var cursor: Cursor?
                repeat {
                    if Task.isCancelled { throw .cancelled }
                    let page = try await session.items(in: container, after: cursor)
                    items += Int64(page.headers.count)
                    for header in page.headers { bytes += header.size }
                    cursor = page.next
                } while cursor != nil
            }
            return .success((items, bytes))
        } catch {
            return .failure(error)
        }
    }
}
