import Crypto
package import FerryCore

/// The rule by which records of the audit trail hold on to each other, and the judge of it.
package enum AuditChain {
    /// The entry as the record that follows `head`.
    package static func seal(_ entry: AuditEntry, after head: AuditHead) -> AuditRecord {
        let sequence = head.sequence + 1
        return AuditRecord(entry: entry, sequence: sequence, digest: digest(entry, sequence, after: head.digest))
    }

    static func digest(_ entry: AuditEntry, _ sequence: Int64, after previous: AuditDigest) -> AuditDigest {
        var hasher = SHA256()
        hasher.update(data: previous.bytes)
        hasher.update(data: AuditRecord.canonicalBytes(entry, sequence: sequence))
        return AuditDigest(Array(hasher.finalize()))
    }
}

/// Walks along a chain and recomputes it. Records come page by page, in any number.
package struct AuditVerifier: Sendable {
    /// What is wrong with a chain, with the first record that shows it.
    package enum Flaw: Error, Sendable, Hashable {
        /// A record of another chain lies in this one.
        case foreign(sequence: Int64)
        /// The record with this number is not where it belongs: removed, or its place was changed.
        case missing(sequence: Int64)
        /// The record does not have the digest that follows from what it says and from the record before.
        case altered(sequence: Int64)
        /// The chain ends before the record that an anchor names: its end was cut off.
        case truncated(sequence: Int64, anchored: Int64)
        /// The record's digest is another one than the anchor's: the chain was written anew.
        case rewritten(sequence: Int64)
    }

    /// The last record that was found good.
    package private(set) var head: AuditHead
    /// Heads that were kept elsewhere, in ascending order; those before `head` were found again.
    private var anchors: [AuditHead]

    /// - Parameter anchors: heads of this tenant's chain that were kept elsewhere; those of other tenants are left out.
    package init(tenant: TenantID, anchors: [AuditHead] = []) {
        head = .beginning(of: tenant)
        self.anchors = anchors.filter { $0.tenant == tenant && $0.sequence > 0 }.sorted { $0.sequence > $1.sequence }
    }

    /// Takes the next record. After it threw, the chain is not to be walked on.
    package mutating func check(_ record: AuditRecord) throws(Flaw) {
        guard record.entry.tenant == head.tenant else { throw .foreign(sequence: record.sequence) }
        guard record.sequence == head.sequence + 1 else { throw .missing(sequence: head.sequence + 1) }
        guard AuditChain.digest(record.entry, record.sequence, after: head.digest) == record.digest else {
            throw .altered(sequence: record.sequence)
        }
        head = record.head
        while let anchor = anchors.last, anchor.sequence == head.sequence {
            guard anchor.digest == head.digest else { throw .rewritten(sequence: head.sequence) }
            anchors.removeLast()
        }
    }

    /// Nothing follows: every anchor must have been met.
    package func end() throws(Flaw) {
        guard let anchor = anchors.first else { return }
        throw .truncated(sequence: head.sequence, anchored: anchor.sequence)
    }
}

extension AuditVerifier.Flaw: CustomStringConvertible {
    package var description: String {
        switch self {
        case .foreign(let sequence): "Record \(sequence) belongs to another chain."
        case .missing(let sequence): "Record \(sequence) is missing or not in its place."
        case .altered(let sequence):
            "Record \(sequence) was altered: its digest does not follow from what it says and the record before."
        case .truncated(let sequence, let anchored):
            "The chain ends at record \(sequence), but the anchor names record \(anchored): its end was cut off."
        case .rewritten(let sequence):
            "Record \(sequence) has another digest than the anchor: the chain was written anew."
        }
    }
}
