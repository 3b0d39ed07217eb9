import GRDB

/// One step of the schema. A released one is never changed: the store records a checksum of its text and refuses to
/// work with another.
///
/// The numbers are shared by all rooms behind the store's door, the text is each room's own.
struct Migration: Sendable {
    /// From 1, without gaps.
    let number: Int
    /// Subject, lower case with dashes; with the number the name of the file (`0001-jobs-work-ledger`).
    let name: String
    let sql: String

    /// In the order in which they are carried out.
    static let all: [Migration] = [
        .jobsWorkLedger, .jobFilters, .auditCreations, .cutover, .consistency, .dryRuns, .identityMap,
    ]

    /// FNV-1a, 64 bits, as hexadecimal digits. It finds edits by accident; it is no defence against intent.
    var checksum: String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in sql.utf8 {
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
        }
        return String(hash, radix: 16)
    }
}
