import FerryConnector
import FerryCore
import FerryFormats

/// Everything that is changed about content on its way, as the copier and the verifier both apply it.
///
/// Mail, files and media are never touched; objects that name people get the people's new addresses, and a meeting goes
/// with the run it belongs to.
struct Rewriter: Sendable {
    /// What becomes of one object.
    enum Verdict: Sendable {
        case content([UInt8])
        /// Belongs to another run of the same person.
        case elsewhere
        case unusable(ConnectorError)
    }

    private let workload: Workload
    private let addresses: AddressBook
    private let ownAddresses: [String]
    private let meetingLinks: [(old: String, new: String)]
    private let leavesOwnMeetings: Bool

    /// The rules for content that comes from the transfer's source.
    init(_ transfer: Transfer) {
        workload = transfer.run.workload
        addresses = transfer.addresses
        ownAddresses = transfer.ownAddresses
        meetingLinks = transfer.meetingLinks.map { [($0.source, $0.target)] } ?? []
        leavesOwnMeetings = transfer.hasMeetingsRun
    }

    func rewrites(_ metadata: ItemMetadata) -> Bool {
        switch metadata {
        case .calendarObject, .contact, .event: true
        case .message, .file, .fileFolder, .media: false
        }
    }

    /// `limit` is what counts as too large, in bytes, for the report.
    func rewrite(_ content: ContentCollector.Content, of header: ItemHeader, limit: Int64) -> Verdict {
        switch content {
        case .whole(let bytes):
            return rewrite(bytes, of: header.metadata)
        case .tooLarge:
            return .unusable(
                ConnectorError(
                    .sourceItemUnsupported, .skip,
                    "The object has more than \(limit) bytes, which is the most that can be rewritten for the target. "
                        + "Move it by hand."))
        case .failed(let error):
            return .unusable(error)
        }
    }

    func rewrite(_ bytes: [UInt8], of metadata: ItemMetadata) -> Verdict {
        switch metadata {
        case .calendarObject:
            if workload == .meetings {
                guard isOwnMeeting(bytes) else { return .elsewhere }
                return .content(CalendarRewriting.meeting(bytes, addresses: addresses, joinLinks: meetingLinks))
            }
            if leavesOwnMeetings, isOwnMeeting(bytes) { return .elsewhere }
            return .content(CalendarRewriting.rewrite(bytes, addresses: addresses))
        case .contact:
            return .content(ContactRewriting.rewrite(bytes, addresses: addresses))
        case .event:
            return .content(EventRewriting.rewrite(bytes, addresses: addresses))
        case .message, .file, .fileFolder, .media:
            return .content(bytes)
        }
    }

    /// The container as the target is to have it: members of rooms are people, too.
    func rewrite(_ container: Container) -> Container {
        guard case .room(let state) = container.details else { return container }
        var container = container
        container.details = .room(state: EventRewriting.rewrite(state: state, addresses: addresses))
        return container
    }

    /// Whether an object at the target belongs to this run and not to the person's other calendar run there.
    func isOurs(atTarget bytes: [UInt8], _ metadata: ItemMetadata, of owner: Person) -> Bool {
        guard case .calendarObject = metadata else { return true }
        switch (workload, leavesOwnMeetings) {
        case (.meetings, _): return CalendarRewriting.isMeeting(organizedBy: owner.addresses, bytes)
        case (_, true): return !CalendarRewriting.isMeeting(organizedBy: owner.addresses, bytes)
        case (_, false): return true
        }
    }

    /// Changes when the rules for containers of that kind do, so that what was written under the old ones is written
    /// again. 0 for content that is never rewritten.
    func fingerprint(for service: ServiceKind) -> UInt64 {
        switch service {
        case .mail, .files: return 0
        case .calendar, .contacts, .chats: break
        }
        var hasher = VersionHasher()
        hasher.combine(Int64(bitPattern: addresses.fingerprint))
        for link in meetingLinks {
            hasher.combine(link.old)
            hasher.combine(link.new)
        }
        return hasher.finish().bits | 1
    }

    private func isOwnMeeting(_ bytes: [UInt8]) -> Bool {
        CalendarRewriting.isMeeting(organizedBy: ownAddresses, bytes)
    }
}
