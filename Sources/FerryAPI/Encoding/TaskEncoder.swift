package import FerryCore

/// User tasks on the wire.
package enum TaskEncoder {
    /// One user (operation 10).
    package static func entity(
        _ task: UserTask, selection: Selection<TaskMember>, as representation: Representation
    ) -> [UInt8] {
        var json = JSONWriter(capacity: 1_024)
        json.object { json in
            if representation.metadata != .none {
                json.member("@odata.context", context(task.job, selection, representation.links) + "/$entity")
            }
            members(of: task, selection, representation, into: &json)
        }
        return json.bytes
    }

    /// A page of users (operation 9).
    package static func list(
        _ tasks: [UserTask], of job: JobID, count: Int?, nextLink: String?, selection: Selection<TaskMember>,
        as representation: Representation
    ) -> [UInt8] {
        var json = JSONWriter(capacity: 512 + 512 * tasks.count)
        json.collection(
            context: representation.metadata == .none ? nil : context(job, selection, representation.links),
            count: count, nextLink: nextLink
        ) { json in
            for task in tasks { json.object { members(of: task, selection, representation, into: &$0) } }
        }
        return json.bytes
    }

    /// Some of the users that stand in a job that is written in pieces.
    package static func elements(
        _ tasks: [UserTask], isFirst: Bool, selection: Selection<TaskMember>, as representation: Representation
    ) -> [UInt8] {
        var json = JSONWriter(capacity: 512 * (tasks.count + 1))
        json.array { json in
            for task in tasks { json.object { members(of: task, selection, representation, into: &$0) } }
        }
        return json.elements(isFirst: isFirst)
    }

    private static func context(_ job: JobID, _ selection: Selection<TaskMember>, _ links: Links) -> String {
        let names = selection.names.map { "(\($0.joined(separator: ",")))" } ?? ""
        return links.context("\(Links.collection)('\(job)')/users\(names)")
    }

    static func members(
        of task: UserTask, _ selection: Selection<TaskMember>, _ representation: Representation,
        into json: inout JSONWriter
    ) {
        if representation.metadata == .full {
            let address = "\(representation.links.canonicalJob(task.job))/users('\(task.person)')"
            json.member("@odata.type", Schema.annotation(Schema.Name.task))
            json.member("@odata.id", address)
            json.member("@odata.editLink", address)
        }
        json.member("id", task.person.guid)
        if selection.includes(.taskType) { json.member("taskType", WireText.users) }
        if selection.includes(.lastUpdatedDateTime) { json.member("lastUpdatedDateTime", task.updated) }
        guard selection.includes(.currentStatus) else { return }
        json.key("currentStatus")
        json.array { json in for run in task.runs { status(of: run, into: &json) } }
    }

    /// `crossTenantMigrationServiceStatusDetails`. A finding's inner cause goes where machines look for it.
    private static func status(of run: WorkloadRun, into json: inout JSONWriter) {
        json.object { json in
            json.member("service", run.id.workload.wireName)
            json.member("status", run.status.wireName)
            json.member("message", run.message)
            json.key("errors")
            json.array { json in
                for finding in run.findings {
                    json.object { json in
                        json.member("code", finding.code.rawValue)
                        json.member("message", finding.message)
                        guard finding.reason != nil || finding.object != nil else { return }
                        json.key("innerError")
                        json.object { json in
                            if let reason = finding.reason { json.member("code", reason) }
                            if let object = finding.object { json.member("object", object) }
                            json.member("remedy", finding.remedy)
                        }
                    }
                }
            }
        }
    }
}
