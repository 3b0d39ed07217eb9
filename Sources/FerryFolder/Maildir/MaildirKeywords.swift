/// The names behind the small letters of a Maildir folder: Dovecot's `dovecot-keywords`, lines of `NUMBER NAME`, where
/// number 0 is the letter `a`.
struct MaildirKeywords: Sendable, Hashable {
    static let fileName = FileName(constant: "dovecot-keywords")
    /// Letters `a` to `z`.
    static let capacity = 26

    private(set) var names: [Int: String] = [:]

    init() {}

    /// Lines that say nothing are passed over.
    init(parsing content: [UInt8]) {
        for line in content.split(separator: UInt8(ascii: "\n")) {
            let text = String(decoding: line, as: UTF8.self)
            guard let space = text.firstIndex(of: " "), let number = Int(text[..<space]),
                (0..<Self.capacity).contains(number)
            else { continue }
            let name = String(text[text.index(after: space)...])
            if Self.isName(name) { names[number] = name }
        }
    }

    static func load(from directory: Directory) throws(SystemError) -> MaildirKeywords {
        try directory.content(of: fileName).map(MaildirKeywords.init(parsing:)) ?? MaildirKeywords()
    }

    var content: [UInt8] {
        names.sorted { $0.key < $1.key }.flatMap { Array("\($0.key) \($0.value)\n".utf8) }
    }

    /// The names of the numbers, without double ones, sorted. Numbers without a name mean nothing.
    func names(of numbers: [Int]) -> [String] { Set(numbers.compactMap { names[$0] }).sorted() }

    /// The numbers of keywords, giving new ones a free number. IMAP does not tell the case of keywords apart.
    ///
    /// The form has room for 26 names in a folder. What does not fit, and what is no IMAP keyword (RFC 3501 section 9:
    /// an atom), is left out: the message is worth more than its label.
    mutating func numbers(of keywords: [String]) -> [Int] {
        keywords.compactMap { keyword in
            if let known = names.first(where: { $0.value.lowercased() == keyword.lowercased() }) { return known.key }
            guard Self.isName(keyword), let free = (0..<Self.capacity).first(where: { names[$0] == nil }) else {
                return nil
            }
            names[free] = keyword
            return free
        }
    }

    private static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.unicodeScalars.allSatisfy { $0.value > 0x20 && !(0x7F...0x9F).contains($0.value) }
    }
}
