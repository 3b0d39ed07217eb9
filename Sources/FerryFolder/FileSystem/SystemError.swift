#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// A system call that failed. Says nothing about sides or dispositions: `FolderErrors.swift` translates it.
struct SystemError: Error, Hashable, Sendable {
    /// `errno` right after the call.
    let number: CInt
    /// The call in one word, for developers: `open`, `rename`.
    let call: String

    init(_ number: CInt, _ call: String) {
        self.number = number
        self.call = call
    }

    /// What the last call on this thread left in `errno`.
    static func last(_ call: String) -> SystemError { SystemError(errno, call) }

    /// The name, or a directory on the way to it, does not exist.
    var isAbsence: Bool { number == ENOENT || number == ENOTDIR }
    /// A symbolic link where `O_NOFOLLOW` forbids one.
    var isSymbolicLink: Bool { number == ELOOP }
}

/// Repeats a call that a signal interrupted and turns its -1 into an error.
@discardableResult
func checked<Result: SignedInteger>(_ call: String, _ body: () -> Result) throws(SystemError) -> Result {
    while true {
        let result = body()
        if result >= 0 { return result }
        if errno != EINTR { throw .last(call) }
    }
}
