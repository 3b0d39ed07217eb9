import FerryConnector
import FerryCore

/// A directory's name as a `Container.name`: the name itself, or `%` and its bytes in hexadecimal where it is not UTF-8.
enum ContainerName {
    static func make(_ directory: FileName) -> String {
        if let text = directory.text, !text.hasPrefix("%") { return text }
        return "%"
            + String(
                decoding: directory.bytes.flatMap { [$0 >> 4, $0 & 0xF].map(Hexadecimal.character) }, as: UTF8.self)
    }

    static func directory(_ name: String) -> FileName? {
        guard name.hasPrefix("%") else { return FileName(name) }
        let digits = name.utf8.dropFirst().compactMap(Hexadecimal.digit)
        guard digits.count == name.utf8.count - 1, digits.count.isMultiple(of: 2) else { return nil }
        return FileName(stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] })
    }
}

extension ConnectorError {
    /// A container's name that this connector never gave out.
    static func unknownContainer(_ container: Container, _ code: ErrorCode) -> ConnectorError {
        ConnectorError(code, .failRun, "There is no container '\(FileName(container.name)?.description ?? "?")' here.")
    }
}
