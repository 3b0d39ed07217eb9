/// The charsets that demo mail is written in, so that a mailbox looks like one that has been used for years.
enum Charset: String, Sendable, CaseIterable {
    case utf8 = "utf-8"
    case latin1 = "iso-8859-1"
    case koi8r = "koi8-r"
    case iso2022jp = "iso-2022-jp"

    /// The text in this charset; `nil` when it cannot be written so.
    func encode(_ text: String) -> [UInt8]? {
        switch self {
        case .utf8: Array(text.utf8)
        case .latin1: Self.bytes(text) { $0.value < 0x100 ? UInt8($0.value) : nil }
        case .koi8r: Self.bytes(text, Self.koi8r)
        case .iso2022jp: Self.japanese(text)
        }
    }

    private static func bytes(_ text: String, _ encode: (Unicode.Scalar) -> UInt8?) -> [UInt8]? {
        var bytes: [UInt8] = []
        for scalar in text.unicodeScalars {
            guard let byte = encode(scalar) else { return nil }
            bytes.append(byte)
        }
        return bytes
    }

    // MARK: KOI8-R (RFC 1489)

    /// Small letters from 0xC0 on, capital ones 0x20 above them.
    private static let koi8Letters = Array("юабцдефгхийклмнопярстужвьызшэщчъ".unicodeScalars)
    private static let koi8Codes: [Unicode.Scalar: UInt8] = {
        var codes: [Unicode.Scalar: UInt8] = ["ё": 0xA3, "Ё": 0xB3]
        for (index, letter) in koi8Letters.enumerated() {
            codes[letter] = UInt8(0xC0 + index)
            if let capital = Unicode.Scalar(letter.value - 0x20) { codes[capital] = UInt8(0xE0 + index) }
        }
        return codes
    }()

    private static func koi8r(_ scalar: Unicode.Scalar) -> UInt8? {
        scalar.isASCII ? UInt8(scalar.value) : koi8Codes[scalar]
    }

    // MARK: ISO-2022-JP (RFC 1468)

    /// Characters of JIS X 0208 that the demo's texts use, besides kana, with their codes in the same order.
    private static let kanji =
        "会議資料確認明日午前時半開始場所変更件移行計画第一段階完了報告来週月曜社員名簿新願致承知本中送付昼食駅店田鈴木佐藤様部長電話番号末旅写真共有楽十"
    private static let kanjiCodes: [UInt16] = [
        0x3271, 0x3544, 0x3B71, 0x4E41, 0x334E, 0x4727, 0x4C40, 0x467C, 0x3861, 0x4130, 0x3B7E, 0x483E, 0x332B,
        0x3B4F, 0x3E6C, 0x3D6A, 0x4A51, 0x3939, 0x376F, 0x305C, 0x3954, 0x3757, 0x3268, 0x4268, 0x306C, 0x434A,
        0x332C, 0x3430, 0x4E3B, 0x4A73, 0x3970, 0x4D68, 0x3D35, 0x376E, 0x4D4B, 0x3C52, 0x3077, 0x4C3E, 0x4A6D,
        0x3F37, 0x346A, 0x4357, 0x3E35, 0x434E, 0x4B5C, 0x4366, 0x4177, 0x4955, 0x436B, 0x3F29, 0x3158, 0x4539,
        0x4544, 0x4E6B, 0x4C5A, 0x3A34, 0x4623, 0x4D4D, 0x4974, 0x4439, 0x4545, 0x4F43, 0x4856, 0x3966, 0x4B76,
        0x4E39, 0x3C4C, 0x3F3F, 0x3626, 0x4D2D, 0x335A, 0x3D3D,
    ]
    private static let jisCodes: [Unicode.Scalar: UInt16] = {
        var codes: [Unicode.Scalar: UInt16] = [
            "、": 0x2122, "。": 0x2123, "・": 0x2126, "：": 0x2127, "？": 0x2129, "！": 0x212A, "ー": 0x213C,
            "「": 0x2156, "」": 0x2157, "　": 0x2121,
        ]
        for (scalar, code) in zip(kanji.unicodeScalars, kanjiCodes) { codes[scalar] = code }
        return codes
    }()

    /// Hiragana and katakana stand in their rows in Unicode's order.
    private static func jis(_ scalar: Unicode.Scalar) -> UInt16? {
        switch scalar.value {
        case 0x3041...0x3093: 0x2421 + UInt16(scalar.value - 0x3041)
        case 0x30A1...0x30F6: 0x2521 + UInt16(scalar.value - 0x30A1)
        default: jisCodes[scalar]
        }
    }

    private static func japanese(_ text: String) -> [UInt8]? {
        let ascii: [UInt8] = [0x1B, 0x28, 0x42]
        let doubleByte: [UInt8] = [0x1B, 0x24, 0x42]
        var bytes: [UInt8] = []
        var isDouble = false
        for scalar in text.unicodeScalars {
            if scalar.isASCII {
                if isDouble { bytes += ascii }
                isDouble = false
                bytes.append(UInt8(scalar.value))
            } else {
                guard let code = jis(scalar) else { return nil }
                if !isDouble { bytes += doubleByte }
                isDouble = true
                bytes += [UInt8(code >> 8), UInt8(code & 0xFF)]
            }
        }
        return isDouble ? bytes + ascii : bytes
    }
}
