import FerryCore
import FerryStore

/// Turns what the machine decided into verbs of the store.
enum JobActions {
    static func apply(_ actions: [JobAction], to job: Job, in tx: any StoreTransaction) throws(StoreError) {
        for action in actions {
            switch action {
            case .wake(let instant):
                try tx.enqueue(WorkItem(key: .job(job.id), lane: .control, due: instant))
                // People who wait for a date that has moved closer are due with it.
                if job.status == .inProgress { try tx.bringForward(job.id, to: max(job.completeAfter, tx.now)) }
            case .resetRuns(let keeping):
                try tx.setRuns(
                    of: job.id, in: Set(RunStatus.allCases).subtracting(keeping), to: .notStarted, message: "",
                    at: tx.now)
            case .stopRuns:
                try tx.enqueue(WorkItem(key: .job(job.id), lane: .control, due: tx.now))
            case .dropWork:
                try tx.cancelDryRun(of: job.id)
                try tx.removeWork(of: job.id)
                // Whoever was being cleared out has to be put on the list again.
                try tx.setRuns(of: job.id, in: [.pendingCancel], to: .pendingCancel, message: "", at: tx.now)
            }
        }
    }

    /// Takes away the work of everybody in the task whose run is being or has been stopped.
    static func removeWork(of task: UserTask, in tx: any StoreTransaction) throws(StoreError) {
        for run in task.runs where run.status == .pendingCancel || run.status == .cancelled {
            try tx.removeWork(.run(run.id))
        }
        if task.runs.allSatisfy({ $0.status == .pendingCancel || $0.status.isFinal }) {
            try tx.removeWork(.check(task.job, task.person))
        }
    }
}
