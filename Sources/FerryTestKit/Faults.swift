package import FerryConnector
import FerryCore
import Synchronization

/// The verbs of both session protocols, for counting and for faults.
package enum FakeOperation: String, Sendable, Hashable, CaseIterable {
    case openSource, openTarget, probe, containers, state, isUnchanged, changes, items, bodies
    case ensure, write, update, remove, mark, arrived, finish
    case freeze, thaw, redirect, removeRedirect
}

/// Something that a peer does wrong, once.
package enum Fault: Sendable {
    /// Nothing happens, and the error is thrown.
    case refuse(ConnectorError)
    /// It happens, but the answer is lost: the error is thrown nevertheless.
    case loseAnswer(ConnectorError)
    /// `write`: so many items arrive, one more in part where the target is append-only, then the error is thrown.
    case breakOff(after: Int, ConnectorError)
    /// `bodies`: so many bytes flow, then the error is thrown.
    case cut(afterBytes: Int, ConnectorError)
    /// `write`, `bodies`: the items of these names, and no others, get the error.
    case spoil(names: Set<String>, ConnectorError)

    package static let throttled = Fault.refuse(
        ConnectorError(.targetThrottled, .retry(after: .seconds(5)), "The fake tenant asks for a pause."))
    package static let disconnected = ConnectorError(
        .sourceUnreachable, .retry(after: nil), "The fake tenant hung up.")
}

/// Decides what goes wrong when. Faults are consumed in the order in which they were injected.
package final class Faults: Sendable {
    private struct Planned {
        var operation: FakeOperation
        var skipping: Int
        var times: Int
        var fault: Fault
    }

    private struct State {
        var planned: [Planned] = []
        var calls: [FakeOperation: Int] = [:]
        var chance: (fraction: Double, throttles: Bool, generator: SeededRandom)?
    }

    private let state = Mutex(State())

    package init() {}

    /// Lets the fault happen at the next call of the verb, after `skipping` good ones, `times` in a row.
    package func inject(_ fault: Fault, at operation: FakeOperation, skipping: Int = 0, times: Int = 1) {
        state.withLock {
            $0.planned.append(Planned(operation: operation, skipping: skipping, times: times, fault: fault))
        }
    }

    /// From now on the given part of all reads and writes goes wrong in one of the ways that a retry mends.
    ///
    /// - Parameter throttles: some calls are answered with how long to wait.
    package func injectRandomly(_ fraction: Double, seed: UInt64, throttles: Bool = false) {
        state.withLock { $0.chance = (fraction, throttles, SeededRandom(seed: seed)) }
    }

    package func clear() {
        state.withLock {
            $0.planned = []
            $0.chance = nil
        }
    }

    /// How often each verb was called.
    package var calls: [FakeOperation: Int] { state.withLock { $0.calls } }

    package func resetCalls() { state.withLock { $0.calls = [:] } }

    /// Counts a call and says what goes wrong with it.
    package func next(_ operation: FakeOperation) -> Fault? {
        state.withLock { state in
            state.calls[operation, default: 0] += 1
            for index in state.planned.indices where state.planned[index].operation == operation {
                if state.planned[index].skipping > 0 {
                    state.planned[index].skipping -= 1
                    return nil
                }
                let fault = state.planned[index].fault
                state.planned[index].times -= 1
                if state.planned[index].times == 0 { state.planned.remove(at: index) }
                return fault
            }
            guard var chance = state.chance else { return nil }
            defer { state.chance = chance }
            guard Double.random(in: 0..<1, using: &chance.generator) < chance.fraction else { return nil }
            let size = Int.random(in: 0..<8, using: &chance.generator)
            switch (operation, Int.random(in: 0..<3, using: &chance.generator)) {
            case (.write, 0): return .breakOff(after: size, Fault.disconnected)
            case (.write, 1), (.remove, _), (.ensure, 0): return .loseAnswer(Fault.disconnected)
            case (.bodies, 0), (.bodies, 1): return .cut(afterBytes: size * 100, Fault.disconnected)
            case (.freeze, _), (.thaw, _), (.redirect, _), (.removeRedirect, _), (.probe, _): return nil
            case (_, 2) where chance.throttles: return .throttled
            default: return .refuse(Fault.disconnected)
            }
        }
    }
}
