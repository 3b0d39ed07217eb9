package import FerryCore
import Synchronization

/// A clock that stands still until a test moves it.
///
/// Sleepers wake when `advance` reaches their deadline. With `advancesByItself` nobody has to: once everything else has
/// had its turn, the clock jumps to the earliest deadline, so that hours of waiting take no time.
package final class VirtualClock: Clock, Sendable {
    package struct Instant: InstantProtocol, Sendable {
        /// Time since the clock was made.
        package var offset: Duration

        package func advanced(by duration: Duration) -> Self { Self(offset: offset + duration) }
        package func duration(to other: Self) -> Duration { other.offset - offset }
        package static func < (left: Self, right: Self) -> Bool { left.offset < right.offset }
    }

    private struct Sleeper {
        var id: Int
        var deadline: Duration
        /// `nil` for a sleeper of a clock that advances by itself.
        var continuation: CheckedContinuation<Void, any Error>?
    }

    private struct State {
        var offset: Duration = .zero
        var sleepers: [Sleeper] = []
        var lastID = 0
        var cancelled: Set<Int> = []
        /// Who waits for somebody to sleep.
        var watchers: [Int: CheckedContinuation<Void, any Error>] = [:]

        mutating func takeWatchers() -> [CheckedContinuation<Void, any Error>] {
            defer { watchers = [:] }
            return Array(watchers.values)
        }
    }

    private let state = Mutex(State())
    private let start: FerryCore.Instant
    private let advancesByItself: Bool

    /// Turns that everybody else gets before a clock that advances by itself jumps.
    private static let patience = 50

    package init(start: FerryCore.Instant = FerryCore.Instant(seconds: 1_800_000_000), advancesByItself: Bool = false) {
        self.start = start
        self.advancesByItself = advancesByItself
    }

    package var now: Instant { Instant(offset: state.withLock { $0.offset }) }
    package var minimumResolution: Duration { .zero }

    /// The same as wall clock, beginning at `start`.
    package var instant: FerryCore.Instant { start + state.withLock { $0.offset } }

    /// Tasks that sleep now.
    package var sleepers: Int { state.withLock { $0.sleepers.count } }

    /// Lets time pass and wakes whoever waited for it, earliest deadline first.
    package func advance(by duration: Duration) {
        let due = state.withLock { state -> [Sleeper] in
            state.offset += duration
            let due = state.sleepers.filter { $0.deadline <= state.offset }.sorted { $0.deadline < $1.deadline }
            state.sleepers.removeAll { $0.deadline <= state.offset }
            return due
        }
        for sleeper in due { sleeper.continuation?.resume() }
    }

    /// Returns as soon as a task sleeps. Throws `CancellationError`.
    package func whenSomebodySleeps() async throws {
        try Task.checkCancellation()
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let isCancelled = state.withLock { state -> Bool? in
                    if state.cancelled.remove(id) != nil { return true }
                    if !state.sleepers.isEmpty { return false }
                    state.watchers[id] = continuation
                    return nil
                }
                switch isCancelled {
                case true?: continuation.resume(throwing: CancellationError())
                case false?: continuation.resume()
                case nil: break
                }
            }
        } onCancel: {
            let watcher = state.withLock { state -> CheckedContinuation<Void, any Error>? in
                guard let watcher = state.watchers.removeValue(forKey: id) else {
                    state.cancelled.insert(id)
                    return nil
                }
                return watcher
            }
            watcher?.resume(throwing: CancellationError())
        }
    }

    /// Moves to the earliest deadline of those who sleep; `false` when nobody does.
    @discardableResult package func jump() -> Bool {
        guard let next = state.withLock({ $0.sleepers.map(\.deadline).min() }) else { return false }
        advance(by: max(.zero, next - now.offset))
        return true
    }

    /// Carries `work` out while the clock jumps to the earliest deadline whenever somebody sleeps.
    ///
    /// For work that sleeps one at a time: tasks beside it that would go to sleep a little later are not waited for.
    package func jumping<Value: Sendable>(during work: @escaping @Sendable () async throws -> Value) async throws
        -> Value
    {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await work() }
            group.addTask {
                while true {
                    do { try await self.whenSomebodySleeps() } catch { return nil }
                    self.jump()
                }
            }
            defer { group.cancelAll() }
            while let value = try await group.next() { if let value { return value } }
            throw CancellationError()
        }
    }

    package func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
        if advancesByItself { try await doze(until: deadline.offset) } else { try await wait(until: deadline.offset) }
    }

    private func wait(until deadline: Duration) async throws {
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                enum Fate { case waits([CheckedContinuation<Void, any Error>]), isDue, isCancelled }
                let fate = state.withLock { state -> Fate in
                    if state.cancelled.remove(id) != nil { return .isCancelled }
                    if deadline <= state.offset { return .isDue }
                    state.sleepers.append(Sleeper(id: id, deadline: deadline, continuation: continuation))
                    return .waits(state.takeWatchers())
                }
                switch fate {
                case .waits(let watchers): for watcher in watchers { watcher.resume() }
                case .isDue: continuation.resume()
                case .isCancelled: continuation.resume(throwing: CancellationError())
                }
            }
        } onCancel: {
            let sleeper = state.withLock { state -> Sleeper? in
                guard let index = state.sleepers.firstIndex(where: { $0.id == id }) else {
                    state.cancelled.insert(id)
                    return nil
                }
                return state.sleepers.remove(at: index)
            }
            sleeper?.continuation?.resume(throwing: CancellationError())
        }
    }

    private func doze(until deadline: Duration) async throws {
        let (id, watchers) = state.withLock { state in
            state.lastID += 1
            state.sleepers.append(Sleeper(id: state.lastID, deadline: deadline))
            return (state.lastID, state.takeWatchers())
        }
        for watcher in watchers { watcher.resume() }
        defer { state.withLock { state in state.sleepers.removeAll { $0.id == id } } }
        while true {
            for _ in 0..<Self.patience { await Task.yield() }
            try Task.checkCancellation()
            let isOver = state.withLock { state -> Bool in
                if state.offset < deadline, state.sleepers.allSatisfy({ $0.deadline >= deadline }) {
                    state.offset = deadline
                }
                return state.offset >= deadline
            }
            if isOver { return }
        }
    }
}
