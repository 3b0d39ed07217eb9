import FerryCore

/// Fills the calendars (vdir: a folder per calendar, a file per UID): meetings that stand in every participant's
/// calendar, and what people note for themselves.
struct Calendars {
    private let cast: [CastMember]
    private let today: DemoDay
    private var dice: Dice

    private static let titles = [
        "Weekly sync", "Design review", "1:1", "Budget round", "Retrospective", "Kick-off {project}",
        "Planung {project}",
        "Предварительная встреча", "定例会議", "Point hebdo", "Σύσκεψη ομάδας", "Customer call", "Release checklist 🚀",
    ]
    private static let rooms = ["Room 4.12", "Harbour", "Großer Saal", "Online", "Kitchen, second floor"]

    init(cast: [CastMember], today: Instant, dice: Dice) {
        self.cast = cast
        self.today = DemoDay(today)
        self.dice = dice
    }

    mutating func write(to sink: DemoSink) throws {
        for member in cast {
            try writeCollection("work", name: "Calendar", colour: "#0F6CBD", of: member, sink)
            try writeCollection("private", name: "Privé 🏡", colour: "#C239B3", of: member, sink)
        }
        for number in 0..<(cast.count * 3) { try writeMeeting(number, sink) }
        for member in cast { try writePrivate(of: member, sink) }
    }

    private func root(_ member: CastMember) -> String { "contoso/calendars/\(member.login)" }

    private func writeCollection(
        _ folder: String, name: String, colour: String, of member: CastMember, _ sink: DemoSink
    ) throws {
        let path = "\(root(member))/\(folder)"
        try sink(DemoFile(path, .folder))
        try sink(DemoFile("\(path)/displayname", text: name))
        try sink(DemoFile("\(path)/color", text: colour))
    }

    // MARK: meetings

    private mutating func writeMeeting(_ number: Int, _ sink: DemoSink) throws {
        let organizer = number % cast.count
        let guests = dice.pick(dice.number(1...5), of: cast.indices.filter { $0 != organizer })
        let zone = cast[organizer].timeZone
        let uid = "\(dice.hex(8))-\(dice.hex(4))-\(number)@\(Cast.sourceDomain)"
        let start = today.adding(days: dice.number(-400...120)).workday
        let hour = dice.number(8...16)
        let project = dice.pick(Stories.projects)
        let title = Template.fill(dice.pick(Self.titles), ["project": project])
        let isCancelled = dice.chance(8)
        let isRecurring = !isCancelled && dice.chance(45)
        var attendees = guests.map { guest in
            attendee(
                cast[guest].source.displayName, cast[guest].source.mail,
                dice.pick(["ACCEPTED", "ACCEPTED", "TENTATIVE", "NEEDS-ACTION", "DECLINED"]))
        }
        if dice.chance(25) {
            let outsider = dice.pick(Cast.outsiders)
            attendees.append(attendee(outsider.name, outsider.address, "ACCEPTED"))
        }
        let people =
            [property("ORGANIZER", name: cast[organizer].source.displayName, cast[organizer].source.mail)] + attendees
        let link = "https://meet.\(Cast.sourceDomain)/\(dice.hex(12))"
        func event(_ extra: [String], start: String, end: String, summary: String) -> [String] {
            ["BEGIN:VEVENT", "UID:\(uid)", "DTSTAMP:\(today.adding(days: -410).stamp)"] + extra
                + [
                    "DTSTART;TZID=\(zone.rawValue):\(start)", "DTEND;TZID=\(zone.rawValue):\(end)",
                    "SUMMARY:\(ContentLineWriter.escaped(summary))", "LOCATION:\(ContentLineWriter.escaped(place))",
                    "DESCRIPTION:\(ContentLineWriter.escaped("Agenda to follow.\nJoin: \(link)"))",
                    "CONFERENCE;VALUE=URI;FEATURE=AUDIO,VIDEO:\(link)",
                    "STATUS:\(isCancelled ? "CANCELLED" : "CONFIRMED")",
                    "SEQUENCE:\(isCancelled ? 1 : 0)", "TRANSP:OPAQUE",
                ] + people
                + [
                    "BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:Reminder", "TRIGGER:-PT15M", "END:VALARM",
                    "END:VEVENT",
                ]
        }
        let place = dice.pick(Self.rooms)
        var lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Contoso//Calendar 4.2//EN"] + zone.component
        if isRecurring {
            let weeks = dice.number(1...2)
            let moved = start.adding(days: 14 * weeks)
            let skipped = start.adding(days: 21 * weeks)
            lines += event(
                [
                    "RRULE:FREQ=WEEKLY;INTERVAL=\(weeks);BYDAY=\(start.weekday);COUNT=\(dice.number(6...26))",
                    "EXDATE;TZID=\(zone.rawValue):\(skipped.at(hour))",
                ], start: start.at(hour), end: start.at(hour, 45), summary: title)
            lines += event(
                ["RECURRENCE-ID;TZID=\(zone.rawValue):\(moved.at(hour))"], start: moved.at(hour + 1),
                end: moved.at(hour + 2), summary: "\(title) (moved)")
        } else {
            lines += event([], start: start.at(hour), end: start.at(hour + 1), summary: title)
        }
        lines.append("END:VCALENDAR")
        let name = String(uid.prefix { $0 != "@" })
        for index in [organizer] + guests {
            try sink(DemoFile("\(root(cast[index]))/work/\(name).ics", text: ContentLineWriter.text(lines)))
        }
    }

    private func attendee(_ name: String, _ address: String, _ status: String) -> String {
        property(
            "ATTENDEE", name: name, address, parameters: ";CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=\(status)")
    }

    private func property(_ property: String, name: String, _ address: String, parameters: String = "") -> String {
        "\(property);CN=\"\(name)\"\(parameters):mailto:\(address)"
    }

    // MARK: private

    private mutating func writePrivate(of member: CastMember, _ sink: DemoSink) throws {
        let path = "\(root(member))/private"
        func object(_ name: String, _ component: [String]) throws {
            let lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Contoso//Calendar 4.2//EN"] + component
            try sink(DemoFile("\(path)/\(name).ics", text: ContentLineWriter.text(lines + ["END:VCALENDAR"])))
        }
        let stamp = "DTSTAMP:\(today.adding(days: -700).stamp)"
        let birthday = today.adding(days: -dice.number(200...12_000))
        try object(
            "birthday",
            [
                "BEGIN:VEVENT", "UID:birthday-\(member.login)", stamp, "DTSTART;VALUE=DATE:\(birthday.basic)",
                "RRULE:FREQ=YEARLY", "SUMMARY:🎂 \(ContentLineWriter.escaped(member.givenName))", "TRANSP:TRANSPARENT",
                "BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:Buy flowers", "TRIGGER:-P1D", "END:VALARM", "END:VEVENT",
            ])
        let leave = today.adding(days: dice.number(10...200))
        try object(
            "leave",
            [
                "BEGIN:VEVENT", "UID:leave-\(member.login)", stamp, "DTSTART;VALUE=DATE:\(leave.basic)",
                "DTEND;VALUE=DATE:\(leave.adding(days: dice.number(3...15)).basic)", "SUMMARY:Urlaub / vacances",
                "X-MICROSOFT-CDO-BUSYSTATUS:OOF", "CLASS:PRIVATE", "END:VEVENT",
            ])
        try object(
            "task",
            [
                "BEGIN:VTODO", "UID:task-\(member.login)", stamp, "DUE;VALUE=DATE:\(today.adding(days: 9).basic)",
                "SUMMARY:\(ContentLineWriter.escaped(dice.pick(Stories.notes)))", "PRIORITY:5", "STATUS:NEEDS-ACTION",
                "END:VTODO",
            ])
        for number in 0..<dice.number(4...12) {
            let day = today.adding(days: dice.number(-300...60))
            let hour = dice.number(7...20)
            let summary = dice.pick([
                "Dentist", "Chor 🎶", "Parents' evening", "Swimming", "Вечер с друзьями", "歯医者", "Yoga",
            ])
            try object(
                "appointment-\(number)",
                member.timeZone.component + [
                    "BEGIN:VEVENT", "UID:appointment-\(number)-\(member.login)", stamp,
                    "DTSTART;TZID=\(member.timeZone.rawValue):\(day.at(hour))",
                    "DURATION:PT\(dice.pick([30, 45, 60, 90]))M",
                    "SUMMARY:\(ContentLineWriter.escaped(summary))", "BEGIN:VALARM", "ACTION:AUDIO", "TRIGGER:-PT30M",
                    "END:VALARM",
                    "END:VEVENT",
                ])
        }
    }
}
