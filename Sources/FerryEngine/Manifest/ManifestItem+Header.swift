import FerryConnector
import FerryCore
import FerryFormats

extension ManifestItem {
    /// What a verification saw of an item. `moved`: the digest of what the target is to have.
    init(
        _ header: ItemHeader, size: Int64, content: ContentDigest, moved: ContentDigest?, place: ItemPlace?,
        excuse: Census.Excuse
    ) {
        self.init(
            kind: Kind(header.metadata), name: header.name, key: header.key, size: size, content: content, moved: moved,
            place: place,
            excuse: excuse.outcome)
    }

    /// The item as a listing shows it, as far as comparing needs it; `nil` for one that could not be read.
    var header: ItemHeader? {
        guard let metadata = kind.metadata else { return nil }
        return ItemHeader(
            key: key ?? ItemKey(name: name), version: ItemVersion(0), name: name, size: size, metadata: metadata)
    }
}

extension Census.Excuse {
    /// As the ledger calls it.
    var outcome: ItemOutcome? {
        switch self {
        case .none: nil
        case .skipped: .skipped
        case .elsewhere: .elsewhere
        }
    }

    init(_ outcome: ItemOutcome?) {
        switch outcome {
        case .skipped: self = .skipped
        case .elsewhere: self = .elsewhere
        case .copied, .failed, nil: self = .none
        }
    }
}

extension ManifestItem.Kind {
    /// The flags by the names of RFC 9051 section 2.3.2, without their backslash, in lower case.
    private static let flags: [(MessageMetadata.Flags, String)] = [
        (.answered, "answered"), (.deleted, "deleted"), (.draft, "draft"), (.flagged, "flagged"),
        (.forwarded, "forwarded"), (.seen, "seen"),
    ]

    init(_ metadata: ItemMetadata) {
        switch metadata {
        case .message(let message):
            self = .message(
                date: message.internalDate.seconds,
                flags: Self.flags.filter { message.flags.contains($0.0) }.map(\.1),
                keywords: message.keywords.sorted())
        case .calendarObject: self = .calendarObject
        case .contact: self = .contact
        case .file(let file): self = .file(date: file.modified.seconds, isExecutable: file.isExecutable)
        case .fileFolder: self = .fileFolder
        case .event: self = .event
        case .media: self = .media
        }
    }

    var metadata: ItemMetadata? {
        switch self {
        case .message(let date, let names, let keywords):
            let flags = Self.flags.filter { names.contains($0.1) }.map(\.0)
            return .message(
                MessageMetadata(
                    flags: MessageMetadata.Flags(flags), keywords: keywords, internalDate: Instant(seconds: date)))
        case .calendarObject: return .calendarObject
        case .contact: return .contact
        case .file(let date, let isExecutable):
            return .file(FileMetadata(modified: Instant(seconds: date), isExecutable: isExecutable))
        case .fileFolder: return .fileFolder(FileMetadata(modified: Instant(seconds: 0)))
        case .event: return .event
        case .media: return .media
        case .unreadable: return nil
        }
    }
}
