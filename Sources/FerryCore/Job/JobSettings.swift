/// What an operator may choose about jobs. Read once at start.
package struct JobSettings: Sendable, Hashable {
    /// People that one job may name.
    package var maximumPeople: Int
    /// How long a passed validation allows migrate (rows T9 to T11). A retry is not bound by it.
    package var validationLifetime: Duration
    /// Cancel is possible until each person's own cutover, instead of until the job's date.
    package var cancelsUntilCutover: Bool
    /// PATCH with a past date is refused, instead of being taken for "due now" (row T19).
    package var refusesPastReschedule: Bool
    /// Chats and files of a person go on although the mailbox failed. Meetings never do.
    package var continuesWithoutMailbox: Bool
    /// Whoever would leave content behind waits for an approval, or fails where it is too much (5.5); otherwise that is only
    /// reported.
    package var holdsSkippedItems: Bool
    /// Nobody's meetings move whose source cannot forward mail (check T-16).
    package var requiresRedirect: Bool
    /// What was copied for somebody who is cancelled is removed at the target, instead of being kept as a seed (5.6).
    package var purgesCancelledCopies: Bool
    /// Time between the acceptance of a deletion and the purge.
    package var purgeDelay: Duration
    /// How long a deleted job stays readable.
    package var tombstoneLifetime: Duration
    /// How long a creation is known again when its client sends it once more.
    package var repetitionsLast: Duration

    package init(
        maximumPeople: Int = 2000, validationLifetime: Duration = .seconds(7 * 86_400),
        cancelsUntilCutover: Bool = false, refusesPastReschedule: Bool = false, continuesWithoutMailbox: Bool = false,
        holdsSkippedItems: Bool = true, requiresRedirect: Bool = false, purgesCancelledCopies: Bool = false,
        purgeDelay: Duration = .zero,
        tombstoneLifetime: Duration = .seconds(30 * 86_400),
        repetitionsLast: Duration = .seconds(86_400)
    ) {
        self.maximumPeople = maximumPeople
        self.validationLifetime = validationLifetime
        self.cancelsUntilCutover = cancelsUntilCutover
        self.refusesPastReschedule = refusesPastReschedule
        self.continuesWithoutMailbox = continuesWithoutMailbox
        self.holdsSkippedItems = holdsSkippedItems
        self.requiresRedirect = requiresRedirect
        self.purgesCancelledCopies = purgesCancelledCopies
        self.purgeDelay = purgeDelay
        self.tombstoneLifetime = tombstoneLifetime
        self.repetitionsLast = repetitionsLast
    }
}

/// What has to be done in the transaction that stores a changed job. Carried out in the order given.
package enum JobAction: Sendable, Hashable {
    /// The job's own work item is due then; replaces an earlier date.
    case wake(Instant)
    /// All runs that are not in one of these states become `notStarted`, without findings and message.
    case resetRuns(keeping: Set<RunStatus>)
    /// Runs that can still be stopped become `pendingCancel`, and `cancelled` once nobody works on them
    /// (`UserTask.stopRequested`). People in their cutover are left alone (row T31).
    case stopRuns
    /// Work of people is removed; leases on it are lost, so that late results are refused.
    case dropWork
}
