import FerryCore
import Synchronization

/// Jobs as they are stored, and pages of their lists, so that a repeated read costs no thread hop and no decoding.
///
/// Never stale: the writer takes changed jobs and all pages out before it commits and puts the jobs' new state in before
/// it answers its callers. A reader that missed may put in what it read only when no commit touched any job in between.
///
/// Bounded by two generations: when the young one is full it becomes the old one, and what was old is forgotten. Pages
/// are for clients that ask for the same again and again while little happens; when there are too many, all go.
final class JobCache: Sendable {
    /// Proof of when a read began.
    struct Ticket: Sendable, Equatable {
        fileprivate let epoch: UInt64
    }

    private struct Name: Hashable {
        let tenant: TenantID
        let folded: String
    }

    private struct Generation {
        var jobs: [JobID: Job] = [:]
        var names: [Name: JobID] = [:]
    }

    private struct State {
        var young = Generation()
        var old = Generation()
        var pages: [JobQuery: QueryPage<Job>] = [:]
        /// Jobs in all pages; an empty page counts as one.
        var pageRows = 0
        /// Raised by each commit that changes jobs.
        var epoch: UInt64 = 0
        /// A commit is on its way: what is read now may be of before or after it.
        var isChanging = false

        mutating func forgetPages() {
            pages = [:]
            pageRows = 0
        }
    }

    private let capacity: Int
    private let state = Mutex(State())

    /// Holds at most twice `capacity` jobs, and as many again in pages.
    init(capacity: Int) {
        self.capacity = max(1, capacity)
    }

    func job(_ id: JobID) -> Job? {
        state.withLock { find(id, in: &$0) }
    }

    /// The job of the reference if it is here; `nil` says nothing about the store.
    func job(_ reference: JobReference, in tenant: TenantID) -> Job? {
        state.withLock { state in
            for step in reference.steps {
                switch step {
                case .id(let id):
                    // A miss ends the search: a job of that id may be in the store, and would come first.
                    guard let job = find(id, in: &state) else { return nil }
                    if job.targetTenant == tenant { return job }
                case .name(let folded):
                    let name = Name(tenant: tenant, folded: folded)
                    guard let id = state.young.names[name] ?? state.old.names[name] else { return nil }
                    return find(id, in: &state).flatMap { $0.holdsName ? $0 : nil }
                }
            }
            return nil
        }
    }

    /// The page that the query has now, if it is here.
    func page(_ query: JobQuery) -> QueryPage<Job>? {
        state.withLock { $0.pages[query] }
    }

    func fill(_ page: QueryPage<Job>, of query: JobQuery, _ ticket: Ticket?) {
        state.withLock { state in
            let rows = max(1, page.rows.count)
            guard let ticket, !state.isChanging, ticket.epoch == state.epoch, rows <= capacity else { return }
            if state.pageRows + rows > capacity * 2 { state.forgetPages() }
            if state.pages.updateValue(page, forKey: query) == nil { state.pageRows += rows }
        }
    }

    /// To be taken before a read whose result is offered to `fill`.
    func ticket() -> Ticket? {
        state.withLock { $0.isChanging ? nil : Ticket(epoch: $0.epoch) }
    }

    func fill(_ job: Job, _ ticket: Ticket?) {
        state.withLock { state in
            guard let ticket, !state.isChanging, ticket.epoch == state.epoch else { return }
            put(job, in: &state)
        }
    }

    /// Before a commit: forgets the jobs, so that nobody reads the old state after the new one can be seen.
    func beginChange(of ids: some Sequence<JobID>) {
        state.withLock { state in
            state.isChanging = true
            state.epoch += 1
            state.forgetPages()
            for id in ids {
                state.young.jobs[id] = nil
                state.old.jobs[id] = nil
            }
        }
    }

    /// After a commit, with the stored jobs; after one that failed, with none.
    func endChange(_ jobs: some Sequence<Job>) {
        state.withLock { state in
            state.isChanging = false
            for job in jobs { put(job, in: &state) }
        }
    }

    /// Forgets everything, for good: whoever asks is sent to the file.
    func close() {
        state.withLock { $0 = State(epoch: $0.epoch + 1, isChanging: true) }
    }

    private func find(_ id: JobID, in state: inout State) -> Job? {
        if let job = state.young.jobs[id] { return job }
        guard let job = state.old.jobs[id] else { return nil }
        put(job, in: &state)
        return job
    }

    private func put(_ job: Job, in state: inout State) {
        if state.young.jobs.count >= capacity || state.young.names.count >= capacity * 2 {
            state.old = state.young
            state.young = Generation()
        }
        state.young.jobs[job.id] = job
        if job.holdsName {
            state.young.names[Name(tenant: job.targetTenant, folded: job.displayName.lowercased())] = job.id
        }
    }
}

extension Job {
    /// The name is taken for others: until deletion was accepted.
    var holdsName: Bool { status != .pendingDelete && status != .deleted }
}

extension JobReference {
    /// One way to look for a job.
    enum Step {
        case id(JobID)
        /// The display name in lower case.
        case name(String)
    }

    /// What to look for, in order; the first job found counts.
    var steps: [Step] {
        switch self {
        case .key(let text):
            if let id = JobID(text) { [.id(id), .name(text.lowercased())] } else { [.name(text.lowercased())] }
        case .displayName(let text): [.name(text.lowercased())]
        }
    }
}
