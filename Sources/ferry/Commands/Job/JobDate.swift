import FerryCore
import FerryFormats

/// The date of a job as somebody types it: RFC 3339, a day, or a time span from now.
enum JobDate {
    /// `2031-03-01T06:00:00Z`, `2031-03-01` (midnight UTC), `+14d`, `+36h`, `+90s`; `nil` for anything else.
    static func instant(_ text: String, now: Instant) -> Instant? {
        if text.hasPrefix("+") {
            return Duration(spelled: text.dropFirst()).map { now + $0 }
        }
        return RFC3339.parse(text) ?? RFC3339.parse(text + "T00:00:00Z")
    }
}
