/// What needs neither version nor token, each the only segment of its path.
package enum PublicResource: String, Sendable, Hashable, CaseIterable {
    /// The process answers.
    case health = "healthz"
    /// It can work: everything it needs answers too.
    case readiness = "readyz"
    /// The description of the whole API.
    case openAPI = "openapi.json"

    /// `nil` for every other path. Names compare exactly: they are not part of the Graph contract.
    package init?(segments: [String]) {
        guard segments.count == 1, let found = Self(rawValue: segments[0]) else { return nil }
        self = found
    }
}
