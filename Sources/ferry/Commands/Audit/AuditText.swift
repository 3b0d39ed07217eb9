import FerryAPI
import FerryCore
import FerryFormats

/// Records of the audit trail for people and for machines.
enum AuditText {
    static var table: Table {
        Table([
            .init("NUMBER", .right), .init("TIME"), .init("WHO"), .init("FROM"), .init("OPERATION"), .init("RESULT"),
            .init("ABOUT"),
        ])
    }

    static func row(_ record: AuditRecord) -> [String] {
        let entry = record.entry
        let who = entry.name.isEmpty ? entry.subject : entry.name
        var result = entry.status == 0 ? "" : String(entry.status)
        if !entry.code.isEmpty { result += " " + entry.code }
        if entry.count > 1 { result += " ×\(entry.count)" }
        var about = [entry.job?.description, entry.person?.description].compactMap { $0 }
        if !entry.detail.isEmpty { about.append(entry.detail) }
        return [
            String(record.sequence), entry.at.wireText, who.isEmpty ? "-" : printable(who),
            entry.origin.isEmpty ? "-" : entry.origin, entry.operation, result, printable(about.joined(separator: " ")),
        ]
    }

    /// Without control characters: names come from tokens and paths of callers.
    private static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 }))
    }

    /// The record as the API writes it, with its tenant.
    static func json(_ record: AuditRecord) -> String {
        String(decoding: AuditView.line(record), as: UTF8.self)
    }
}

/// What verification found out about one chain.
struct AuditVerdict {
    var name: String
    /// The last good record.
    var head: AuditHead
    var flaw: AuditVerifier.Flaw?

    func line(style: Style) -> String {
        guard let flaw else {
            return "\(name): \(style(.green, "whole")), \(Quantity.count(head.sequence)) records, head \(head)"
        }
        return "\(name): \(style(.red, "broken")). \(flaw)"
    }

    var json: String {
        var json = JSONWriter(capacity: 256)
        json.object { json in
            json.member("tenant", head.tenant.guid)
            json.member("records", head.sequence)
            json.member("digest", head.digest.hexadecimal)
            json.key("flaw")
            if let flaw { json.string(flaw.description) } else { json.null() }
        }
        return String(decoding: json.bytes, as: UTF8.self)
    }
}

extension Instant {
    /// RFC 3339 in UTC, to the microsecond.
    var wireText: String {
        var bytes: [UInt8] = []
        RFC3339.append(self, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}
