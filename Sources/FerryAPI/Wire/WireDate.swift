package import FerryCore
import FerryFormats

/// Dates as clients write them (reference 7.5).
package enum WireDate {
    /// RFC 3339; without a zone it is UTC (the Python SDK sends naive dates so), a date alone is its first moment.
    package static func parse(_ text: String) -> Instant? {
        RFC3339.parse(text) ?? (text.utf8.count == 10 ? RFC3339.parse(text + "T00:00:00Z") : nil)
    }
}
