import FerryConnector
import FerryCore
import Synchronization

/// People who have things at the source, go on working there while they can, and put things of their own into the target.
struct SimulatedPeople: Sendable {
    let count: Int
    let source: FakeTenant
    let target: FakeTenant
    private let watch: SimulationWatch
    /// Names of the messages that came to each person's new address.
    private let received = Received()

    private final class Received: Sendable { let names = Mutex<[Int: [String]]>([:]) }

    init(count: Int, source: FakeTenant, target: FakeTenant, watch: SimulationWatch) {
        self.watch = watch
        self.count = count
        self.source = source
        self.target = target
    }

    func sourcePlace(_ number: Int, _ service: ServiceKind) -> FakeTenant.Place {
        .init(service, StaticDirectory.sourcePerson(number).mail)
    }

    func targetPlace(_ number: Int, _ service: ServiceKind) -> FakeTenant.Place {
        .init(service, StaticDirectory.targetPerson(number).mail)
    }

    // MARK: what there is at first

    func furnish(_ random: inout SeededRandom) {
        for number in 1...count {
            // Everybody has every account, used or not.
            for service in ServiceKind.allCases { source.edit(sourcePlace(number, service)) { _ in } }
            for _ in 0..<Int.random(in: 0...9, using: &random) { add(number, .mail, &random) }
            for _ in 0..<Int.random(in: 0...4, using: &random) { add(number, .calendar, &random) }
            for service in [ServiceKind.contacts, .files, .chats] {
                for _ in 0..<Int.random(in: 0...3, using: &random) { add(number, service, &random) }
            }
        }
    }

    private func add(_ number: Int, _ service: ServiceKind, _ random: inout SeededRandom) {
        let id = random.next() >> 20
        source.edit(sourcePlace(number, service)) { holdings in
            switch service {
            case .mail:
                let folder = [["INBOX"], ["Projects", "Ærø"]].randomElement(using: &random) ?? ["INBOX"]
                let date = FerryCore.Instant(seconds: 1_600_000_000 + Int64(id % 100_000))
                let text = "Message-ID: <\(id)@north.example>\r\nSubject: \(id)\r\n\r\nHello \(id)\r\n"
                holdings[folder].add(
                    "m\(id)", Array(text.utf8), .message(MessageMetadata(flags: [], internalDate: date)))
            case .calendar:
                // Of their own, of a colleague who may move too, and of a stranger.
                let organizer = Bool.random(using: &random) ? number : Int.random(in: 1...9, using: &random)
                holdings[["work"], .calendar(displayName: "Work", color: "#3366CC")]
                    .add("\(id).ics", Self.meeting(id, organizer: organizer, attendee: number), .calendarObject)
            case .contacts:
                holdings[["friends"], .addressBook(displayName: "Friends", color: nil)].add(
                    "\(id).vcf", Array("BEGIN:VCARD\r\nVERSION:4.0\r\nUID:\(id)\r\nFN:Ada\r\nEND:VCARD\r\n".utf8),
                    .contact)
            case .files:
                let time = FileMetadata(modified: FerryCore.Instant(seconds: 1_700_000_000 + Int64(id % 1000)))
                holdings[["Files"], .fileTree].add("\(id).txt", Array("file \(id)".utf8), .file(time))
            case .chats:
                let line = #"{"event_id":"$\#(id)","type":"m.room.message","sender":"@x:y"}"#
                holdings[["room"], .room(state: Array("[]".utf8))].add("$\(id)", Array(line.utf8), .event)
            }
        }
    }

    private static func meeting(_ id: UInt64, organizer: Int, attendee: Int) -> [UInt8] {
        let lines = [
            "BEGIN:VCALENDAR", "VERSION:2.0", "BEGIN:VEVENT", "UID:\(id)@north.example", "DTSTAMP:20260101T000000Z",
            "DTSTART:20260201T090000Z", "SEQUENCE:3", "ORGANIZER:mailto:person\(organizer)@north.example",
            "ATTENDEE;PARTSTAT=ACCEPTED:mailto:person\(attendee)@north.example",
            "ATTENDEE:mailto:guest@elsewhere.example", "END:VEVENT", "END:VCALENDAR", "",
        ]
        return Array(lines.joined(separator: "\r\n").utf8)
    }

    // MARK: what they do

    /// Somebody adds, changes or deletes something at the source, unless it is frozen; or adds something at the target.
    func work(_ random: inout SeededRandom) {
        let number = Int.random(in: 1...count, using: &random)
        let service = ServiceKind.allCases.randomElement(using: &random) ?? .mail
        if Int.random(in: 0..<8, using: &random) == 0 { return receive(number, random.next() >> 20) }
        let place = sourcePlace(number, service)
        guard isOpen(number, service) else { return }
        let folders = source[place].folders.filter { !$0.items.isEmpty }
        guard Int.random(in: 0..<3, using: &random) > 0, service != .chats,
            let folder = folders.randomElement(using: &random), let item = folder.items.randomElement(using: &random)
        else { return add(number, service, &random) }
        let stamp = random.next() >> 20
        let isGone = Bool.random(using: &random)
        source.edit(place) { holdings in
            if isGone { return holdings[folder.container.path].remove(item.name) }
            holdings[folder.container.path].change(item.name) { item in
                switch item.metadata {
                case .message(var metadata):
                    metadata.flags.formSymmetricDifference([.seen, .flagged])
                    item.metadata = .message(metadata)
                case .file:
                    item.content = Array("changed \(stamp)".utf8)
                    item.metadata = .file(FileMetadata(modified: FerryCore.Instant(seconds: Int64(stamp % 1_000_000))))
                case .contact:
                    item.content = Array(
                        "BEGIN:VCARD\r\nVERSION:4.0\r\nUID:\(item.name)\r\nFN:\(stamp)\r\nEND:VCARD\r\n".utf8)
                default: break
                }
            }
        }
    }

    /// Whether the person works at the source: not while it is frozen. Whoever cannot be kept out by a freeze leaves when
    /// their home has changed.
    private func isOpen(_ number: Int, _ service: ServiceKind) -> Bool {
        if source.settings.canFreeze { return !source[sourcePlace(number, service)].isFrozen }
        let (person, workload) = (Samples.person(number), Self.workload(service))
        let isBefore = watch.journal(person, workload)?.isBeforeSwap ?? true
        return isBefore && !watch.moved(person).contains(workload)
    }

    static func workload(_ service: ServiceKind) -> Workload {
        service == .files ? .files : service == .chats ? .chats : .mailbox
    }

    /// Whose source is frozen and says nothing of a new address.
    var lockedOut: [(person: PersonID, workload: Workload)] {
        (1...count).flatMap { number in
            ServiceKind.allCases.filter { service in
                let place = source[sourcePlace(number, service)]
                return place.isFrozen && place.redirect == nil
            }.map { (Samples.person(number), Self.workload($0)) }
        }
    }

    /// From now on servers take mail in for mailboxes that are frozen, until they know the new address: a little for each,
    /// whenever Ferry asks for something.
    func deliverLate(seed: UInt64) {
        let state = Mutex((random: SeededRandom(seed: seed), left: 2 * count))
        source.meanwhile { [count, source] _ in
            let number = state.withLock { state -> Int? in
                guard state.left > 0, Int.random(in: 0..<12, using: &state.random) == 0 else { return nil }
                let number = Int.random(in: 1...count, using: &state.random)
                let place = source[.init(.mail, StaticDirectory.sourcePerson(number).mail)]
                guard place.isFrozen, place.redirect == nil else { return nil }
                state.left -= 1
                return number
            }
            guard let number else { return }
            state.withLock { self.add(number, .mail, &$0.random) }
        }
    }

    /// Mail that somebody else sends to the new address. Not before Ferry has been there: whoever has mail at the target
    /// by then is not moved into it.
    private func receive(_ number: Int, _ id: UInt64) {
        guard target[targetPlace(number, .mail)].folders.contains(where: { !$0.items.isEmpty }) else { return }
        received.names.withLock { $0[number, default: []].append("own\(id)") }
        target.edit(targetPlace(number, .mail)) { holdings in
            holdings[["INBOX"]].add(
                "own\(id)", Array("Message-ID: <own.\(id)@south.example>\r\n\r\nFor the new mailbox.\r\n".utf8),
                .message(MessageMetadata(flags: [], internalDate: FerryCore.Instant(seconds: 1_790_000_000))))
        }
    }

    // MARK: what has arrived

    /// What is not at the target exactly as it has to be, of one workload of a person who has moved.
    func differences(_ number: Int, _ workload: Workload) -> [String] {
        switch workload {
        case .mailbox:
            compare(number, .mail) { _ in true } + compare(number, .contacts) { _ in true }
                + compare(number, .calendar) { !isOrganized($0, by: number) }
        case .meetings: compare(number, .calendar) { isOrganized($0, by: number) }
        case .files: compare(number, .files) { _ in true }
        case .chats: compare(number, .chats) { _ in true }
        }
    }

    private func isOrganized(_ item: FakeTenant.Item, by number: Int) -> Bool {
        let text = String(decoding: item.content, as: UTF8.self)
        return text.contains("ORGANIZER:mailto:person\(number)@north.example")
            || text.contains("ORGANIZER:mailto:person\(number)@south.example")
    }

    private func compare(
        _ number: Int, _ service: ServiceKind, _ isMeant: (FakeTenant.Item) -> Bool
    ) -> [String] {
        var wanted = Self.traits(source[sourcePlace(number, service)], where: isMeant)
        var found: [String] = []
        for (trait, count) in Self.traits(
            target[targetPlace(number, service)], where: { $0.origin != nil && isMeant($0) }
        )
        .sorted(by: { $0.key < $1.key }) {
            let expected = wanted.removeValue(forKey: trait) ?? 0
            if count != expected {
                found.append("person \(number), \(service): \(count) instead of \(expected) at the target of \(trait)")
            }
        }
        return found
            + wanted.sorted { $0.key < $1.key }.map { "person \(number), \(service): lost \($0.key)" }
    }

    /// How often each thing is there. Calendars are rewritten on the way, so of them the UID counts.
    private static func traits(
        _ holdings: FakeTenant.Holdings, where isMeant: (FakeTenant.Item) -> Bool
    ) -> [String: Int] {
        var result: [String: Int] = [:]
        for folder in holdings.folders {
            for item in folder.items where isMeant(item) {
                let text = String(decoding: item.content, as: UTF8.self)
                let content: String
                switch item.metadata {
                case .message(let message): content = "\(text.prefix(60)) \(message.flags.rawValue)"
                case .calendarObject:
                    content = text.split(separator: "\r\n").first { $0.hasPrefix("UID:") }.map(String.init) ?? text
                default: content = text
                }
                let trait =
                    "\(folder.container.path.joined(separator: "/")): \(content)"
                    + (item.isFragment ? " (a fragment)" : "")
                result[trait.replacing("\r\n", with: " "), default: 0] += 1
            }
        }
        return result
    }

    /// Mail of the target's own, which nobody may touch, and of which something is gone or new.
    func touched(_ number: Int) -> [String] {
        let wanted = received.names.withLock { $0[number] ?? [] }.sorted()
        let found = target[targetPlace(number, .mail)].folders.flatMap(\.items).filter { $0.origin == nil }.map(\.name)
        return found.sorted() == wanted ? [] : ["person \(number): of \(wanted) the new mailbox has \(found)"]
    }
}
