/// Something that is wrong with a person's workload, or kept one of its items from moving.
package struct Finding: Error, Sendable, Hashable, Codable {
    /// Microsoft's code where there is one.
    package var code: FindingCode
    /// What, where and how to mend it, in one or two sentences. No contents, no secrets.
    package var message: String
    /// The inner cause behind an umbrella code, such as `targetNotEmpty`; machine readable, lower camel case.
    package var reason: String?
    /// What it is about: a container, a path, an endpoint's name.
    package var object: String?

    package init(code: FindingCode, message: String, reason: String? = nil, object: String? = nil) {
        self.code = code
        self.message = message
        self.reason = reason
        self.object = object
    }

    /// What to do about it in general, in a sentence: that of the inner cause, where there is one. The message says it for
    /// this very case.
    package var remedy: String {
        reason.flatMap { FindingReason(rawValue: $0)?.entry.remedy ?? ErrorCode(rawValue: $0)?.entry.remedy }
            ?? code.entry.remedy
    }

    /// With a reason that machines can read.
    package init(_ code: FindingCode, _ reason: FindingReason, object: String? = nil, _ message: String) {
        self.init(code: code, message: message, reason: reason.rawValue, object: object)
    }
}
