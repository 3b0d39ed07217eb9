package import FerryCore

/// `crossTenantMigrationCancelResponse` (reference 2.6, 4.5).
package enum CancelEncoder {
    /// The job's answer carries the job's key and name besides the type's two members, as the sample does.
    package static func job(_ job: Job, as representation: Representation) -> [UInt8] {
        var json = JSONWriter(capacity: 512)
        json.object { json in
            if representation.metadata != .none {
                json.member(
                    "@odata.context", representation.links.context(Schema.qualified(Schema.Name.cancelResponse))
                )
            }
            json.member("id", job.id.guid)
            json.member("displayName", job.displayName)
            json.member("status", job.status.wireName)
            json.key("message")
            json.string(joining: "The cancellation request for batch ", job.id.description, " was accepted.")
        }
        return json.bytes
    }

    /// One user's answer has the type's two members only; its status is the word `Accepted`, not a state.
    package static func person(_ person: PersonID, of job: Job) -> [UInt8] {
        var json = JSONWriter(capacity: 256)
        json.object { json in
            json.member("status", "Accepted")
            json.key("message")
            json.string(
                joining: "The cancellation request for user ", person.description, " in batch ", job.id.description,
                " was accepted.")
        }
        return json.bytes
    }
}
