/// Limits of what is taken into memory as a whole.
package enum ContentLimits {
    /// The largest calendar object, contact or event that is rewritten. The functions of `Rewriting/` take objects of
    /// any size; it is for who collects a body, before there is one. Calendars with attachments inside stay below in
    /// practice.
    package static let maximumObjectBytes = 16 << 20
    /// How much of a message is searched for its header fields. Larger headers exist in abuse only.
    package static let maximumHeaderBytes = 64 << 10
    /// Nesting of JSON that is followed. Matrix's canonical JSON sets no limit; events nest less than ten levels.
    package static let maximumJSONDepth = 256
}
