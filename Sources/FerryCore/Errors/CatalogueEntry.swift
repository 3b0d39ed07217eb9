/// What one code means and what to do about it.
package struct CatalogueEntry: Sendable, Hashable {
    /// The code as it travels on the wire.
    package var code: String
    package var retryClass: RetryClass
    /// What has happened, in a sentence.
    package var meaning: String
    /// Who can mend it and how, in a sentence.
    package var remedy: String
    /// Workloads at which it can appear.
    package var services: [Workload]

    package init(
        code: String, retryClass: RetryClass, meaning: String, remedy: String, services: [Workload] = Workload.allCases
    ) {
        self.code = code
        self.retryClass = retryClass
        self.meaning = meaning
        self.remedy = remedy
        self.services = services
    }
}

/// Whether trying again makes sense.
package enum RetryClass: String, Sendable, Hashable, CaseIterable {
    /// Mend the cause, then call migrate again.
    case fix
    /// Call migrate again as it is; it may have been bad luck.
    case retry
    /// Nothing to do.
    case nothing
    /// Cannot be moved this way; somebody has to think.
    case support
    /// Mend the cause, then call validate again.
    case validateAgain

    /// For the reader of the documentation.
    package var text: String {
        switch self {
        case .fix: "fix, then retry"
        case .retry: "retry"
        case .nothing: "nothing to do"
        case .support: "cannot be retried"
        case .validateAgain: "fix, then validate"
        }
    }
}
