package import FerryCore

/// The job that would bring people back (`GET /ferry/jobs/{job}/reversal`), to be created in the tenant that they left.
package struct ReversalView: Sendable {
    private let job: Job
    private let trust: Trust?
    private let deliveryDomain: String
    /// Who has moved, and as whom they come back.
    package private(set) var users: [(user: PersonID, resource: PersonID)] = []
    /// What stands in the way, in words, each with how to mend it.
    package private(set) var missing: [String] = []

    /// - Parameter tasks: all users of the job.
    package init(of job: Job, _ tasks: [UserTask], in directory: (any Directory)?) {
        self.job = job
        let (from, to) = (job.targetTenant, job.sourceTenant)
        trust = directory?.trust(from: from, to: to)
        let outbound = directory?.identityMap(from: to, to: from) ?? IdentityMap([])
        let back = directory?.identityMap(from: from, to: to) ?? IdentityMap([])
        let names = (directory?.tenant(from)?.name ?? from.description, directory?.tenant(to)?.name ?? to.description)
        deliveryDomain = directory?.tenant(to)?.domains.first ?? ""
        if trust == nil {
            missing.append(
                "There is no trust from \(names.0) to \(names.1). Add { source: \(from), target: \(to), endpoint: Return }"
                    + " to trust in the configuration, and start the server again.")
        }
        missing += trust?.objections.map { "The trust from \(names.0) to \(names.1): \($0.message)" } ?? []
        for task in tasks {
            guard task.outcome == .completed else {
                if task.outcome != .cancelled {
                    missing.append("User \(task.person) has not moved as a whole (\(task.summary)) and is left out.")
                }
                continue
            }
            guard let resource = outbound.source(of: task.person) else {
                missing.append("User \(task.person) is in the identity map of the way there no more, and is left out.")
                continue
            }
            users.append((task.person, resource))
            guard let trust else { continue }
            if back.source(of: resource) != task.person {
                missing.append(
                    "The identity map of the trust from \(names.0) to \(names.1) does not say that \(task.person) becomes"
                        + " \(resource). Give that trust an identityMap with the columns the other way round.")
            }
            if let scope = trust.scope, !scope.contains(task.person) {
                missing.append(
                    "User \(task.person) is not in the scope of the trust from \(names.0) to \(names.1). Add them there."
                )
            }
        }
        if users.isEmpty { missing.append("Nobody of this job has moved yet, so there is nobody to bring back.") }
    }

    package var json: [UInt8] {
        var json = JSONWriter(capacity: 512 + users.count * 100)
        json.object { json in
            json.member("sourceTenantId", job.targetTenant.guid)
            json.member("targetTenantId", job.sourceTenant.guid)
            json.member("sourceEndpoint", trust?.endpoint ?? "")
            json.member("targetDeliveryDomain", deliveryDomain)
            json.key("workloads")
            json.array { json in for workload in job.workloads { json.string(workload.wireName) } }
            json.key("users")
            json.array { json in
                for user in users {
                    json.object { json in
                        json.member("user", user.user.guid)
                        json.member("resource", user.resource.guid)
                    }
                }
            }
            json.key("missing")
            json.array { json in for text in missing { json.string(text) } }
        }
        return json.bytes
    }
}
