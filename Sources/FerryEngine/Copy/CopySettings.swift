/// How the copier paces itself. The defaults suit a small installation; none of them changes what is copied.
package struct CopySettings: Sendable, Hashable {
    /// How long writing one batch should take. Shorter: more commits; longer: more is done again after a crash.
    package var batchTime: Duration = .milliseconds(750)
    /// No batch grows beyond so many items.
    package var largestBatchItems = 4096
    /// No batch grows beyond so many bytes, but for a single item that is larger.
    package var largestBatchBytes: Int64 = 64 << 20
    /// Bytes that may be read from the source before the target asks for them.
    package var readAheadBytes = 4 << 20
    /// The largest object that is rewritten (an event, a contact, a chat event), since those are held in memory as a
    /// whole. Larger ones are skipped and reported.
    package var maximumObjectBytes: Int64 = 16 << 20
    /// Items removed at the target per call and commit.
    package var removalItems = 1000
    /// So many containers of a person are gone through at once, where source and target can have several sessions.
    package var containersAtOnce = 4
    /// A first pass counts all items on a second session while it copies, so that its end can be estimated.
    package var countsAhead = true

    package init() {}
}
