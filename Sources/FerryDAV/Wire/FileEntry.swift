import FerryConnector
import FerryCore
import FerryFormats

/// A file or folder as a listing has it.
struct FileEntry: Sendable, Hashable {
    var name: String
    var isFolder: Bool
    /// Bytes; 0 for folders.
    var size: Int64 = 0
    /// Without quotes and without `W/`; `nil` where the server has none.
    var tag: String?
    /// Whole seconds (RFC 4918 section 15.7).
    var modified: Instant?
    /// Apache's property of that name.
    var isExecutable = false

    static let executable = "http://apache.org/dav/props/ executable"

    /// The body of a PROPFIND that asks for all that makes an entry.
    static let request =
        #"<?xml version="1.0" encoding="utf-8"?><D:propfind xmlns:D="DAV:"><D:prop><D:resourcetype/>"#
        + #"<D:getcontentlength/><D:getetag/><D:getlastmodified/>"#
        + #"<A:executable xmlns:A="http://apache.org/dav/props/"/></D:prop></D:propfind>"#

    init(_ response: DAVResponse, name: String) {
        self.name = name
        isFolder = response.property("DAV: resourcetype")?.children.contains { $0.name == "DAV: collection" } ?? false
        if let text = response.property("DAV: getlastmodified")?.text { modified = InternetDate.parse(text.utf8) }
        if isFolder { return }
        size = response.property("DAV: getcontentlength").flatMap { Int64($0.text.trimmingBlanks) } ?? 0
        tag = response.property("DAV: getetag").flatMap { Self.tag($0.text) }
        isExecutable = response.property(Self.executable)?.text == "T"
    }

    /// The part of an entity tag that says something (RFC 9110 section 8.8.3). A weak tag counts as well: Apache's are
    /// weak while the file is younger than a second and strong, with the same words, ever after.
    static func tag(_ text: String) -> String? {
        var tag = text.trimmingBlanks[...]
        if tag.hasPrefix("W/") { tag = tag.dropFirst(2) }
        if tag.count >= 2, tag.hasPrefix("\""), tag.hasSuffix("\"") { tag = tag.dropFirst().dropLast() }
        return tag.isEmpty ? nil : String(tag)
    }

    /// Files: all that a change of content changes, and the right to execute. Folders: the time.
    var version: ItemVersion {
        var hasher = VersionHasher()
        hasher.combine(isFolder ? 1 : 0 as Int64)
        hasher.combine(size)
        hasher.combine(tag ?? "")
        hasher.combine(modified?.seconds ?? .min)
        hasher.combine(isExecutable ? 1 : 0 as Int64)
        return hasher.finish()
    }

    /// `path` is the whole of it, below the person's root.
    func header(_ path: String) -> ItemHeader {
        let metadata = FileMetadata(modified: modified ?? Instant(seconds: 0), isExecutable: isExecutable)
        return ItemHeader(
            key: ItemKey(name: path), version: version, name: path, size: size,
            metadata: isFolder ? .fileFolder(metadata) : .file(metadata))
    }
}

extension String {
    var trimmingBlanks: String {
        func isBlank(_ scalar: Unicode.Scalar) -> Bool { scalar == " " || (0x09...0x0D).contains(scalar.value) }
        let scalars = unicodeScalars.drop(while: isBlank)
        let end = scalars.lastIndex { !isBlank($0) }.map { scalars.index(after: $0) } ?? scalars.startIndex
        return String(scalars[..<end])
    }
}
