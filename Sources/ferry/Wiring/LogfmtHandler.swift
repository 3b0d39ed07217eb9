import FerryFormats
import Logging

/// Log lines on standard error: time, level, label, message, then facts as `key=value`, quoted where needed. One system
/// call per line, so lines of several threads never mix.
struct LogfmtHandler: LogHandler {
    private let label: String
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    var logLevel: Logger.Level

    init(label: String, level: Logger.Level) {
        self.label = label
        logLevel = level
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var facts = metadata
        facts.merge(metadataProvider?.get() ?? [:]) { $1 }
        facts.merge(event.metadata ?? [:]) { $1 }
        Terminal.errors.print(
            Self.line(
                time: RFC3339.format(SystemEffects.now()), level: event.level, label: label,
                message: "\(event.message)",
                facts: facts))
    }

    /// Facts are sorted by name, so that lines of one kind look alike.
    static func line(
        time: String, level: Logger.Level, label: String, message: String, facts: Logger.Metadata
    ) -> String {
        var line = "\(time) \(level.rawValue.uppercased()) \(label) \(printable(message))"
        for (key, value) in facts.sorted(by: { $0.key < $1.key }) { line += " \(key)=\(quoted("\(value)"))" }
        return line
    }

    private static func quoted(_ text: String) -> String {
        let isPlain =
            !text.isEmpty
            && text.unicodeScalars.allSatisfy { $0.value > 0x20 && $0 != "\"" && $0 != "=" && $0.value != 0x7F }
        return isPlain
            ? text : "\"" + printable(text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")) + "\""
    }

    /// What comes from outside must not start a new line or move the cursor.
    private static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { $0.properties.generalCategory == .control ? "\u{FFFD}" : $0 }))
    }
}
