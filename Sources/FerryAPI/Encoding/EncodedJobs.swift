import FerryCore
import Synchronization

/// Jobs as they were written last, so that what is asked for again and again is not written again.
///
/// A job's version rises with each change, so it and the id say what the bytes have to be. Bounded by bytes, in two
/// generations: when the young one is full it becomes the old one, and what was old is forgotten.
package final class EncodedJobs: Sendable {
    private struct Key: Hashable {
        var id: JobID
        var version: Int64
    }

    private struct State {
        var young: [Key: [UInt8]] = [:]
        var old: [Key: [UInt8]] = [:]
        var youngBytes = 0
    }

    private let capacity: Int
    private let state = Mutex(State())

    /// Holds at most twice `capacity` bytes.
    package init(capacity: Int = 8 << 20) { self.capacity = capacity }

    /// The members of the job, as `write` gives them where they are not here.
    func members(of job: Job, write: () -> [UInt8]) -> [UInt8] {
        let key = Key(id: job.id, version: job.version)
        let known = state.withLock { state -> [UInt8]? in
            if let bytes = state.young[key] { return bytes }
            guard let bytes = state.old[key] else { return nil }
            put(bytes, key, in: &state)
            return bytes
        }
        if let known { return known }
        let bytes = write()
        if bytes.count <= capacity / 16 { state.withLock { put(bytes, key, in: &$0) } }
        return bytes
    }

    private func put(_ bytes: [UInt8], _ key: Key, in state: inout State) {
        if state.youngBytes + bytes.count > capacity {
            state.old = state.young
            state.young = [:]
            state.youngBytes = 0
        }
        if state.young.updateValue(bytes, forKey: key) == nil { state.youngBytes += bytes.count }
    }
}
