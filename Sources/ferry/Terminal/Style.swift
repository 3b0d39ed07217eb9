/// Colours for terminals; plain text everywhere else.
struct Style: Hashable, Sendable {
    enum Colour: String, Sendable {
        case red = "31"
        case green = "32"
        case yellow = "33"
        case blue = "34"
        case cyan = "36"
        case dim = "2"
        case bold = "1"
    }

    var isEnabled: Bool

    /// Select Graphic Rendition (ECMA-48 section 8.3.117) around the text.
    func callAsFunction(_ colour: Colour, _ text: String) -> String {
        isEnabled && !text.isEmpty ? "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m" : text
    }
}
