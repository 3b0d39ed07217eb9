import FerryFormats

/// The directory name of a Maildir++ folder: `.A.B`, each level in modified UTF-7, `.` between them.
///
/// Modified UTF-7 has printable ASCII stand for itself, so there is no orthodox way to say a `.` or `/` inside a level.
/// Ferry writes these two in base 64 all the same (`&AC4-`, `&AC8-`): other programs show the folder under a name that
/// looks odd, but it and its messages are there, and Ferry itself reads the name back as it was.
enum MaildirFolderName {
    /// The dot, the levels, the dots; `nil` when there is no level, an empty one, or the whole is too long for a file name.
    static func encode(_ path: [String]) -> FileName? {
        guard !path.isEmpty, !path.contains("") else { return nil }
        return FileName("." + path.map(encodeLevel).joined(separator: "."))
    }

    /// The levels of a directory's name. A name that no encoder would give (raw UTF-8, damaged base 64) is taken as it
    /// stands, for a folder with a strange name is better than none; such a path may clash with another folder's.
    static func decode(_ name: FileName) -> [String] {
        name.bytes.dropFirst().split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map { level in
            guard let text = String(validating: level, as: UTF8.self) else {
                return FileName(level)?.description ?? "_"
            }
            if text.isEmpty { return "_" }
            let decoded = decodeLevel(text)
            if let decoded, encodeLevel(decoded) == text { return decoded }
            return FileName(level)?.description ?? "_"
        }
    }

    private static let escapes: [(Unicode.Scalar, String)] = [(".", "&AC4-"), ("/", "&AC8-")]

    private static func encodeLevel(_ level: String) -> String {
        var encoded = ""
        var run = String.UnicodeScalarView()
        for scalar in level.unicodeScalars {
            if let escape = escapes.first(where: { $0.0 == scalar }) {
                encoded += ModifiedUTF7.encode(String(run)) + escape.1
                run.removeAll()
            } else {
                run.append(scalar)
            }
        }
        return encoded + ModifiedUTF7.encode(String(run))
    }

    private static func decodeLevel(_ level: String) -> String? {
        // A `&` begins a run and nothing else, so an escape is found wherever its letters stand.
        var decoded = ""
        var rest = Array(level.utf8)[...]
        var plain = [UInt8]()
        while !rest.isEmpty {
            if let escape = escapes.first(where: { rest.starts(with: $0.1.utf8) }) {
                guard let text = ModifiedUTF7.decode(String(decoding: plain, as: UTF8.self)) else { return nil }
                decoded += text
                decoded.unicodeScalars.append(escape.0)
                plain.removeAll()
                rest = rest.dropFirst(escape.1.utf8.count)
            } else {
                plain.append(rest.removeFirst())
            }
        }
        guard let text = ModifiedUTF7.decode(String(decoding: plain, as: UTF8.self)) else { return nil }
        return decoded + text
    }
}
