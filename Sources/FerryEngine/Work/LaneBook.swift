import FerryCore
import Synchronization

/// Who is at work where: keeps every endpoint's limit over all lanes that touch it.
final class LaneBook: Sendable {
    private struct State {
        var lanes: Set<LaneID> = [.control]
        var busy: [String: Int] = [:]
        var busyControl = 0
        var total = 0
        /// Which lane is served first; moves on so that no lane starves another that shares its endpoint.
        var turn = 0
    }

    private let state = Mutex(State())
    private let connections: any Connections
    private let settings: EngineSettings

    init(connections: any Connections, settings: EngineSettings) {
        self.connections = connections
        self.settings = settings
    }

    /// Makes lanes known; work in an unknown lane is never leased.
    func learn(_ lanes: some Sequence<LaneID>) {
        state.withLock { $0.lanes.formUnion(lanes) }
    }

    /// Free places per lane, such that filling them all breaks no endpoint's limit; and their sum.
    func room() -> (perLane: [LaneID: Int], total: Int) {
        state.withLock { state in
            var free: [String: Int] = [:]
            var left = max(0, settings.concurrency - state.total)
            var room: [LaneID: Int] = [.control: max(0, settings.controlConcurrency - state.busyControl)]
            let lanes = state.lanes.subtracting([.control]).sorted { $0.name < $1.name }
            guard !lanes.isEmpty else { return (room, room[.control] ?? 0) }
            state.turn = (state.turn + 1) % lanes.count
            for lane in lanes[state.turn...] + lanes[..<state.turn] {
                let endpoints = Lane(lane).endpoints
                let places = endpoints.reduce(left) { least, name in
                    let limit = connections.parallelism(ofEndpoint: name)
                    return min(least, free[name] ?? (limit - (state.busy[name] ?? 0)))
                }
                guard places > 0 else { continue }
                room[lane] = places
                left -= places
                for name in endpoints {
                    free[name] =
                        (free[name] ?? connections.parallelism(ofEndpoint: name) - (state.busy[name] ?? 0)) - places
                }
            }
            return (room, room.values.reduce(0, +))
        }
    }

    func begin(_ lane: LaneID) { count(lane, by: 1) }

    func end(_ lane: LaneID) { count(lane, by: -1) }

    private func count(_ lane: LaneID, by step: Int) {
        state.withLock { state in
            if lane == .control {
                state.busyControl += step
            } else {
                state.total += step
                for name in Lane(lane).endpoints { state.busy[name, default: 0] += step }
            }
        }
    }
}
