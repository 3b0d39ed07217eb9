package import FerryCore

/// What one FETCH response says about a message. Many responses may speak of the same message, each of a part.
package struct FetchedMessage: Sendable, Hashable {
    /// The number of the message in the mailbox when the response was sent.
    package var sequence: UInt32
    /// `nil` while not told; some servers tell it after the body, some leave it out of unsolicited responses.
    package var uid: UID?
    package var flags: MessageFlags?
    /// `nil` also for a date that is none.
    package var internalDate: Instant?
    package var size: UInt64?
    package var modSeq: UInt64?
    package var bodies: [FetchedBody] = []

    package init(sequence: UInt32) { self.sequence = sequence }
}

/// A part of a message's content in a FETCH response.
package struct FetchedBody: Sendable, Hashable {
    /// Which part.
    package enum Section: Sendable, Hashable {
        /// `BODY[]`, `RFC822`.
        case full
        /// `BODY[HEADER]`, `BODY[HEADER.FIELDS (…)]`, `RFC822.HEADER`.
        case header
        /// Anything else.
        case other
    }

    /// How the content came.
    package enum Content: Sendable, Hashable {
        /// NIL: the server has nothing to give.
        case missing
        /// A quoted string, short.
        case inline([UInt8])
        /// A literal of this many bytes, which came as `WireEvent.bytes`.
        case streamed(bytes: UInt64)
    }

    package var section: Section
    /// The first byte of a partial fetch; `nil` for a whole one.
    package var origin: UInt64?
    package var content: Content

    package init(section: Section, origin: UInt64? = nil, content: Content) {
        self.section = section
        self.origin = origin
        self.content = content
    }
}
