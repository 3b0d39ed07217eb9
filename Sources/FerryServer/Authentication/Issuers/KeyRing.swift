import FerryCore
import Logging
import NIOCore
import Synchronization

/// The keys of one issuer over time: fetched when they are first needed, kept, and renewed before they are too old.
///
/// - Everybody who needs a fetch shares the one that is under way.
/// - A key id that is not known causes one fetch, and so does a signature that is not by the key of that id; but never
///   more than one per `minimumInterval`: whoever invents tokens makes nobody hammer the issuer.
/// - While the issuer cannot be reached the known keys keep their worth, for `outlasts`.
final class KeyRing: Sendable {
    /// When to fetch. All times by the monotonic clock.
    struct Rhythm: Sendable, Hashable {
        /// Between two fetches, whatever happened.
        var minimumInterval: Duration
        /// How long keys count as fresh: what the issuer says, within these bounds.
        var freshness: ClosedRange<Duration>
        /// When the issuer says nothing.
        var usualFreshness: Duration
        /// How long keys are used after the last fetch that worked.
        var outlasts: Duration
    }

    /// What a search for a key found.
    enum Finding: Sendable {
        /// With the generation of keys that it is from.
        case key(SigningKey, generation: Int)
        case unknown
        case otherAlgorithm
        /// Nobody can say: the issuer's keys cannot be had.
        case unavailable(IssuerProblem)
    }

    private struct State {
        var keys: KeySet?
        var published: [UInt8]?
        var authorizationEndpoint: String?
        /// When the keys came, and how long they are fresh.
        var fetched = Duration.zero
        var freshness = Duration.zero
        /// When the last fetch began.
        var attempted: Duration?
        var underway: EventLoopFuture<Void>?
        /// Why the last fetch failed; `nil` after one that worked and before the first.
        var problem: IssuerProblem?
    }

    /// Name in logs and answers about readiness.
    let name: String
    private let source: any KeySource
    private let rhythm: Rhythm
    private let uptime: @Sendable () -> Duration
    private let logger: Logger
    private let state = Mutex(State())
    /// Counts the times that the keys have changed; readable without waiting for anybody.
    private let counter = Atomic<Int>(0)
    /// Uptime in microseconds from which the keys are due to be renewed.
    private let due = Atomic<Int64>(.min)

    init(
        name: String, source: any KeySource, rhythm: Rhythm, uptime: @escaping @Sendable () -> Duration, logger: Logger
    ) {
        self.name = name
        self.source = source
        self.rhythm = rhythm
        self.uptime = uptime
        self.logger = logger
    }

    // MARK: what is known

    /// Grows when a key was added or went away.
    var generation: Int { counter.load(ordering: .acquiring) }

    /// Whether nothing has changed since `generation` and nothing is due. The cheap question of every request.
    func isCurrent(_ generation: Int) -> Bool {
        counter.load(ordering: .acquiring) == generation
            && uptime().wholeMicroseconds < due.load(ordering: .acquiring)
    }

    /// Why no token of this issuer can be checked now; `nil` while one can, and before the first fetch has ended.
    var outage: IssuerProblem? {
        state.withLock { state in hasKeys(state) ? nil : state.problem }
    }

    /// What went wrong with the last fetch, be there keys or not.
    var problem: IssuerProblem? { state.withLock { $0.problem } }

    /// The page where people sign in, as far as it is known.
    var authorizationEndpoint: String? { state.withLock { $0.authorizationEndpoint } }

    /// Keys that can check signatures, and published keys that cannot.
    var counts: (usable: Int, ignored: Int) {
        state.withLock { ($0.keys?.keys.count ?? 0, $0.keys?.ignored ?? 0) }
    }

    /// The key set for others; `nil` for issuers that publish their own, and while there is none.
    var published: [UInt8]? { state.withLock { hasKeys($0) ? $0.published : nil } }

    private func hasKeys(_ state: State) -> Bool {
        state.keys != nil && uptime() < state.fetched + rhythm.outlasts
    }

    // MARK: asking

    /// The key that a token names.
    func key(id: String?, for algorithm: SignatureAlgorithm) async -> Finding {
        await renewIfDue()
        let known = look(id, algorithm)
        guard case .unknown = known, let fetch = attempt() else { return known }
        await wait(for: fetch)
        return look(id, algorithm)
    }

    /// Asks the issuer once more, unless that was done just now, and says whether its keys are others than before.
    func isRenewed(since generation: Int) async -> Bool {
        if let fetch = attempt() { await wait(for: fetch) }
        return self.generation != generation
    }

    /// Sees to it that the keys are not older than they may be. Keys that are a little late are renewed behind the
    /// back of the request; it waits only where there are none, or where they are twice as old as they should be.
    func renewIfDue() async {
        guard uptime().wholeMicroseconds >= due.load(ordering: .acquiring), let fetch = attempt() else { return }
        let mustWait = state.withLock { state in
            if !hasKeys(state) { return true }
            // After a failure nobody is kept waiting for what will probably fail again.
            return state.problem == nil && uptime() >= state.fetched + state.freshness + state.freshness
        }
        if mustWait { await wait(for: fetch) }
    }

    /// Begins to fetch what is due, and waits for nothing.
    func prepare() {
        if uptime().wholeMicroseconds >= due.load(ordering: .acquiring) { _ = attempt() }
    }

    private func look(_ id: String?, _ algorithm: SignatureAlgorithm) -> Finding {
        state.withLock { state in
            guard let keys = state.keys, hasKeys(state) else {
                return .unavailable(state.problem ?? .timedOut(url: name))
            }
            return switch keys.key(id: id, for: algorithm) {
            case .key(let key): .key(key, generation: counter.load(ordering: .acquiring))
            case .otherAlgorithm: .otherAlgorithm
            // The issuer may have a new key that we could not fetch: then it is not the token's fault.
            case .unknown: state.problem.map { .unavailable($0) } ?? .unknown
            }
        }
    }

    // MARK: fetching

    /// The fetch that is under way, or a new one; `nil` when it is too early for another.
    private func attempt() -> EventLoopFuture<Void>? {
        let (fetch, begun): (EventLoopFuture<Void>?, EventLoopPromise<Void>?) = state.withLock { state in
            if let underway = state.underway { return (underway, nil) }
            let now = uptime()
            if let last = state.attempted, now < last + rhythm.minimumInterval { return (nil, nil) }
            let promise = source.eventLoop.makePromise(of: Void.self)
            state.attempted = now
            state.underway = promise.futureResult
            return (promise.futureResult, promise)
        }
        if let begun {
            source.fetch().whenComplete { result in
                self.settle(result)
                begun.succeed()
            }
        }
        return fetch
    }

    /// The fetch is bounded in time by its source; its outcome is in the state.
    private func wait(for fetch: EventLoopFuture<Void>) async { try? await fetch.get() }

    private func settle(_ result: Swift.Result<FetchedKeys, any Error>) {
        let now = uptime()
        let previous = state.withLock { state in
            let previous = state.problem
            state.underway = nil
            switch result {
            case .success(let fetched):
                if !(state.keys?.isSame(as: fetched.keys) ?? false) { counter.add(1, ordering: .releasing) }
                state.keys = fetched.keys
                state.published = fetched.published
                state.authorizationEndpoint = fetched.authorizationEndpoint
                state.fetched = now
                let wanted = fetched.maximumAge ?? rhythm.usualFreshness
                state.freshness = max(rhythm.freshness.lowerBound, min(wanted, rhythm.freshness.upperBound))
                state.problem = nil
                due.store((now + state.freshness).wholeMicroseconds, ordering: .releasing)
            case .failure(let error):
                state.problem = error as? IssuerProblem ?? .unreachable(url: name, "\(type(of: error))")
                var next = now + rhythm.minimumInterval
                if state.keys != nil {
                    let end = state.fetched + rhythm.outlasts
                    if now >= end {
                        // What was checked with them is not to be trusted any longer either.
                        state.keys = nil
                        counter.add(1, ordering: .releasing)
                    } else {
                        next = min(next, end)
                    }
                }
                due.store(next.wholeMicroseconds, ordering: .releasing)
            }
            return previous
        }
        report(result, previous)
    }

    /// One line when it begins to fail and one when it works again, however often it is tried in between.
    private func report(_ result: Swift.Result<FetchedKeys, any Error>, _ previous: IssuerProblem?) {
        switch result {
        case .success(let fetched):
            logger.log(
                level: previous == nil ? .debug : .notice, "The issuer's keys were fetched",
                metadata: ["issuer": "\(name)", "keys": "\(fetched.keys.keys.count)"])
        case .failure(let error):
            guard previous == nil else { return }
            logger.warning(
                "The issuer's keys cannot be fetched; those that are known stay good for a while",
                metadata: ["issuer": "\(name)", "problem": "\(error)"])
        }
    }
}
