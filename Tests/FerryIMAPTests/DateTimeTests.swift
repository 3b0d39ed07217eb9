import FerryCore
import FerryIMAP
import FerryTestKit
import Testing

@Suite struct DateTimeTests {
    @Test(arguments: [
        ("17-Jul-1996 02:44:25 -0700", 837_596_665), (" 7-Feb-1994 21:52:25 -0800", 760_686_745),
        ("01-jan-1970 00:00:00 +0000", 0), ("31-Dec-1969 23:59:59 +0000", -1),
        ("1-Jan-2024 00:00:00 +0530", 1_704_047_400),
    ])
    func `a date with its zone is an instant`(text: String, seconds: Int64) {
        #expect(DateTime.instant(Array(text.utf8)) == Instant(seconds: seconds))
    }

    @Test(arguments: [
        "", "17-Jul-1996", "17-Jul-1996 02:44:25", "32-Jan-2020 00:00:00 +0000", "17-Xxx-1996 02:44:25 -0700",
        "17-Jul-1996 25:00:00 +0000", "17-Jul-1996 02:44:25 -0760", "17-Jul-1996 02:44:25 -0700 x",
    ])
    func `what is no date is none`(text: String) {
        #expect(DateTime.instant(Array(text.utf8)) == nil)
    }

    @Test func `what is written is read back to the second, for every year of four digits`() {
        var random = SeededRandom(seed: RunSeed.value)
        for _ in 0..<2_000 {
            let instant = Instant(seconds: Int64.random(in: -62_167_219_200...253_402_300_799, using: &random))
            #expect(DateTime.instant(Array(DateTime.text(instant).utf8)) == instant)
        }
        #expect(DateTime.text(Instant(seconds: 837_596_665)) == "17-Jul-1996 09:44:25 +0000")
        #expect(DateTime.text(Instant(seconds: 760_686_745)) == " 8-Feb-1994 05:52:25 +0000")
    }
}
