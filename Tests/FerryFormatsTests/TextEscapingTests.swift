import FerryFormats
import Testing

@Suite struct TextEscapingTests {
    @Test(arguments: [
        ("SUMMARY:Tea, and cake; all\r\n", "SUMMARY:Tea\\, and cake\\; all\r\n"),
        ("FN;X=\"a,b\":Ada, Okafor\n", "FN;X=\"a,b\":Ada\\, Okafor\n"),
        ("DESCRIPTION:a\\, b\\\\, c\\n\r\n", "DESCRIPTION:a\\, b\\\\\\, c\\n\r\n"),
        ("PHOTO:data:image/png;base64,AAAA\r\n", "PHOTO:data:image/png\\;base64\\,AAAA\r\n"),
        ("N:Okafor;Ada;;;\r\n", "N:Okafor;Ada;;;\r\n"), ("CATEGORIES:a,b\r\n", "CATEGORIES:a,b\r\n"),
        ("PHOTO:https://x/a,b\r\n", "PHOTO:https://x/a,b\r\n"),
        ("NOTE;ENCODING=QUOTED-PRINTABLE:a,b\r\n", "NOTE;ENCODING=QUOTED-PRINTABLE:a,b\r\n"), ("SUMMARY", "SUMMARY"),
    ])
    func `A text keeps what stands behind a comma`(given: String, expected: String) {
        let repaired = TextEscaping.repair(Array(given.utf8))
        #expect(String(decoding: repaired, as: UTF8.self) == expected)
        #expect(TextEscaping.repair(repaired) == repaired, "once is enough")
        #expect(ContentMeaning.digest(of: repaired) == ContentMeaning.digest(of: Array(given.utf8)))
    }
}
