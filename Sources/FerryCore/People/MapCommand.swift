/// A change of the identity map that an administrator of the target asks for. People are named by id, sign-in name or
/// address.
package enum MapCommand: Sendable, Hashable {
    case importRows([MapRow], overwriting: Bool)
    /// Finds targets by address, for everybody who may leave or for those who are named.
    case match(people: [String]?, overwriting: Bool)
    /// Agrees to mappings in which nothing is wrong and records the mailboxes; overwriting records them anew. Goes on after
    /// the given source person, with so many people at most.
    case complete(people: [String]?, overwriting: Bool, after: PersonID?, limit: Int)
    /// Maps one person; `nil` to nobody.
    case assign(String, to: String?, overwriting: Bool)
    case remove(String)

    /// The constant name of the operation; the same that the API logs. Stored in the audit trail, so never renamed.
    package var operation: String {
        switch self {
        case .importRows: "importIdentities"
        case .match: "matchIdentities"
        case .complete: "completeIdentities"
        case .assign: "updateIdentity"
        case .remove: "removeIdentity"
        }
    }
}

/// What came of a change or a check of the identity map.
package struct MapOutcome: Sendable, Hashable {
    /// Entries that are different now; for a check, those that were looked at.
    package var changed = 0
    /// Entries that said already what was asked for.
    package var unchanged = 0
    /// Everybody of whom something is to be said; of them nothing was changed, unless they are in the map without a target.
    package var remarks: [MapRemark] = []
    /// The last person that was looked at, when there are more.
    package var next: PersonID?

    package init(changed: Int = 0, unchanged: Int = 0, remarks: [MapRemark] = [], next: PersonID? = nil) {
        self.changed = changed
        self.unchanged = unchanged
        self.remarks = remarks
        self.next = next
    }
}
