import FerryConnector
import FerryCore

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Where a person's data of one service lies: `ROOT/LOGIN`.
struct PersonRoot: Sendable {
    /// The connector's root, named by the administrator; ends without `/`.
    let parent: String
    let login: FileName

    /// Refuses logins that are not one safe path component: they come from a directory that others may write.
    init(parent: String, login: String) throws(ConnectorError) {
        guard let name = FileName(login), !name.hasPrefix(".ferry-") else {
            throw ConnectorError(
                .sourceNameUnusable, .failRun,
                "The login of this person cannot be the name of a folder: it is empty, '.', '..', too long, or has a"
                    + " '/' or a NUL. Correct it in the tenant's list of people.")
        }
        self.parent = parent
        self.login = name
    }

    var place: String { "The folder '\(login)' below '\(parent)'" }

    /// Opens the person's folder for reading.
    func open() throws(ConnectorError) -> Directory {
        try translating({ .sourceContainer($0, place) }) { () throws(SystemError) in
            try Directory(configured: parent).directory(login)
        }
    }

    /// Opens the person's folder for writing, creating it where it is missing. The connector's own root has to be there:
    /// a missing one is more likely a disk that is not mounted.
    func openCreating() throws(ConnectorError) -> Directory {
        let root: Directory
        do throws(SystemError) { root = try Directory(configured: parent) } catch {
            if error.isAbsence {
                throw ConnectorError(
                    .targetUnreachable, .hold,
                    "The folder '\(parent)' does not exist. Create it, or mount the disk it belongs to.",
                    underlying: error)
            }
            throw .target(error, "The folder '\(parent)'")
        }
        return try translating({ .target($0, place) }) { () throws(SystemError) in
            try root.directory(creating: login)
        }
    }

    /// What a move would meet here; changes nothing. `count` counts the items of an existing folder.
    func probe(
        as role: AccountRole, counting count: (Directory) throws(SystemError) -> Int64
    ) -> AccountFacts {
        let missing = AccountFacts(exists: false, isReadable: false, isWritable: false, isEmpty: true)
        let root: Directory
        do throws(SystemError) { root = try Directory(configured: parent) } catch {
            var facts = missing
            facts.remark = "The folder '\(parent)' cannot be opened: \(error.reason)."
            return facts
        }
        let room = role == .target ? try? root.roomBytes() : nil
        do throws(SystemError) {
            let own = try root.directory(login)
            var facts = AccountFacts(
                exists: true, isReadable: own.allows(R_OK | X_OK), isWritable: own.allows(W_OK | X_OK), isEmpty: true,
                roomBytes: room)
            if role == .source, !facts.isReadable { facts.remark = "\(place) may not be read." }
            if role == .target, !facts.isWritable { facts.remark = "\(place) may not be written." }
            do throws(SystemError) {
                let items = try count(own)
                facts.items = items
                facts.isEmpty = items == 0
            } catch {
                facts.isReadable = false
                facts.isEmpty = false
                facts.remark = "\(place) cannot be read through: \(error.reason)."
            }
            return facts
        } catch {
            var facts = missing
            facts.roomBytes = room
            if error.isAbsence {
                facts.isWritable = root.allows(W_OK | X_OK)
                if role == .source { facts.remark = "\(place) does not exist." }
                if role == .target, !facts.isWritable { facts.remark = "The folder '\(parent)' may not be written." }
            } else {
                facts.exists = true
                facts.isEmpty = false
                facts.remark = "\(place) cannot be opened: \(error.reason)."
            }
            return facts
        }
    }
}
