import FerryConnector
import FerryCore
import FerryFormats

/// What a tree looked like at one moment, as a `Cursor`: version 1, whether it may be trusted, 8 bytes of digest.
///
/// Where the server gives no entity tags there are only times in whole seconds, and one that is fresh proves nothing: a
/// second change within its second leaves it as it is. Then a fingerprint is never found equal whose newest time is not
/// two seconds older than the server's own clock was.
struct TreeFingerprint: Sendable {
    private static let form: UInt8 = 1
    private static let settling = Duration.seconds(2)

    private var hasher = VersionHasher()
    /// Of files without a tag.
    private var newest: Instant?
    private var date: Instant?

    mutating func combine(_ page: TreeWalk.Page) {
        for element in page.elements {
            hasher.combine(element.path)
            hasher.combine(Int64(bitPattern: element.entry.version.bits))
            if !element.entry.isFolder, element.entry.tag == nil {
                // Without a time either, nothing is ever known to be unchanged.
                newest = max(newest ?? .distantPast, element.entry.modified ?? .distantFuture)
            }
        }
        for problem in page.problems { hasher.combine(problem.name) }
        if let seen = page.date { date = min(date ?? seen, seen) }
    }

    private var isSettled: Bool {
        guard let newest else { return true }
        guard let date, newest < .distantFuture else { return false }
        return newest < date - Self.settling
    }

    var cursor: Cursor {
        let bits = hasher.finish().bits
        return Cursor(
            [Self.form, isSettled ? 1 : 0] + (0..<8).map { UInt8(truncatingIfNeeded: bits >> UInt64(56 - $0 * 8)) })
    }

    /// Whether this is what `other` was taken of, beyond doubt.
    func matches(_ other: Cursor) -> Bool {
        other.bytes.count == 10 && other.bytes[1] == 1 && cursor.bytes.dropFirst(2) == other.bytes.dropFirst(2)
            && other.bytes[0] == Self.form
    }
}
