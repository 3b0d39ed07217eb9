import FerryCore

/// One thing that the generator makes.
struct DemoFile: Hashable, Sendable {
    enum Content: Hashable, Sendable {
        case folder
        case bytes([UInt8])
    }

    /// Relative to the demo's folder, with `/`.
    var path: String
    var content: Content
    /// The file system's modification time; `nil` leaves it as it comes.
    var modified: Instant?
    var isExecutable = false

    init(_ path: String, _ content: Content, modified: Instant? = nil, isExecutable: Bool = false) {
        self.path = path
        self.content = content
        self.modified = modified
        self.isExecutable = isExecutable
    }

    init(_ path: String, text: String, modified: Instant? = nil, isExecutable: Bool = false) {
        self.init(path, .bytes(Array(text.utf8)), modified: modified, isExecutable: isExecutable)
    }
}

/// Where generated files go: the disk, or a test's digest.
typealias DemoSink = (DemoFile) throws -> Void
