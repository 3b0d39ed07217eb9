/// What can be moved for a person. Raw values are stored; the wire's spellings live in `FerryAPI`.
///
/// Declared in the order in which samples of the Graph reference list a user's services.
package enum Workload: String, Sendable, Hashable, CaseIterable, Comparable, Codable {
    /// The personal file tree (wire: `ODSP`).
    case files
    /// Meetings that the person organizes (wire: `Meeting`).
    case meetings
    /// Chats (wire: `Teams`).
    case chats
    /// Mail, calendars and contacts (wire: `Exchange`).
    case mailbox

    package static func < (left: Workload, right: Workload) -> Bool { left.rank < right.rank }

    private var rank: Int {
        switch self {
        case .files: 0
        case .meetings: 1
        case .chats: 2
        case .mailbox: 3
        }
    }
}

/// One kind of store that a tenant offers for a person; a workload is made of one or more of them.
package enum ServiceKind: String, Sendable, Hashable, CaseIterable, Codable {
    case mail, calendar, contacts, files, chats
}

extension Workload {
    /// The services that a run of this workload reads and writes, in order.
    package var services: [ServiceKind] {
        switch self {
        case .mailbox: [.mail, .calendar, .contacts]
        case .meetings: [.calendar]
        case .chats: [.chats]
        case .files: [.files]
        }
    }
}
