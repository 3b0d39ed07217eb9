/// `migrationsRoot` (operation 17): it has an id, and is the way to the jobs.
package enum RootEncoder {
    package static func root(_ selection: Selection<RootMember>, as representation: Representation) -> [UInt8] {
        var json = JSONWriter(capacity: 256)
        json.object { json in
            if representation.metadata != .none {
                let names = selection.names.map { "(\($0.joined(separator: ",")))" } ?? ""
                json.member("@odata.context", representation.links.context("solutions/migrations\(names)/$entity"))
            }
            json.member("id", "migrations")
        }
        return json.bytes
    }
}
