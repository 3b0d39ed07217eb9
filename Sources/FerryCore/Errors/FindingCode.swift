/// placeholder: H1 replaces
package enum FindingCode: String, Sendable, Hashable, CaseIterable {
    case moveFailed = "MIGR-003"
}
