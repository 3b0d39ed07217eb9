import FerryConnector
import FerryCore
import FerryFormats
import FerryHTTP

/// What one folder holds, by a PROPFIND of depth 1.
struct FolderListing: Sendable {
    /// In byte order of their names.
    var entries: [FileEntry] = []
    /// What is there and cannot be an item.
    var problems: [ItemPage.Problem] = []
    /// The server's clock when it answered.
    var date: Instant?
    var exists = true

    /// Bytes of a path that other systems can still open (PATH_MAX of Linux).
    static let longestPath = 4_096
}

extension DAVSession {
    /// Lists a folder below the person's root. `exists` is false when it is gone; any other refusal is thrown.
    func list(_ folder: DAVPath) async throws(ConnectorError) -> FolderListing {
        var listing = FolderListing()
        let own = root.appending(folder)
        let head = try await propfind(folder, depth: 1, FileEntry.request) { (response) throws(ConnectorError) in
            let path: DAVPath
            do throws(DAVPath.Trouble) { path = try DAVPath(href: response.href) } catch {
                listing.problems.append(Self.problem(response.href, error))
                return
            }
            if path == own { return }
            guard path.parent == own, let name = path.names.last else {
                throw ConnectorError(
                    side == .source ? .sourceUnreachable : .targetUnreachable, .failRun,
                    "The server lists resources under another address than it was asked at. Write the address that it"
                        + " uses into the configuration.")
            }
            if folder.names.isEmpty, name.hasPrefix(Self.reserved) { return }
            let entry = FileEntry(response, name: name)
            guard folder.appending(name).text.utf8.count <= FolderListing.longestPath else {
                listing.problems.append(
                    ItemPage.Problem(
                        name: folder.appending(name).text.printable(limit: 400),
                        error: ConnectorError(
                            .sourceNameUnusable, .skip,
                            "The path '\(folder.appending(name).text.printable(limit: 120))…' has more than"
                                + " \(FolderListing.longestPath) bytes. Shorten it; if it is a folder, nothing in it"
                                + " has moved either.")))
                return
            }
            listing.entries.append(entry)
        }
        switch head.status {
        case 207: break
        case 404, 410:
            listing.exists = false
            return listing
        default:
            throw side.folder(
                head, folder.names.isEmpty ? "The person's folder" : "'\(folder.text.printable(limit: 400))'")
        }
        listing.date = head["Date"].flatMap { InternetDate.parse($0.utf8) }
        listing.entries.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        return listing
    }

    /// How names at the top begin that are Ferry's own.
    static let reserved = ".ferry-"

    private static func problem(_ href: String, _ trouble: DAVPath.Trouble) -> ItemPage.Problem {
        let shown = href.printable(limit: 400)
        let reason =
            trouble == .notText
            ? "is not UTF-8, so other systems cannot know it" : "has parts that could lead out of the person's folder"
        return ItemPage.Problem(
            name: shown,
            error: ConnectorError(
                .sourceNameUnusable, .skip,
                "The name '\(shown)' \(reason). Rename it; if it is a folder, nothing in it has moved either."))
    }
}
