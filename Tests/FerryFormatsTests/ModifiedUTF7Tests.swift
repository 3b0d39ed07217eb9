import Testing

@testable import FerryFormats

@Suite struct ModifiedUTF7Tests {
    @Test(arguments: [
        ("", ""), ("INBOX", "INBOX"), ("R&D", "R&-D"), ("&", "&-"), ("&&", "&-&-"), ("a~b", "a~b"),
        ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),  // RFC 3501 section 5.1.3
        ("Entwürfe", "Entw&APw-rfe"), ("Éléments envoyés", "&AMk-l&AOk-ments envoy&AOk-s"),
        ("Отправленные", "&BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-"), ("😀", "&2D3eAA-"), ("a\tb", "a&AAk-b"),
        ("\u{7F}", "&AH8-"), ("ü&ü", "&APw-&-&APw-"),
    ])
    func `Names have one encoding`(text: String, name: String) {
        #expect(ModifiedUTF7.encode(text) == name)
        #expect(ModifiedUTF7.decode(name) == text)
    }

    @Test(arguments: [
        "&", "a&", "&APw", "&Jjo!", "&U,BTFw-&ZeVnLIqe-", "&AGE-", "&AP-", "&APx-", "&2D0-", "&3gA-", "ü", "a\tb",
        "&AA==-", "&A-", "&APwA-", "&AP/-",
    ])
    func `What is not the one encoding of a name is refused`(name: String) {
        #expect(ModifiedUTF7.decode(name) == nil)
    }

    @Test func `Any text comes back, and no other name stands for it`() {
        var random = SeededGenerator(seed: 7)
        let scripts: [ClosedRange<UInt32>] = [
            0x00...0x7F, 0x80...0x24F, 0x370...0x3FF, 0x400...0x4FF, 0x590...0x6FF, 0x900...0x97F, 0x4E00...0x4FFF,
            0xAC00...0xACFF, 0x1F600...0x1F64F, 0xFFF0...0x1000F, 0x26...0x2D,
        ]
        for _ in 0..<5_000 {
            var text = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: 0...12, using: &random) {
                guard let range = scripts.randomElement(using: &random) else { continue }
                if let scalar = Unicode.Scalar(UInt32.random(in: range, using: &random)) { text.append(scalar) }
            }
            let name = ModifiedUTF7.encode(String(text))
            #expect(name.utf8.allSatisfy { (0x20...0x7E).contains($0) })
            #expect(ModifiedUTF7.decode(name).map { Array($0.utf8) } == Array(String(text).utf8))
        }
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0...10, using: &random)).map { _ in
                "&-,+AZaz09/ \u{E9}".utf8.randomElement(using: &random) ?? 0
            }
            let name = String(decoding: bytes, as: UTF8.self)
            if let text = ModifiedUTF7.decode(name) { #expect(ModifiedUTF7.encode(text) == name) }
        }
    }
}
