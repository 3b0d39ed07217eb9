import FerryStore
import GRDB

extension StoreError {
    /// What an error of SQLite or GRDB means for the caller, and how to mend it.
    init(translating error: any Error) {
        if let error = error as? StoreError {
            self = error
            return
        }
        guard let error = error as? DatabaseError else {
            self = .unusable("the store failed: \(error)")
            return
        }
        // Not `error.description`: that one quotes the statement's values.
        let message = error.message ?? "no message"
        switch error.resultCode {
        case .SQLITE_FULL:
            self = .unavailable(
                "no room is left for the store (\(message)); free disk space, then it goes on by itself")
        case .SQLITE_IOERR:
            self = .unavailable("the store's disk failed (\(message)); check the disk, the mount and the system's log")
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            self = .unavailable("another process locks the store (\(message)); end it (a shell or a backup, perhaps)")
        case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_READONLY, .SQLITE_AUTH:
            self = .unavailable(
                "the store's file cannot be opened for this (\(message)); the file and its directory must be writable")
        case .SQLITE_NOMEM, .SQLITE_INTERRUPT, .SQLITE_ABORT:
            self = .unavailable("the store gave up (\(message)); try again")
        case .SQLITE_CORRUPT:
            self = .unusable("the store is damaged (\(message)); restore it from a backup")
        case .SQLITE_NOTADB:
            self = .unusable("the file is not a database (\(message)); restore it from a backup, or name another file")
        default:
            self = .unusable(
                "the store refused a statement: \(message) (SQLite code \(error.extendedResultCode.rawValue))")
        }
    }

    /// A verb refused before it changed anything: the transaction may go on. All else ends it.
    var isRefusal: Bool {
        switch self {
        case .conflict, .duplicateName, .leaseLost: true
        case .unavailable, .unusable, .closed: false
        }
    }
}

/// Runs `body` and translates what it throws.
func translating<R>(_ body: () throws -> R) throws(StoreError) -> R {
    do {
        return try body()
    } catch {
        throw StoreError(translating: error)
    }
}
