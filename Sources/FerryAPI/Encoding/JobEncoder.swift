package import FerryCore

/// A job with the users that `$expand` asked for.
package struct ExpandedJob: Sendable {
    package var job: Job
    package var users: QueryPage<UserTask>?
    /// All users that the options of the expansion admit; `nil` unless that was asked for.
    package var count: Int?

    package init(_ job: Job, users: QueryPage<UserTask>? = nil, count: Int? = nil) {
        self.job = job
        self.users = users
        self.count = count
    }
}

/// Jobs on the wire.
package enum JobEncoder {
    /// One job that was read by its key (operation 3). The order of members is that of the reference's page.
    ///
    /// - Parameter memory: where stored jobs were written before; not for jobs that nobody has stored.
    package static func entity(
        _ job: ExpandedJob, shape: JobShape, as representation: Representation, memory: EncodedJobs? = nil
    ) -> [UInt8] {
        var json = JSONWriter(capacity: 1_024 + 40 * job.job.people.count)
        json.object { json in
            if representation.metadata != .none {
                json.key("@odata.context")
                json.string(
                    representation.links.context("\(Links.collection)\(shape.contextSuffix)/$entity"))
            }
            members(of: job, shape, representation, memory, into: &json)
        }
        return json.bytes
    }

    /// The pieces of `entity` around the users, who are written while they are read: everything before the first one.
    package static func opening(of job: ExpandedJob, shape: JobShape, as representation: Representation) -> [UInt8] {
        var job = job
        job.users = QueryPage(rows: [], next: nil)
        // The users are the last member, so what is missing are two brackets.
        return entity(job, shape: shape, as: representation).dropLast(2)
    }

    /// Everything behind the last user; `next` is where the users end that are shown, if there are more.
    package static func closing(
        of job: JobID, after next: PagePosition?, shape: JobShape, as representation: Representation
    ) -> [UInt8] {
        guard let link = shape.users?.nextLink(of: job, after: next, links: representation.links) else {
            return Array("]}".utf8)
        }
        var json = JSONWriter(capacity: 512)
        json.object { $0.member("users@odata.nextLink", link) }
        return [UInt8(ascii: "]"), UInt8(ascii: ",")] + json.bytes.dropFirst()
    }

    /// What create and the actions answer: the context of an action names the type (reference 4.2).
    package static func result(_ job: Job, ofAction: Bool, as representation: Representation) -> [UInt8] {
        guard ofAction else { return entity(ExpandedJob(job), shape: JobShape(), as: representation) }
        var json = JSONWriter(capacity: 1_024 + 40 * job.people.count)
        json.object { json in
            if representation.metadata != .none {
                json.member("@odata.context", representation.links.context(Schema.qualified(Schema.Name.job)))
            }
            members(of: ExpandedJob(job), JobShape(), representation, into: &json)
        }
        return json.bytes
    }

    /// The pieces of `list` around jobs that are written while they are read. The link to the next page stands behind
    /// the jobs then, which a streaming answer may do (OData JSON Format 4.0 section 4.5.5).
    package static func listOpening(count: Int?, shape: JobShape, as representation: Representation) -> [UInt8] {
        list([], count: count, nextLink: nil, shape: shape, as: representation).dropLast(2)
    }

    /// Some of the jobs between `listOpening` and `listClosing`.
    package static func elements(
        _ jobs: [ExpandedJob], isFirst: Bool, shape: JobShape, as representation: Representation
    ) -> [UInt8] {
        var json = JSONWriter(capacity: 1_024 * (jobs.count + 1))
        json.array { json in for job in jobs { json.object { members(of: job, shape, representation, into: &$0) } } }
        return json.elements(isFirst: isFirst)
    }

    package static func listClosing(nextLink: String?) -> [UInt8] {
        guard let nextLink else { return Array("]}".utf8) }
        var json = JSONWriter(capacity: 512)
        json.object { $0.member("@odata.nextLink", nextLink) }
        return [UInt8(ascii: "]"), UInt8(ascii: ",")] + json.bytes.dropFirst()
    }

    /// A page of jobs (operation 1).
    package static func list(
        _ jobs: [ExpandedJob], count: Int?, nextLink: String?, shape: JobShape, as representation: Representation,
        memory: EncodedJobs? = nil
    ) -> [UInt8] {
        var json = JSONWriter(capacity: 512 + 1_024 * jobs.count)
        json.collection(
            context: representation.metadata == .none
                ? nil : representation.links.context(Links.collection + shape.contextSuffix),
            count: count, nextLink: nextLink
        ) { json in
            for job in jobs { json.object { members(of: job, shape, representation, memory, into: &$0) } }
        }
        return json.bytes
    }

    /// From memory where the bytes depend on nothing but the job.
    private static func members(
        of expanded: ExpandedJob, _ shape: JobShape, _ representation: Representation, _ memory: EncodedJobs?,
        into json: inout JSONWriter
    ) {
        guard let memory, shape == JobShape(), representation.metadata != .full else {
            return members(of: expanded, shape, representation, into: &json)
        }
        json.members(
            written: memory.members(of: expanded.job) {
                var json = JSONWriter(capacity: 1_024 + 40 * expanded.job.people.count)
                json.object { members(of: expanded, shape, representation, into: &$0) }
                return json.memberBytes
            })
    }

    private static func members(
        of expanded: ExpandedJob, _ shape: JobShape, _ representation: Representation, into json: inout JSONWriter
    ) {
        let job = expanded.job
        let selection = shape.selection
        if representation.metadata == .full {
            let address = representation.links.canonicalJob(job.id)
            json.member("@odata.type", Schema.annotation(Schema.Name.job))
            json.member("@odata.id", address)
            json.member("@odata.editLink", address)
            json.key("users@odata.navigationLink")
            json.string(joining: address, "/users")
        }
        json.member("id", job.id.guid)
        if selection.includes(.displayName) { json.member("displayName", job.displayName) }
        if selection.includes(.status) { json.member("status", job.status.wireName) }
        if selection.includes(.jobType) { json.member("jobType", job.type.wireName) }
        if selection.includes(.message) { json.member("message", job.message) }
        if selection.includes(.completeAfterDateTime) { json.member("completeAfterDateTime", job.completeAfter) }
        if selection.includes(.sourceTenantId) { json.member("sourceTenantId", job.sourceTenant.guid) }
        if selection.includes(.targetTenantId) { json.member("targetTenantId", job.targetTenant.guid) }
        if selection.includes(.resourceType) { json.member("resourceType", WireText.users) }
        if selection.includes(.resources) {
            json.key("resources")
            json.array { json in for person in job.people { json.guid(person.guid) } }
        }
        if selection.includes(.workloads) {
            json.key("workloads")
            json.array { json in for workload in job.workloads { json.string(workload.wireName) } }
        }
        if selection.includes(.createdBy) { json.member("createdBy", job.createdBy) }
        if selection.includes(.createdDateTime) { json.member("createdDateTime", job.created) }
        if selection.includes(.lastUpdatedDateTime) { json.member("lastUpdatedDateTime", job.updated) }
        settings(of: job, selection, into: &json)
        if let users = expanded.users, let expansion = shape.users {
            if let count = expanded.count { json.member("users@odata.count", count) }
            json.key("users")
            json.array { json in
                for task in users.rows {
                    json.object { TaskEncoder.members(of: task, expansion.selection, representation, into: &$0) }
                }
            }
            if let link = expansion.nextLink(of: job.id, after: users.next, links: representation.links) {
                json.member("users@odata.nextLink", link)
            }
        }
    }

    /// The whole of `exchangeSettings`, or the parts that `$select` named.
    private static func settings(of job: Job, _ selection: Selection<JobMember>, into json: inout JSONWriter) {
        let isWhole = selection.includes(.exchangeSettings)
        let hasDomain = isWhole || selection.includes(.targetDeliveryDomain)
        let hasEndpoint = isWhole || selection.includes(.sourceEndpoint)
        guard hasDomain || hasEndpoint else { return }
        json.key("exchangeSettings")
        guard let settings = job.exchangeSettings else { return json.null() }
        json.object { json in
            if hasDomain { json.member("targetDeliveryDomain", settings.targetDeliveryDomain) }
            if hasEndpoint { json.member("sourceEndpoint", settings.sourceEndpoint) }
        }
    }
}

extension JSONWriter {
    /// The wrapper of every collection (reference 2.8).
    mutating func collection(
        context: String?, count: Int?, nextLink: String?, _ elements: (inout JSONWriter) -> Void
    ) {
        object { json in
            if let context { json.member("@odata.context", context) }
            if let count { json.member("@odata.count", count) }
            if let nextLink { json.member("@odata.nextLink", nextLink) }
            json.key("value")
            json.array(elements)
        }
    }
}
