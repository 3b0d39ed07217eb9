import FerryCore
import Testing

@testable import FerryFormats

@Suite struct RFC3339Tests {
    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0),
        ("1985-04-12T23:20:50.52Z", 482_196_050_520_000),  // RFC 3339 section 5.8
        ("2000-02-29T12:00:00Z", 951_825_600_000_000),
        ("2024-05-01T12:30:00.000001Z", 1_714_566_600_000_001),
        ("1969-12-31T23:59:59.999999Z", -1),
        ("0001-01-01T00:00:00Z", -62_135_596_800_000_000),
        ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
    ])
    func `An instant has one spelling`(text: String, microseconds: Int64) {
        #expect(RFC3339.format(Instant(microseconds: microseconds)) == text)
        #expect(RFC3339.parse(text) == Instant(microseconds: microseconds))
    }

    @Test(arguments: [
        ("1996-12-19T16:39:57-08:00", "1996-12-20T00:39:57Z"),  // RFC 3339 section 5.8
        ("1990-12-31T23:59:60Z", "1991-01-01T00:00:00Z"),
        ("1990-12-31T15:59:60-08:00", "1991-01-01T00:00:00Z"),
        ("1937-01-01T12:00:27.87+00:20", "1937-01-01T11:40:27.87Z"),
        ("2024-05-01t12:30:00z", "2024-05-01T12:30:00Z"),
        ("2024-05-01T12:30:00", "2024-05-01T12:30:00Z"),
        ("2024-05-01T12:30:00.5", "2024-05-01T12:30:00.5Z"),
        ("2024-05-01T12:30:00.123456789012Z", "2024-05-01T12:30:00.123456Z"),
        ("2024-05-01T12:30:00.0000000Z", "2024-05-01T12:30:00Z"),
        ("2024-05-01T12:30:00-00:00", "2024-05-01T12:30:00Z"),
        ("2024-05-01T00:30:00+14:00", "2024-04-30T10:30:00Z"),
    ])
    func `Other spellings are read`(text: String, canonical: String) throws {
        #expect(RFC3339.format(try #require(RFC3339.parse(text))) == canonical)
    }

    @Test(arguments: [
        "", "2024", "2024-05-01", "2024-05-01 12:30:00Z", "2024-05-01T12:30Z", "2024-5-1T12:30:00Z",
        "2024-02-30T00:00:00Z", "2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2024-13-01T00:00:00Z",
        "2024-00-01T00:00:00Z", "2024-01-00T00:00:00Z", "2024-05-01T24:00:00Z", "2024-05-01T12:60:00Z",
        "2024-05-01T12:30:61Z", "2024-05-01T12:30:00.Z", "2024-05-01T12:30:00.1234567890123Z",
        "2024-05-01T12:30:00+0100", "2024-05-01T12:30:00+24:00", "2024-05-01T12:30:00+01:60", "2024-05-01T12:30:00Zx",
        "2024-05-01T12:30:00 Z", " 2024-05-01T12:30:00Z", "-024-05-01T12:30:00Z", "２024-05-01T12:30:00Z",
    ])
    func `What is not a timestamp is refused`(text: String) {
        #expect(RFC3339.parse(text) == nil)
    }

    @Test func `Every instant comes back, and order is kept`() {
        var random = SeededGenerator(seed: 3339)
        let range: ClosedRange<Int64> = -62_167_219_200_000_000...253_402_300_799_999_999
        var instants = (0..<10_000).map { _ in Instant(microseconds: .random(in: range, using: &random)) }
        for instant in instants { #expect(RFC3339.parse(RFC3339.format(instant)) == instant) }
        instants.sort()
        let seconds = instants.map { String(RFC3339.format($0).prefix(19)) }
        #expect(seconds == seconds.sorted())
    }

    @Test func `Instants that four digits cannot say are written as the nearest end`() {
        #expect(RFC3339.format(.distantPast) == "0000-01-01T00:00:00Z")
        #expect(RFC3339.format(.distantFuture) == "9999-12-31T23:59:59.999999Z")
    }
}

@Suite struct InternetDateTests {
    @Test(arguments: [
        ("Fri, 21 Nov 1997 09:55:06 -0600", "1997-11-21T15:55:06Z"),  // RFC 5322 appendix A.1.1
        (
            "Thu,\r\n      13\r\n        Feb\r\n          1969\r\n      23:32\r\n               -0330 (Newfoundland Time)",
            "1969-02-14T03:02:00Z"
        ),  // appendix A.5
        ("21 Nov 97 09:55:06 GMT", "1997-11-21T09:55:06Z"),  // appendix A.6.2
        ("Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", "1997-11-21T15:55:06Z"),  // appendix A.6.3
        ("1 Jan 49 00:00 EST", "2049-01-01T05:00:00Z"),
        ("1 Jan 50 00:00:00 PDT", "1950-01-01T07:00:00Z"),
        ("1 Jan 104 00:00:00 +0000", "2004-01-01T00:00:00Z"),
        ("Mon, 01-May-2024 12:30:00 +0200", "2024-05-01T10:30:00Z"),
        ("wed may 1 2024 12:30:00 utc", "2024-05-01T12:30:00Z"),
        ("Wed, 1 May 2024 12:30:00 +0200 (CEST) extra", "2024-05-01T10:30:00Z"),
        ("Wed, 1 May 2024 12:30:00 CEST", "2024-05-01T12:30:00Z"),
        ("Wed, 1 May 2024 12:30:00", "2024-05-01T12:30:00Z"),
        ("Wed, 1 May 2024 12:30:00 +9999", "2024-05-01T12:30:00Z"),
        ("Wed, 1 May 2024 12:30:60 Z", "2024-05-01T12:31:00Z"),
        ("(a (nested \\) one) here) 1 May 2024 12:30 +0000", "2024-05-01T12:30:00Z"),
    ])
    func `Dates of mail are read`(text: String, canonical: String) throws {
        #expect(RFC3339.format(try #require(InternetDate.parse(text.utf8))) == canonical)
    }

    @Test(arguments: [
        "", "yesterday", "1", "1 May", "1 May 2024", "1 May 2024 12", "1 May 2024 12.30", "32 May 2024 12:30",
        "31 Apr 2024 12:30", "1 May 2024 25:00", "1 May 20240 12:30", "99999999999999999999 May 2024 12:30",
        "(1 May 2024 12:30", "1 Mai", ":::::", "1 May 2024 12:30:61",
    ])
    func `What is no date is refused`(text: String) {
        #expect(InternetDate.parse(text.utf8) == nil)
    }

    @Test func `What is written is read as the same second`() {
        #expect(InternetDate.format(Instant(seconds: 1_714_566_600)) == "Wed, 01 May 2024 12:30:00 +0000")
        var random = SeededGenerator(seed: 5322)
        for _ in 0..<5_000 {
            let instant = Instant(seconds: .random(in: -2_208_988_800...253_402_300_799, using: &random))
            #expect(InternetDate.parse(InternetDate.format(instant).utf8) == instant)
        }
    }

    @Test func `Any bytes are survived`() {
        var mutator = Mutator(
            seed: 11,
            fixtures: ["Fri, 21 Nov 1997 09:55:06 -0600 (c)".utf8, "1 Jan 50 00:00:00 PDT".utf8].map(Array.init),
            tokens: ["(", "\\", "-", ":", "999999", "May"])
        for _ in 0..<20_000 {
            if let instant = InternetDate.parse(mutator.next()) {
                #expect(RFC3339.parse(RFC3339.format(instant)) != nil)
            }
        }
    }
}
