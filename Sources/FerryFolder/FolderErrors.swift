import FerryConnector
import FerryCore

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

// The one place where the file system's errors become a connector's: which code, and what the engine does next.
// `place` says where in words that are safe to show: a container, a printable file name, never content.

extension ConnectorError {
    /// One item of the source could not be listed or read; the pass goes on without it.
    static func sourceItem(_ error: SystemError, _ place: String) -> ConnectorError {
        switch error.number {
        case ENOENT, ENOTDIR, ESTALE:
            // The next pass lists it no more, so there is nothing to try again.
            ConnectorError(.sourceItemVanished, .skip, "\(place) went away while it was read.", underlying: error)
        case EACCES, EPERM:
            ConnectorError(
                .sourceForbidden, .skip,
                "\(place) cannot be read. Give the account that runs Ferry the right to read it.", underlying: error)
        case ELOOP:
            ConnectorError(
                .sourceNameUnusable, .skip,
                "\(place) is a symbolic link. Links are not followed; put the file itself there.", underlying: error)
        case EMFILE, ENFILE, ENOMEM, EINTR, EAGAIN:
            ConnectorError(
                .sourceItemUnreadable, .retry(after: nil), "\(place) cannot be opened just now: \(error.reason).",
                underlying: error)
        default:
            ConnectorError(
                .sourceItemUnreadable, .retry(after: nil),
                "\(place) cannot be read: \(error.reason). Check the disk it lies on.", underlying: error)
        }
    }

    /// A container or the person's root could not be read. Never taken for "empty", which would remove the copy.
    static func sourceContainer(_ error: SystemError, _ place: String) -> ConnectorError {
        switch error.number {
        case ENOENT, ENOTDIR:
            ConnectorError(.sourceNotFound, .failRun, "\(place) does not exist.", underlying: error)
        case EACCES, EPERM:
            ConnectorError(
                .sourceForbidden, .failRun,
                "\(place) cannot be read. Give the account that runs Ferry the right to read and enter it.",
                underlying: error)
        case ELOOP:
            ConnectorError(
                .sourceNameUnusable, .failRun, "\(place) is a symbolic link. Links are not followed.",
                underlying: error)
        default:
            ConnectorError(
                .sourceUnreachable, .retry(after: nil), "\(place) cannot be read: \(error.reason).",
                underlying: error)
        }
    }

    /// One item could not be written, or, by its disposition, no further item can.
    static func target(_ error: SystemError, _ place: String) -> ConnectorError {
        switch error.number {
        case ENOSPC, EDQUOT:
            ConnectorError(
                .targetFull, .hold, "There is no room left for \(place): \(error.reason). Make room, then retry.",
                underlying: error)
        case EACCES, EPERM, EROFS:
            ConnectorError(
                .targetForbidden, .failRun,
                "\(place) cannot be written: \(error.reason). Give the account that runs Ferry the right to.",
                underlying: error)
        case EFBIG:
            ConnectorError(
                .targetItemTooLarge, .skip, "\(place) is larger than the target's file system allows.",
                underlying: error)
        case ELOOP:
            ConnectorError(
                .targetNameRefused, .failRun, "\(place) is a symbolic link. Links are not followed.",
                underlying: error)
        case ENAMETOOLONG, EINVAL, EILSEQ, EISDIR, ENOTDIR:
            ConnectorError(
                .targetNameRefused, .skip, "The target's file system does not take \(place): \(error.reason).",
                underlying: error)
        default:
            ConnectorError(
                .targetUnreachable, .retry(after: nil), "\(place) cannot be written: \(error.reason).",
                underlying: error)
        }
    }

    /// Whether the rest of a batch may go on after this failure of one item.
    var concernsOneItemOnly: Bool { disposition == .skip }
}

extension SystemError {
    /// The system's words for the error, such as `No space left on device`.
    var reason: String {
        // glibc's buffer is the thread's own since 2.32.
        strerror(number).map { String(cString: $0) } ?? "error \(number)"
    }
}

/// Runs calls of the file-system layer, translating their errors.
func translating<Value>(
    _ translate: (SystemError) -> ConnectorError, _ body: () throws(SystemError) -> Value
) throws(ConnectorError) -> Value {
    do throws(SystemError) { return try body() } catch { throw translate(error) }
}
