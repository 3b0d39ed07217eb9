import FerryConnector
import FerryCore
import FerryFormats

/// The name of a message in a Maildir: a base name that never changes, and flags that do.
///
/// `1700000000.M1P2.host:2,FSab`: the base is what stands before the first `:`; after `:2,` come flags in ASCII order,
/// capitals as Maildir defines them (`D` draft, `F` flagged, `P` passed, `R` replied, `S` seen, `T` trashed), small
/// letters as the folder's `dovecot-keywords` says. Anything else after the `:` counts as no flags.
struct MaildirFileName: Sendable {
    let file: FileName

    init(_ file: FileName) { self.file = file }

    var base: ArraySlice<UInt8> { file.bytes.prefix { $0 != UInt8(ascii: ":") } }
    private var info: ArraySlice<UInt8> { file.bytes.dropFirst(base.count) }
    private var letters: ArraySlice<UInt8> { info.starts(with: ":2,".utf8) ? info.dropFirst(3) : [] }

    var flags: MessageMetadata.Flags {
        letters.reduce(into: []) { flags, letter in
            if let flag = Self.letters.first(where: { $0.letter == letter }) { flags.insert(flag.flag) }
        }
    }

    /// Numbers into the folder's list of keywords, in the order of the letters.
    var keywordNumbers: [Int] {
        letters.compactMap { letter in
            letter >= UInt8(ascii: "a") && letter <= UInt8(ascii: "z") ? Int(letter - UInt8(ascii: "a")) : nil
        }
    }

    private static let letters: [(letter: UInt8, flag: MessageMetadata.Flags)] = [
        (UInt8(ascii: "D"), .draft), (UInt8(ascii: "F"), .flagged), (UInt8(ascii: "P"), .forwarded),
        (UInt8(ascii: "R"), .answered), (UInt8(ascii: "S"), .seen), (UInt8(ascii: "T"), .deleted),
    ]

    /// `base:2,` and the letters; `keywordNumbers` each below 26.
    init(base: ArraySlice<UInt8>, flags: MessageMetadata.Flags, keywordNumbers: [Int]) {
        var bytes = Array(base) + Array(":2,".utf8)
        for (letter, flag) in Self.letters where flags.contains(flag) { bytes.append(letter) }
        for number in Set(keywordNumbers).sorted() { bytes.append(UInt8(ascii: "a") + UInt8(number)) }
        guard let file = FileName(bytes) else { preconditionFailure("Base names for writing are short and clean.") }
        self.file = file
    }
}

/// The part of a message's name that Ferry chooses at a target.
///
/// Both forms lead back to the item's key, so a target needs no table of its own:
/// a source's base name is kept if it is what the key was made of; else the name carries the key itself.
enum MaildirBaseName {
    /// Leaves room in the 255 bytes for all flags and keywords.
    private static let longest = 200

    static func make(for header: ItemHeader) -> [UInt8] {
        if isSafe(header.name), ItemKey(name: header.name) == header.key { return Array(header.name.utf8) }
        var seconds: Int64 = 0
        if case .message(let message) = header.metadata { seconds = message.internalDate.seconds }
        return Array("\(seconds).F\(header.key.hexadecimal).ferry".utf8)
    }

    /// The key of the item that a file at a target holds.
    static func key(of base: ArraySlice<UInt8>) -> ItemKey { carriedKey(base) ?? ItemKey(hashing: base) }

    /// A name of the made form is never kept, else a source could pass off one item for another.
    private static func isSafe(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        guard (1...longest).contains(bytes.count), bytes[0] != UInt8(ascii: "."), carriedKey(bytes[...]) == nil else {
            return false
        }
        guard !StagingName.isStaging(bytes[...]) else { return false }
        return name.unicodeScalars.allSatisfy { scalar in
            scalar != "/" && scalar != ":" && scalar.value >= 0x20 && !(0x7F...0x9F).contains(scalar.value)
        }
    }

    private static func carriedKey(_ base: ArraySlice<UInt8>) -> ItemKey? {
        let tail = Array(".ferry".utf8)
        guard base.count > 34 + tail.count, base.reversed().starts(with: tail.reversed()) else { return nil }
        let marked = base.dropLast(tail.count).suffix(34)
        guard marked.starts(with: ".F".utf8) else { return nil }
        return ItemKey(hexadecimal: marked.dropFirst(2))
    }
}

extension ItemKey {
    /// 32 lower-case digits.
    var hexadecimal: String { String(decoding: digits(of: high) + digits(of: low), as: UTF8.self) }

    private func digits(of word: UInt64) -> [UInt8] {
        (0..<16).map { Hexadecimal.character(UInt8(truncatingIfNeeded: word >> UInt64(60 - $0 * 4) & 0xF)) }
    }

    /// Exactly 32 lower-case digits.
    init?(hexadecimal digits: ArraySlice<UInt8>) {
        guard digits.count == 32 else { return nil }
        var high: UInt64 = 0
        var low: UInt64 = 0
        for (index, byte) in digits.enumerated() {
            guard let digit = Hexadecimal.digit(byte), Hexadecimal.character(digit) == byte else { return nil }
            if index < 16 { high = high << 4 | UInt64(digit) } else { low = low << 4 | UInt64(digit) }
        }
        self.init(high: high, low: low)
    }
}
