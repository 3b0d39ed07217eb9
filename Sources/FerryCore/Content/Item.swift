/// Which item of a container this is: 128 bits made from the source's own identifier.
///
/// Names are hashed by `FerryFormats`; numbers (IMAP UIDs) are kept as they are, so that neighbours stay neighbours.
package struct ItemKey: Hashable, Sendable, Comparable {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    package static func < (left: ItemKey, right: ItemKey) -> Bool { (left.high, left.low) < (right.high, right.low) }
}

/// A digest of everything about an item that may change without its key changing: flags, size, time.
///
/// Two listings that give the same version are taken for the same item state.
package struct ItemVersion: Hashable, Sendable {
    package let bits: UInt64
    package init(_ bits: UInt64) { self.bits = bits }
}

/// The SHA-256 of an item's content in canonical form.
package struct ContentDigest: Hashable, Sendable {
    /// 32 octets.
    package let bytes: [UInt8]
    package init(_ bytes: [UInt8]) { self.bytes = bytes }
}

/// What became of one item in one pass.
package enum ItemOutcome: UInt8, Sendable, Hashable, CaseIterable {
    /// Written to the target.
    case copied = 1
    /// Belongs to another workload of the same person (an organized meeting, say); nothing was written.
    case elsewhere = 2
    /// Can never move; recorded with a reason.
    case skipped = 3
    /// Could not be moved this time.
    case failed = 4
}

/// Where a target keeps an item that it named itself: an IMAP server's UIDVALIDITY in the upper half, the UID in the lower.
///
/// Never 0. Only the connector that gave it reads it. Targets that find items by their key have none.
package struct ItemPlace: Hashable, Sendable {
    package let number: UInt64
    package init(_ number: UInt64) { self.number = number }
}

/// What the ledger remembers of one item.
package struct LedgerEntry: Hashable, Sendable {
    package var key: ItemKey
    package var version: ItemVersion
    /// 0 for none. Here, and no optional, because a million entries are held at once: 40 bytes each, not 48.
    private var placeNumber: UInt64
    package var outcome: ItemOutcome

    /// Where the copy is; `nil` where the target needs no such thing or nothing was written.
    package var place: ItemPlace? {
        get { placeNumber == 0 ? nil : ItemPlace(placeNumber) }
        set { placeNumber = newValue?.number ?? 0 }
    }

    package init(key: ItemKey, version: ItemVersion, outcome: ItemOutcome, place: ItemPlace? = nil) {
        self.key = key
        self.version = version
        placeNumber = place?.number ?? 0
        self.outcome = outcome
    }
}

/// Whose data a ledger is about: one source person on the way to one target person, one workload.
///
/// The ledger belongs to the route and not to a job, so that a new job for the same person continues where the last one
/// stopped instead of doubling everything.
package struct Route: Hashable, Sendable {
    package var sourceTenant: TenantID
    package var sourcePerson: PersonID
    package var targetTenant: TenantID
    package var targetPerson: PersonID
    package var workload: Workload

    package var pair: TenantPair { TenantPair(source: sourceTenant, target: targetTenant) }

    package init(
        sourceTenant: TenantID, sourcePerson: PersonID, targetTenant: TenantID, targetPerson: PersonID,
        workload: Workload
    ) {
        self.sourceTenant = sourceTenant
        self.sourcePerson = sourcePerson
        self.targetTenant = targetTenant
        self.targetPerson = targetPerson
        self.workload = workload
    }
}

extension Route {
    /// The way back.
    package var opposite: Route {
        Route(
            sourceTenant: targetTenant, sourcePerson: targetPerson, targetTenant: sourceTenant,
            targetPerson: sourcePerson, workload: workload)
    }
}

/// The name of a container within a route, stable across passes: service kind, a slash, the connector's own name.
package struct ContainerID: Hashable, Sendable, Comparable {
    package let text: String
    package init(_ text: String) { self.text = text }
    /// No container: in the ledger of a route from the swap on, it says that the person lives at its target. What lies
    /// there is theirs since then, and no copy any more.
    package static let home = ContainerID("home")

    package static func < (left: ContainerID, right: ContainerID) -> Bool { left.text < right.text }
}
