import FerryCore
import Testing

/// The tables of the reference, spelled out.
struct StatusTableTests {
    /// Table 2.1: validate, migrate, cancel, change of date, delete.
    private static let table: [(JobStatus, String)] = [
        (.submitted, "v-cp-"), (.validateSubmitted, "--cp-"), (.validateProcessing, "--cp-"),
        (.validateInProgress, "--cp-"), (.validatePassed, "-mcp-"), (.validateFailed, "v-cp-"), (.approved, "--cp-"),
        (.processing, "--cp-"), (.inProgress, "--cp-"), (.cuttingOver, "-----"), (.completed, "----d"),
        (.completedWithErrors, "-m--d"), (.failed, "-m--d"), (.pendingCancel, "-----"), (.cancelled, "----d"),
        (.adminActionRequired, "-----"), (.pendingDelete, "-----"), (.deleted, "-----"),
    ]

    @Test func `what each state allows`() {
        #expect(Set(Self.table.map(\.0)) == Set(JobStatus.allCases))
        for (status, allowed) in Self.table {
            let said =
                (status.canValidate ? "v" : "-") + (status.canMigrate ? "m" : "-") + (status.canCancel ? "c" : "-")
                + (status.canReschedule ? "p" : "-") + (status.canDelete ? "d" : "-")
            #expect(said == allowed, "\(status)")
        }
    }

    @Test func `four states are final, and neither they nor deleted jobs are active`() {
        #expect(Set(JobStatus.allCases.filter(\.isFinal)) == [.completed, .completedWithErrors, .failed, .cancelled])
        #expect(!JobStatus.deleted.isActive && !JobStatus.pendingDelete.isActive && JobStatus.validatePassed.isActive)
        #expect(!Make.job(.validatePassed, validationOnly: true).isActive && Make.job(.validatePassed).isActive)
    }

    /// Table 3.2 as documented: job states, states of the mailbox, states of the others.
    private static let documented: [([JobStatus], Set<RunStatus>, Set<RunStatus>)] = [
        ([.submitted, .validateSubmitted, .validateProcessing, .processing], [.notStarted], [.notStarted]),
        (
            [.validateInProgress], [.notStarted, .inProgress, .valid, .invalid],
            [.notStarted, .inProgress, .valid, .invalid]
        ),
        ([.validatePassed], [.valid], [.valid]),
        ([.validateFailed], [.valid, .invalid], [.valid, .invalid]),
        (
            [.inProgress], [.syncing, .synced, .finalizing, .completed, .failed],
            [.synced, .inProgress, .completed, .failed]
        ),
        ([.cuttingOver], [.synced, .finalizing, .completed], [.synced, .inProgress, .completed]),
        ([.completed], [.completed], [.completed]),
        ([.completedWithErrors], [.completed, .failed], [.completed, .failed]),
        ([.failed], [.failed], [.failed]),
        ([.cancelled], [.cancelled], [.cancelled]),
    ]

    /// What each state tolerates beyond the documented table.
    private static let tolerated: [JobStatus: Set<RunStatus>] = [
        .processing: [.completed], .validateInProgress: [.error], .validateFailed: [.error],
        .inProgress: [.notStarted, .error], .cuttingOver: [.notStarted, .failed, .error],
        .completedWithErrors: [.error],
        .failed: [.error], .cancelled: [.completed, .failed, .error],
    ]

    @Test func `the documented combinations are permitted, and hardly any other`() {
        for (states, mailbox, others) in Self.documented {
            for status in states {
                for workload in Workload.allCases {
                    var expected = workload == .mailbox ? mailbox : others
                    expected.formUnion(Self.tolerated[status] ?? [])
                    if status == .cuttingOver, workload == .mailbox { expected.insert(.syncing) }
                    // People may be cancelled out of a job in every state; at the end that is over.
                    expected.insert(.cancelled)
                    if !status.isFinal { expected.insert(.pendingCancel) }
                    let permitted = Set(RunStatus.allCases.filter { Job.permits(status, workload, $0) })
                    #expect(permitted == expected, "\(status) \(workload)")
                }
            }
        }
    }

    @Test func `a deleted job has no runs, and nobody ever sees forceComplete`() {
        for workload in Workload.allCases {
            #expect(RunStatus.allCases.allSatisfy { !Job.permits(.deleted, workload, $0) })
            #expect(JobStatus.allCases.allSatisfy { !Job.permits($0, workload, .forceComplete) })
        }
    }

    @Test func `four run states are ends`() {
        #expect(Set(RunStatus.allCases.filter(\.isFinal)) == [.completed, .failed, .error, .cancelled])
        #expect(RunStatus.allCases.filter(\.isSuccess) == [.completed])
    }
}
