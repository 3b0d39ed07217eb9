import FerryCore
import FerryFormats

/// Where somebody lives, with the rules as iCalendar carries them.
enum DemoTimeZone: String, Sendable {
    case berlin = "Europe/Berlin"
    case newYork = "America/New_York"
    case tokyo = "Asia/Tokyo"

    /// A VTIMEZONE component (RFC 5545 section 3.6.5), valid for the years that the demo uses.
    var component: [String] {
        let rules: [(kind: String, from: String, to: String, name: String, rule: String?)] =
            switch self {
            case .berlin:
                [
                    ("DAYLIGHT", "+0100", "+0200", "CEST", "19810329T020000/FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU"),
                    ("STANDARD", "+0200", "+0100", "CET", "19961027T030000/FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU"),
                ]
            case .newYork:
                [
                    ("DAYLIGHT", "-0500", "-0400", "EDT", "20070311T020000/FREQ=YEARLY;BYMONTH=3;BYDAY=2SU"),
                    ("STANDARD", "-0400", "-0500", "EST", "20071104T020000/FREQ=YEARLY;BYMONTH=11;BYDAY=1SU"),
                ]
            case .tokyo: [("STANDARD", "+0900", "+0900", "JST", nil)]
            }
        var lines = ["BEGIN:VTIMEZONE", "TZID:\(rawValue)"]
        for rule in rules {
            let parts = rule.rule?.split(separator: "/").map(String.init)
            lines += ["BEGIN:\(rule.kind)", "DTSTART:\(parts?.first ?? "19510909T010000")"]
            if let recurrence = parts?.last { lines.append("RRULE:\(recurrence)") }
            lines += [
                "TZOFFSETFROM:\(rule.from)", "TZOFFSETTO:\(rule.to)", "TZNAME:\(rule.name)", "END:\(rule.kind)",
            ]
        }
        return lines + ["END:VTIMEZONE"]
    }
}

/// A day without a time, as iCalendar writes it.
struct DemoDay: Sendable {
    private let instant: Instant

    init(_ instant: Instant) { self.instant = instant }

    func adding(days: Int) -> DemoDay { DemoDay(instant + .seconds(days * 86400)) }

    /// `20310301`.
    var basic: String { String(RFC3339.format(instant).prefix(10).filter { $0 != "-" }) }

    /// `20310301T093000`.
    func at(_ hour: Int, _ minute: Int = 0) -> String { "\(basic)T\(Self.two(hour))\(Self.two(minute))00" }

    /// `MO`; 1970-01-01 was a Thursday.
    var weekday: String {
        ["TH", "FR", "SA", "SU", "MO", "TU", "WE"][Int((instant.seconds / 86400 % 7 + 7) % 7)]
    }

    /// This day, or the Monday after a weekend.
    var workday: DemoDay { weekday == "SA" ? adding(days: 2) : weekday == "SU" ? adding(days: 1) : self }

    /// `20310301T000000Z`, for time stamps.
    var stamp: String { "\(basic)T000000Z" }

    private static func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
}
