package import FerryCore

/// How the engine paces itself. Every value has a default that suits a small installation.
package struct EngineSettings: Sendable {
    package var jobs = JobSettings()
    package var backoff = Backoff()
    /// How long a lease lasts without renewal; a crashed holder's work waits at most this long.
    package var leaseTerm: Duration = .seconds(30)
    /// Pieces of work in hand at once, over all lanes.
    package var concurrency = 16
    /// Checks, fan-out and other work that touches no endpoint's content, in hand at once.
    package var controlConcurrency = 8
    /// Time from the end of a pass to the next one while a person waits for the date.
    package var deltaInterval: Duration = .seconds(15 * 60)
    /// Shortest time between two sums over a job that is changing; stretches while nothing changes.
    package var pulse: Duration = .seconds(2)
    /// How long running work may go on after a stop was asked for, before it is cancelled at its last checkpoint.
    package var drain: Duration = .seconds(5)
    /// How long a person may be kept from working at the source before they are at home at the target. Whoever is not
    /// there by then is let back in, and it is tried again.
    package var freezeBudget: Duration = .seconds(60)
    /// People at once in their cutover at each endpoint; `nil`: as many as may be worked on there.
    package var cutoversAtOnce: Int?
    /// Passes over a frozen source until one finds nothing to do; twice as many over one that cannot be frozen.
    package var lastPasses = 4
    /// What probably takes longer to compare is compared before the freeze, and under it only where it has changed since.
    package var longestComparison: Duration = .seconds(2)
    /// Compare contents of both sides by hash before a cutover counts as done.
    package var verifiesCutover = true

    package init() {}
}
