import FerryCore
import FerryStore
import FoundationEssentials

/// A run's findings as one text: a JSON array, and nothing at all when there are none, which is the rule.
enum FindingList {
    private struct Entry: Codable {
        let code: String
        let message: String
        let reason: String?
        let object: String?
    }

    static func encode(_ findings: [Finding]) throws -> String {
        if findings.isEmpty { return "" }
        let entries = findings.map {
            Entry(code: $0.code.rawValue, message: $0.message, reason: $0.reason, object: $0.object)
        }
        return String(decoding: try JSONEncoder().encode(entries), as: UTF8.self)
    }

    static func decode(_ text: String) throws -> [Finding] {
        if text.isEmpty { return [] }
        guard let entries = try? JSONDecoder().decode([Entry].self, from: Data(text.utf8)) else {
            throw StoreError.unusable("the store is damaged: a run's findings are not readable; restore a backup")
        }
        return try entries.map { entry in
            guard let code = FindingCode(rawValue: entry.code) else {
                throw StoreError.unusable("the store has a finding '\(entry.code)' that this program does not know")
            }
            return Finding(code: code, message: entry.message, reason: entry.reason, object: entry.object)
        }
    }
}
