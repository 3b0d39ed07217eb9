/// An identifier that is a GUID and is not to be mistaken for another one.
package protocol GUIDIdentifier: Hashable, Sendable, Comparable, CustomStringConvertible {
    var guid: GUID { get }
    init(_ guid: GUID)
}

extension GUIDIdentifier {
    package init?(_ text: some StringProtocol) {
        guard let guid = GUID(text) else { return nil }
        self.init(guid)
    }

    package var description: String { guid.description }

    package static func < (left: Self, right: Self) -> Bool { left.guid < right.guid }
}

/// A tenant: one organization's people and the services that hold their data.
package struct TenantID: GUIDIdentifier {
    package let guid: GUID
    package init(_ guid: GUID) { self.guid = guid }
}

/// A person in a tenant's directory.
package struct PersonID: GUIDIdentifier {
    package let guid: GUID
    package init(_ guid: GUID) { self.guid = guid }
}

/// A job: the batch of people that an administrator moves together.
package struct JobID: GUIDIdentifier {
    package let guid: GUID
    package init(_ guid: GUID) { self.guid = guid }
}

/// One workload of one person in one job.
package struct RunID: Hashable, Sendable, Comparable {
    package var job: JobID
    /// The *target* person; also the id of the user task on the wire.
    package var person: PersonID
    package var workload: Workload

    package init(job: JobID, person: PersonID, workload: Workload) {
        self.job = job
        self.person = person
        self.workload = workload
    }

    package static func < (left: RunID, right: RunID) -> Bool {
        (left.job, left.person, left.workload) < (right.job, right.person, right.workload)
    }
}
