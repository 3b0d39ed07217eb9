/// What a server asks for in `WWW-Authenticate` (RFC 9110 section 11.6.1).
struct Challenge: Sendable, Hashable {
    /// Lower case.
    var scheme: String
    /// Names in lower case.
    var parameters: [String: String] = [:]

    /// Reads all challenges of the header's lines; what cannot be read is left out.
    static func parse(_ lines: [String]) -> [Challenge] {
        var challenges: [Challenge] = []
        for line in lines {
            var reader = Reader(rest: line[...])
            while reader.skipToWord(), let word = reader.token() {
                if reader.takes("=") {
                    // A parameter of the scheme before it.
                    guard let value = reader.value() else { break }
                    if !challenges.isEmpty { challenges[challenges.count - 1].parameters[word.lowercased()] = value }
                } else {
                    challenges.append(Challenge(scheme: word.lowercased()))
                }
            }
        }
        return challenges
    }

    private struct Reader {
        var rest: Substring

        /// Passes blanks and commas; `false` at the end.
        mutating func skipToWord() -> Bool {
            rest = rest.drop { $0 == " " || $0 == "\t" || $0 == "," }
            return !rest.isEmpty
        }

        /// A token, or the token68 of Negotiate and the like (RFC 9110 section 11.2).
        mutating func token() -> String? {
            let word = rest.prefix { $0 != "=" && $0 != "," && $0 != " " && $0 != "\t" && $0 != "\"" }
            guard !word.isEmpty else { return nil }
            rest = rest.dropFirst(word.count)
            return String(word)
        }

        mutating func takes(_ character: Character) -> Bool {
            let trimmed = rest.drop { $0 == " " || $0 == "\t" }
            guard trimmed.first == character else { return false }
            rest = trimmed.dropFirst()
            return true
        }

        mutating func value() -> String? {
            rest = rest.drop { $0 == " " || $0 == "\t" }
            guard rest.first == "\"" else { return token() ?? "" }
            var value = ""
            var isEscaped = false
            for (offset, character) in rest.dropFirst().enumerated() {
                if isEscaped {
                    value.append(character)
                    isEscaped = false
                } else if character == "\\" {
                    isEscaped = true
                } else if character == "\"" {
                    rest = rest.dropFirst(offset + 2)
                    return value
                } else {
                    value.append(character)
                }
            }
            return nil
        }
    }
}
