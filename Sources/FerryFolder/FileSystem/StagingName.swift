import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Names of files that are not finished yet: `.ferry-tmp.PROCESS.NUMBER`.
///
/// A crash leaves some behind; whoever opens the directory as a target next removes them. They are never items.
enum StagingName {
    private static let counter = Atomic<UInt64>(0)
    private static let process = getpid()

    /// A name that no other file of this process has had. Another process that holds the directory has another number;
    /// should an old one's leftover have the same name, `O_EXCL` makes the clash an error and not a mix-up.
    static func next() -> FileName {
        let number = counter.wrappingAdd(1, ordering: .relaxed).newValue
        guard let name = FileName(".ferry-tmp.\(process).\(number)") else { preconditionFailure("It is short.") }
        return name
    }

    static func isStaging(_ name: FileName) -> Bool { isStaging(name.bytes) }

    static func isStaging(_ name: ArraySlice<UInt8>) -> Bool {
        name.starts(with: ".ferry-tmp.".utf8) || name.starts(with: "ferry-tmp.".utf8)
    }
}

extension Directory {
    /// Removes what interrupted writes left here.
    func removeLeftovers() throws(SystemError) {
        for name in try names() where StagingName.isStaging(name) {
            // A directory of such a name is somebody's own.
            if try statusIfPresent(of: name)?.kind == .file { try remove(name) }
        }
    }
}
