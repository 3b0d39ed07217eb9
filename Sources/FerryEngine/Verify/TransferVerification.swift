package import FerryCore

/// What a comparison of both sides found: the manifest that the administrator keeps.
package struct TransferVerification: Sendable, Hashable {
    /// One pair of containers with the same path.
    package struct ContainerResult: Sendable, Hashable {
        package var service: ServiceKind
        /// Names from the top level down.
        package var path: [String]
        /// Items that the source lists.
        package var sourceItems: Int64 = 0
        /// Items that the target lists, but for those that belong to another workload.
        package var targetItems: Int64 = 0
        /// Items with the same content and metadata on both sides.
        package var identical: Int64 = 0
        /// At the source only.
        package var missing: Int64 = 0
        /// At the target only, in a container that Ferry filled: second copies, or things that nobody else should put there.
        package var unexpected: Int64 = 0
        /// On both sides, with other content or metadata.
        package var differing: Int64 = 0
        /// At the source only, because they can never move; each has been reported by the copier.
        package var skipped: Int64 = 0
        /// At the source only, because another workload moves them.
        package var elsewhere: Int64 = 0
        /// Mail at the target only, with contents that the source does not have: it arrived there. Not a difference.
        package var foreign: Int64 = 0

        package init(service: ServiceKind, path: [String]) {
            self.service = service
            self.path = path
        }
    }

    /// One item that is not the same on both sides.
    package struct Difference: Sendable, Hashable {
        /// `verify.missing`, `verify.unexpected` or `verify.differs`.
        package var code: ErrorCode
        package var service: ServiceKind
        package var path: [String]
        /// The name of the item on the side that has it; empty when it is about the container itself.
        package var item: String
        /// What was compared and what came out, in words.
        package var message: String

        package init(code: ErrorCode, service: ServiceKind, path: [String], item: String, message: String) {
            self.code = code
            self.service = service
            self.path = path
            self.item = item
            self.message = message
        }
    }

    /// In the order of the source's containers.
    package var containers: [ContainerResult] = []
    /// The first differences; `differenceCount` says how many there are.
    package var differences: [Difference] = []
    package var differenceCount: Int64 = 0
    /// Bytes of content that were read and hashed, on both sides together.
    package var bytesHashed: Int64 = 0

    /// Services beside mail whose target writes anew what it is given.
    package var rewriting: Set<ServiceKind> = []

    package init() {}

    /// Everything that was to move is there, once, with the same content and metadata.
    package var isIdentical: Bool { differenceCount == 0 }

    /// Messages that are there, once, but not quite as they were, and objects of targets that write them anew; 0 unless
    /// that is all that differs.
    ///
    /// Mail never changes under its name, and servers have ways of their own with some of it (a date in the future, a NUL,
    /// 8-bit letters in a header), so copying it again gives the same again. So it is with objects that a server of
    /// calendars or contacts takes apart and cannot put together as they were.
    package var alteredMessages: Int64 {
        let altered = containers.lazy.filter { $0.service == .mail || rewriting.contains($0.service) }
            .reduce(0) { $0 + $1.differing }
        return altered == differenceCount ? altered : 0
    }
}
