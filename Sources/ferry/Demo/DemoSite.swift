import FerryCore
import FerryFormats
import FoundationEssentials

/// The folder of a demo: empty at first, then made by one, which a marker says.
struct DemoSite: Sendable {
    /// Without a final slash.
    let root: String
    let tenants: DemoTenants

    /// What the marker says: enough to make the same content again.
    private struct Marker: Codable {
        var people: Int
        var seed: UInt64
        /// RFC 3339; the content ends there.
        var made: String
        /// Absent where everything lies in folders.
        var places: DemoPlaces?
    }

    private static let markerName = ".ferry-demo"

    /// Makes the tenants, or goes on with those that are there, whose data stay where they are. Blocking: nothing else runs
    /// yet.
    ///
    /// - Parameter places: asked only when the tenants are made.
    static func prepare(
        directory: String, people: Int, seed: UInt64, places: () throws -> DemoPlaces = { DemoPlaces() },
        resume: Bool
    ) throws -> DemoSite {
        let root = directory.count > 1 && directory.hasSuffix("/") ? String(directory.dropLast()) : directory
        let markerPath = "\(root)/\(markerName)"
        let names = try LocalFile.names(in: root) ?? []
        let isOurs = names.contains(markerName)
        if !names.isEmpty, !isOurs {
            throw Complaint(
                "\(root) is not empty and was not made by ferry demo. Name a new folder with --directory.",
                status: .refused)
        }
        if isOurs, !resume {
            throw Complaint(
                "\(root) has a demo already. Go on with it: --resume. Or begin anew: remove it, or name another folder with "
                    + "--directory.", status: .refused)
        }
        if resume, !isOurs {
            throw Complaint("\(root) has no demo to go on with. Leave --resume out to begin one.", status: .refused)
        }
        let marker: Marker
        if isOurs {
            guard let found = try? JSONDecoder().decode(Marker.self, from: Data(LocalFile.contents(of: markerPath)))
            else {
                throw Complaint("\(markerPath) is damaged. Remove \(root) and begin anew.", status: .refused)
            }
            marker = found
        } else {
            var fresh = Marker(people: people, seed: seed, made: RFC3339.format(SystemEffects.now()))
            fresh.places = try places()
            marker = fresh
            try LocalFile.makeFolder(root)
            try LocalFile.write(Array(try JSONEncoder().encode(marker)), to: markerPath)
        }
        guard let made = RFC3339.parse(marker.made) else {
            throw Complaint("\(markerPath) is damaged. Remove \(root) and begin anew.", status: .refused)
        }
        let tenants = DemoTenants(
            people: marker.people, seed: marker.seed, now: made, places: marker.places ?? DemoPlaces())
        let site = DemoSite(root: root, tenants: tenants)
        // The configuration is written last: without it the content is not complete.
        if !LocalFile.exists("\(root)/ferry.yaml") { try site.write(people: marker.people) }
        return site
    }

    private func write(people: Int) throws {
        let output = Terminal.output
        output.print("Making two tenants with \(JobCard.people(people)) in \(root) …")
        if !tenants.places.ports.isEmpty {
            let secret = SystemEffects.makeGUID().description + "\n"
            try LocalFile.write(Array(secret.utf8), to: "\(root)/\(DemoPlaces.secretFile)", mode: 0o600)
        }
        let writer = DemoWriter(root: root)
        var files = 0
        var bytes: Int64 = 0
        try tenants.write { file in
            try writer.write(file)
            if case .bytes(let content) = file.content {
                files += 1
                bytes += Int64(content.count)
            }
        }
        output.print("  \(Quantity.count(Int64(files))) files, \(Quantity.bytes(bytes))")
    }
}
