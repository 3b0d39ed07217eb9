import FerryConnector
import FerryCore

/// An item that is due, with what is known of it.
struct CopyItem: Sendable {
    /// As it is given to the target.
    var header: ItemHeader
    /// What became of it in an earlier pass; `nil` for an item that was never seen.
    var previous: ItemOutcome?
    /// Content bytes at the source; differs from the header's size once the content was rewritten.
    var sourceSize: Int64

    init(_ header: ItemHeader, previous: ItemOutcome?) {
        self.header = header
        self.previous = previous
        sourceSize = header.size
    }
}

/// An item's outcome, and why, where it is not `copied` or something was lost on the way.
struct Decision: Sendable {
    var item: CopyItem
    var outcome: ItemOutcome
    /// `nil` where there is nothing to report.
    var error: ConnectorError?
    /// Where the target has the copy now, if it says so.
    var place: ItemPlace?
}

/// What the source side hands to the target side, in order.
enum CopyBatch: Sendable {
    /// Write these; the reader yields their contents.
    case write([CopyItem], any CopyBodies)
    /// Change the metadata of these; their contents are known to be unchanged.
    case update([CopyItem])
    /// Nothing to write: these were decided by looking at them.
    case record([Decision])
    /// Send back what could not be updated since the last such request, to be written anew.
    case returnLeftovers
}

extension ItemMetadata {
    /// The content never changes under one key, so a new version means new metadata (IMAP: RFC 3501 section 2.3.1.1).
    var hasConstantContent: Bool {
        if case .message = self { true } else { false }
    }
}

extension ConnectorError {
    /// What an error about one item makes of that item; throws the error where it stops the whole run.
    func outcome() throws(ConnectorError) -> ItemOutcome {
        switch disposition {
        case .skip: .skipped
        case .retry: .failed
        case .failRun, .hold, .cancelled: throw self
        }
    }
}
