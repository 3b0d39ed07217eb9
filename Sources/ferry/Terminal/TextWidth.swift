/// How many columns of a terminal a text takes.
enum TextWidth {
    /// Columns of the text as a terminal shows it: 2 for East Asian wide characters and pictures, 0 for what combines,
    /// nothing for colours.
    static func columns(of text: String) -> Int {
        var sum = 0
        var isEscape = false
        for character in text {
            if isEscape {
                // A control sequence ends with the first letter.
                if character.isLetter { isEscape = false }
            } else if character == "\u{1B}" {
                isEscape = true
            } else {
                sum += columns(of: character)
            }
        }
        return sum
    }

    private static func columns(of character: Character) -> Int {
        guard let first = character.unicodeScalars.first else { return 0 }
        switch first.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format, .control: return 0
        default: break
        }
        if first.properties.isEmojiPresentation { return 2 }
        if character.unicodeScalars.contains("\u{FE0F}") { return 2 }
        return wide.contains { $0.contains(first.value) } ? 2 : 1
    }

    /// Blocks that Unicode's East Asian Width (UAX #11) gives as wide or full width.
    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xA000...0xA4CF,
        0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x20000...0x3FFFD,
    ]

    static func pad(_ text: String, to width: Int, alignment: Alignment = .left) -> String {
        let blanks = String(repeating: " ", count: max(0, width - columns(of: text)))
        return alignment == .left ? text + blanks : blanks + text
    }

    /// The text cut to at most `width` columns, with an ellipsis where something is missing. Text without colours only.
    static func cut(_ text: String, to width: Int) -> String {
        guard columns(of: text) > width else { return text }
        guard width > 1 else { return String(repeating: "…", count: max(0, width)) }
        var kept = ""
        var used = 0
        for character in text {
            let next = columns(of: character)
            if used + next > width - 1 { break }
            kept.append(character)
            used += next
        }
        return kept + "…"
    }

    enum Alignment: Sendable { case left, right }
}
