import FerryConnector
import FerryCore
import FerryFormats

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Freezing and redirecting a person's folder.
///
/// Frozen means that no directory may be written: nothing can be added, removed or renamed by anybody but root. The modes
/// from before are in `.ferry-frozen`, which is durable before the first mode changes and goes last when they are back, so
/// a crash in between leaves everything known that thawing needs.
struct FolderCustody: SourceCustody {
    private static let signature = "# Left by Ferry: this account has moved to"

    let root: Directory
    let place: String
    let markers: Markers

    // MARK: freezing

    func freeze() async throws(ConnectorError) {
        try await run { (root) throws(SystemError) in
            var record = try FrozenModes.load(from: root) ?? FrozenModes()
            var isComplete = true
            try root.forEachDirectory { (path, directory) throws(SystemError) in
                guard record.modes[path] == nil else { return }
                record.modes[path] = try directory.status().mode
                isComplete = false
            }
            if !isComplete {
                try Self.writable(root) { (root) throws(SystemError) in
                    try root.replaceContent(of: Markers.frozen, with: record.content)
                }
            }
            // The root last, so that an interrupted freeze can still complete its record.
            for (path, mode) in record.modes.sorted(by: { $0.key.count > $1.key.count }) {
                try root.directoryIfPresent(path)?.setMode(mode & ~0o222)
            }
            try root.syncFileSystem()
        }
    }

    func thaw() async throws(ConnectorError) {
        try await run { (root) throws(SystemError) in
            guard let record = try FrozenModes.load(from: root) else { return }
            for (path, mode) in record.modes.sorted(by: { $0.key.count < $1.key.count }) {
                try root.directoryIfPresent(path)?.setMode(mode)
            }
            // The modes first, then the record goes: the other way round a crash would leave a frozen folder for good.
            try root.syncFileSystem()
            try Self.writable(root) { (root) throws(SystemError) in
                try root.remove(Markers.frozen)
                try root.sync()
            }
        }
    }

    // MARK: redirecting

    func redirect(to address: String) async throws(ConnectorError) {
        guard Self.isPlainAddress(address) else {
            throw ConnectorError(
                .targetNameRefused, .failRun,
                "The person's new address cannot be written into a redirection: it is not a plain mail address.")
        }
        let text = Array("\(Self.signature)\n\(address)\n".utf8)
        try await run { [markers] (root) throws(SystemError) in
            try Self.writable(root) { (root) throws(SystemError) in
                if markers.forwards {
                    let present = try root.content(of: Markers.forward)
                    if let present, !Self.isOurs(present) {
                        try root.rename(Markers.forward, to: Markers.keptForward, in: root)
                    }
                    if present != text { try root.replaceContent(of: Markers.forward, with: text) }
                }
                let present = try root.content(of: markers.moved)
                if present == nil || present.map(Self.isOurs) == true, present != text {
                    try root.replaceContent(of: markers.moved, with: text)
                }
            }
        }
    }

    func removeRedirect() async throws(ConnectorError) {
        try await run { [markers] (root) throws(SystemError) in
            try Self.writable(root) { (root) throws(SystemError) in
                if try root.content(of: markers.moved).map(Self.isOurs) == true { try root.remove(markers.moved) }
                guard markers.forwards else { return try root.sync() }
                if try root.content(of: Markers.forward).map(Self.isOurs) == true { try root.remove(Markers.forward) }
                if try root.statusIfPresent(of: Markers.keptForward) != nil,
                    try root.statusIfPresent(of: Markers.forward) == nil
                {
                    try root.rename(Markers.keptForward, to: Markers.forward, in: root)
                }
                try root.sync()
            }
        }
    }

    /// Whether a cutover has begun here, or is over, and was not undone.
    static func hasMarked(_ root: Directory, with markers: Markers) throws(SystemError) -> Bool {
        if try root.statusIfPresent(of: Markers.frozen) != nil { return true }
        if markers.forwards, try root.content(of: Markers.forward).map(isOurs) == true { return true }
        return try root.content(of: markers.moved).map(isOurs) == true
    }

    private static func isOurs(_ content: [UInt8]) -> Bool { content.starts(with: signature.utf8) }

    /// Nothing that a mail server would take for more than an address: no list, no file, no command, no inclusion.
    private static func isPlainAddress(_ address: String) -> Bool {
        guard let first = address.unicodeScalars.first, !"|/:\\\"-#~".unicodeScalars.contains(first) else {
            return false
        }
        let parts = address.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty, address.utf8.count <= 320 else { return false }
        return address.unicodeScalars.allSatisfy { scalar in
            scalar.value > 0x20 && !(0x7F...0x9F).contains(scalar.value)
                && !",;|\\\"<>()`$".unicodeScalars.contains(scalar)
        }
    }

    // MARK: rights

    private func run(_ body: @escaping @Sendable (Directory) throws(SystemError) -> Void) async throws(ConnectorError) {
        try await Disk.run { [root, place] () throws(ConnectorError) in
            try translating({ Self.error($0, place) }) { () throws(SystemError) in try body(root) }
        }
    }

    private static func error(_ error: SystemError, _ place: String) -> ConnectorError {
        switch error.number {
        case EACCES, EPERM, EROFS, EISDIR, EINVAL, ELOOP:
            ConnectorError(
                .sourceForbidden, .hold,
                "\(place) cannot be frozen or redirected: \(error.reason). It has to belong to the account that runs"
                    + " Ferry, and '.forward', '.ferry-frozen' and 'MOVED' must not be directories or links.",
                underlying: error)
        default:
            .sourceContainer(error, place)
        }
    }

    /// Runs `body` with a root that may be written, also when it is frozen.
    private static func writable(
        _ root: Directory, _ body: (Directory) throws(SystemError) -> Void
    ) throws(SystemError) {
        let mode = try root.status().mode
        if mode & 0o200 != 0 { return try body(root) }
        try root.setMode(mode | 0o200)
        do throws(SystemError) { try body(root) } catch {
            try root.setMode(mode)
            throw error
        }
        try root.setMode(mode)
    }
}

/// The modes of all directories of a person's folder, by path; the folder itself is the empty path.
///
/// On disk one line each, `750 name/name`, names in hexadecimal, because they may hold any byte.
private struct FrozenModes {
    var modes: [[FileName]: mode_t] = [:]

    init() {}

    static func load(from root: Directory) throws(SystemError) -> FrozenModes? {
        // A person with a hundred thousand folders still fits.
        guard let content = try root.content(of: Markers.frozen, limit: 64 << 20) else { return nil }
        var record = FrozenModes()
        for line in content.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: " "))
            guard let text = fields.first, let mode = mode_t(String(decoding: text, as: UTF8.self), radix: 8) else {
                throw SystemError(EINVAL, "read")
            }
            var path = [FileName]()
            for name in (fields.count > 1 ? fields[1] : []).split(separator: UInt8(ascii: "/")) {
                guard let name = ContainerName.directory("%" + String(decoding: name, as: UTF8.self)) else {
                    throw SystemError(EINVAL, "read")
                }
                path.append(name)
            }
            record.modes[path] = mode
        }
        return record
    }

    var content: [UInt8] {
        modes.sorted { $0.key.lexicographicallyPrecedes($1.key) }.flatMap { path, mode in
            let names = path.map {
                $0.bytes.flatMap { [Hexadecimal.character($0 >> 4), Hexadecimal.character($0 & 0xF)] }
            }
            return Array("\(String(mode, radix: 8)) ".utf8) + names.joined(separator: [UInt8(ascii: "/")])
                + [UInt8(ascii: "\n")]
        }
    }
}

extension Directory {
    /// This directory and all below it, links not followed; parents before children.
    fileprivate func forEachDirectory(
        at path: [FileName] = [], _ body: ([FileName], Directory) throws(SystemError) -> Void
    ) throws(SystemError) {
        try body(path, self)
        for name in try names() where try statusIfPresent(of: name)?.kind == .directory {
            try directory(name).forEachDirectory(at: path + [name], body)
        }
    }

    fileprivate func directoryIfPresent(_ path: [FileName]) throws(SystemError) -> Directory? {
        do { return try directory(path) } catch  where error.isAbsence { return nil }
    }
}
