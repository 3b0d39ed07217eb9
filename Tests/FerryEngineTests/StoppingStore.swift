import FerryCore
import FerryEngine
import FerryStore
import Synchronization
import Testing

/// A store that one engine lives on until a moment is seen: with the commit that brings it about nothing more is written,
/// as after a kill.
final class StoppingStore: Store {
    typealias Moment = @Sendable (any StoreTransaction) throws(StoreError) -> Bool

    private let inner: any Store
    private let moment: Moment
    private let isOver = Mutex(false)
    private let over: AsyncStream<Void>
    private let ender: AsyncStream<Void>.Continuation

    init(_ inner: any Store, until moment: @escaping Moment) {
        self.inner = inner
        self.moment = moment
        (over, ender) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func untilOver() async { for await _ in over { return } }

    func transact<R: Sendable>(
        _ body: @escaping @Sendable (any StoreTransaction) throws(StoreError) -> R
    ) async throws(StoreError) -> R {
        // The closure that brought the moment about may be run again.
        let isLast = Mutex(false)
        let result = try await inner.transact { [self] (tx) throws(StoreError) -> R? in
            // Not thrown: what fails can undo others that share its commit.
            if isOver.withLock({ $0 }), !isLast.withLock({ $0 }) { return nil }
            let result = try body(tx)
            if try moment(tx) {
                isLast.withLock { $0 = true }
                isOver.withLock { $0 = true }
            }
            return result
        }
        if isOver.withLock({ $0 }) { ender.yield() }
        guard let result else { throw .closed }
        return result
    }

    var reader: any StoreReader { inner.reader }
    func workChanges() -> AsyncStream<Void> { inner.workChanges() }
    var now: Instant { inner.now }
    func close() async {}
}

extension EngineWorld {
    /// Runs an engine until the moment, kills it there, and lets its leases run out.
    func run(settings: EngineSettings = EngineWorld.quick, until moment: @escaping StoppingStore.Moment) async throws {
        let stopping = StoppingStore(store, until: moment)
        let engine = makeEngine(settings: settings, on: stopping)
        try await withEngine(engine) { _ in await stopping.untilOver() }
        time.advance(by: settings.leaseTerm + .seconds(1))
    }

    func run(_ job: JobID, until status: JobStatus, settings: EngineSettings = EngineWorld.quick) async throws {
        if try await self.job(job).status == status { return }
        try await run(settings: settings) { (tx) throws(StoreError) in try tx.job(job)?.status == status }
    }
}
