#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Calls that the C library has and Swift's view of it has not.
enum SystemCalls {
    /// `syncfs(2)`: GNU, so hidden without `_GNU_SOURCE`. Where it is missing, `sync(2)` does the same for all disks.
    static func syncfs(_ descriptor: CInt) -> CInt {
        if let found { return found(descriptor) }
        sync()
        return 0
    }

    private static let found: (@convention(c) (CInt) -> CInt)? = {
        guard let address = dlsym(nil, "syncfs") else { return nil }
        // SAFETY: `int syncfs(int)` is what the manual page declares.
        return unsafeBitCast(address, to: (@convention(c) (CInt) -> CInt).self)
    }()
}

extension timespec {
    init(_ time: Timestamp) { self.init(tv_sec: Int(time.seconds), tv_nsec: Int(time.nanoseconds)) }

    /// `UTIME_OMIT`: leave this time as it is. A C macro with a cast, which Swift does not import.
    static let unchanged = timespec(tv_sec: 0, tv_nsec: (1 << 30) - 2)
    /// `UTIME_NOW`: the file system's present time.
    static let present = timespec(tv_sec: 0, tv_nsec: (1 << 30) - 1)
}

// Inside a type that has verbs of its own with these names, the plain ones are hidden.
func systemRead(_ descriptor: CInt, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    read(descriptor, buffer, count)
}

func systemWrite(_ descriptor: CInt, _ buffer: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, buffer, count)
}
