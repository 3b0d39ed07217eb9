package import FerryCore
package import FerryStore

/// The identity map for those who build it: the server's only way to it.
///
/// It belongs to the target tenant. `source` names the other side by id; `nil` is enough where only one tenant is trusted.
/// All throw `Refusal.invalid` when there is no such trust.
package protocol IdentityMapping: Sendable {
    func sheet(from source: String?, to target: TenantID) async throws(Refusal) -> MapSheet
    /// What was said of a person before, newest first.
    func history(of person: PersonID, in pair: TenantPair) async throws(Refusal) -> [FormerMapEntry]
    /// Looks at entries in the order of the source people, and asks the sources whether the mailboxes are still the ones
    /// that were recorded. Changes nothing.
    func check(from source: String?, to target: TenantID, after: PersonID?, limit: Int) async throws(Refusal)
        -> MapOutcome
    /// Durable when it returns, together with its record in the audit trail.
    func carryOut(
        _ command: MapCommand, from source: String?, by principal: Principal, in provenance: Provenance
    ) async throws(Refusal) -> MapOutcome
}

/// An identity map at one moment, with everything that is to be said of its entries.
package struct MapSheet: Sendable {
    package var pair: TenantPair
    package var map: IdentityMap
    /// Which mailbox was recorded, by source person.
    package var mailboxes: [PersonID: String]
    package var review: MapReview
    package var directory: any Directory

    /// In ascending order of the source person.
    package var entries: [MapEntry] { map.entries.values.sorted { $0.source < $1.source } }
}
