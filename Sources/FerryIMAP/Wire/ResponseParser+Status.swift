/// Status responses and their codes (RFC 9051 section 7.1). Never fails: a code that is not understood loses its
/// arguments, a line without a proper code is text.
extension ResponseParser {
    private static let textCharacters = 200

    func condition(_ word: Range<Int>) -> StatusText.Condition? {
        if scanner.matches(word, "OK") { return .ok }
        if scanner.matches(word, "NO") { return .no }
        if scanner.matches(word, "BAD") { return .bad }
        if scanner.matches(word, "BYE") { return .bye }
        if scanner.matches(word, "PREAUTH") { return .preauth }
        return nil
    }

    mutating func statusText(_ condition: StatusText.Condition) -> StatusText {
        scanner.skipSpaces()
        let start = scanner.position
        var code: ResponseCode?
        if scanner.take(UInt8(ascii: "[")) {
            code = responseCode()
            if code == nil { scanner.move(to: start) }
        }
        scanner.skipSpaces()
        return StatusText(condition, code: code, text: printable(scanner.rest()))
    }

    private mutating func responseCode() -> ResponseCode? {
        guard let naiveEnd = scanner.index(of: UInt8(ascii: "]")) else { return nil }
        let start = scanner.position
        while let byte = scanner.next, byte != 0x20, byte != UInt8(ascii: "]") { scanner.advance() }
        let name = scanner.uppercasedText(start..<scanner.position)
        guard !name.isEmpty else { return nil }
        scanner.skipSpaces()
        let code = arguments(of: name, until: naiveEnd) ?? .named(name)
        // Quoted arguments and flags may hold a bracket; then the arguments' own end counts.
        if case .named = code { scanner.move(to: naiveEnd) }
        scanner.skipSpaces()
        guard scanner.take(UInt8(ascii: "]")) else {
            scanner.move(to: naiveEnd + 1)
            return .named(name)
        }
        return code
    }

    /// `nil` for codes without arguments that matter, and for broken ones.
    private mutating func arguments(of name: String, until end: Int) -> ResponseCode? {
        switch name {
        case "CAPABILITY":
            var names = [String]()
            while scanner.position < end {
                let start = scanner.position
                while let byte = scanner.next, byte != 0x20, byte != UInt8(ascii: "]") { scanner.advance() }
                names.append(scanner.uppercasedText(start..<scanner.position))
                scanner.skipSpaces()
            }
            return .capability(names)
        case "PERMANENTFLAGS": return (try? flags()).map { .permanentFlags($0) }
        case "UIDVALIDITY": return (try? scanner.number32()).map { .uidValidity($0) }
        case "UIDNEXT": return (try? scanner.number32()).map { .uidNext($0) }
        case "HIGHESTMODSEQ": return (try? scanner.number()).map { .highestModSeq($0) }
        case "APPENDUID":
            guard let validity = try? scanner.number32() else { return nil }
            scanner.skipSpaces()
            return (try? scanner.uidSet()).map { .appendUID(uidValidity: validity, $0) }
        case "COPYUID":
            guard let validity = try? scanner.number32() else { return nil }
            scanner.skipSpaces()
            guard let source = try? scanner.uidSet() else { return nil }
            scanner.skipSpaces()
            return (try? scanner.uidSet()).map { .copyUID(uidValidity: validity, source: source, target: $0) }
        case "MODIFIED": return (try? scanner.uidSet()).map { .modified($0) }
        default: return nil
        }
    }

    private func printable(_ range: Range<Int>) -> String {
        let text = scanner.text(range.prefix(4 * Self.textCharacters))
        let isHarmless = { (scalar: Unicode.Scalar) in
            !scalar.properties.isDefaultIgnorableCodePoint && scalar.properties.generalCategory != .control
        }
        var output = ""
        for character in text.prefix(Self.textCharacters) {
            output.append(character.unicodeScalars.allSatisfy(isHarmless) ? character : " ")
        }
        return output
    }
}
