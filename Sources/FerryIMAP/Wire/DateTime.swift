package import FerryCore
import FerryFormats

/// `date-time` of RFC 9051 section 9: `"17-Jul-1996 02:44:25 -0700"`, without the quotes here.
package enum DateTime {
    private static let months = Array("JanFebMarAprMayJunJulAugSepOctNovDec".utf8)

    /// The instant; `nil` when the bytes are no date. The day may have one digit, with or without a space before it.
    package static func instant(_ bytes: [UInt8]) -> Instant? {
        var rest = bytes[...]
        while rest.first == 0x20 { rest.removeFirst() }
        guard let day = number(&rest, digits: 1...2), take(&rest, "-"), let month = month(&rest), take(&rest, "-"),
            let year = number(&rest, digits: 4...4), take(&rest, " "), let hour = number(&rest, digits: 2...2),
            take(&rest, ":"), let minute = number(&rest, digits: 2...2), take(&rest, ":"),
            let second = number(&rest, digits: 2...2), take(&rest, " ")
        else { return nil }
        let isWest = rest.first == UInt8(ascii: "-")
        guard isWest || rest.first == UInt8(ascii: "+") else { return nil }
        rest.removeFirst()
        guard let zone = number(&rest, digits: 4...4), zone % 100 < 60, rest.isEmpty else { return nil }
        let date = CivilDate(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
        guard date.isValid else { return nil }
        let offset = Int64(zone / 100 * 3_600 + zone % 100 * 60)
        return Instant(seconds: date.secondsSinceEpoch + (isWest ? offset : -offset))
    }

    /// `date` of RFC 9051 section 9, as in a search: `17-Jul-1996`. In UTC.
    package static func day(_ instant: Instant) -> String { String(text(instant).prefix(11).drop { $0 == " " }) }

    /// In UTC. The year must have at most four digits; others are cut to the years 0 and 9999.
    package static func text(_ instant: Instant) -> String {
        let earliest: Int64 = -62_167_219_200
        let latest: Int64 = 253_402_300_799
        let date = CivilDate(Instant(seconds: min(max(instant.seconds, earliest), latest)))
        var text = [UInt8]()
        text.append(decimal: date.day, digits: 2)
        if text[0] == UInt8(ascii: "0") { text[0] = 0x20 }
        text.append(UInt8(ascii: "-"))
        text += months[(date.month - 1) * 3..<date.month * 3]
        text.append(UInt8(ascii: "-"))
        text.append(decimal: date.year, digits: 4)
        for (separator, value) in [(" ", date.hour), (":", date.minute), (":", date.second)] {
            text += separator.utf8
            text.append(decimal: value, digits: 2)
        }
        text += " +0000".utf8
        return String(decoding: text, as: UTF8.self)
    }

    private static func take(_ rest: inout ArraySlice<UInt8>, _ character: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest.removeFirst()
        return true
    }

    private static func number(_ rest: inout ArraySlice<UInt8>, digits: ClosedRange<Int>) -> Int? {
        var value = 0
        var count = 0
        while count < digits.upperBound, let byte = rest.first, byte >= 0x30, byte <= 0x39 {
            value = value * 10 + Int(byte - 0x30)
            count += 1
            rest.removeFirst()
        }
        return digits.contains(count) ? value : nil
    }

    private static func month(_ rest: inout ArraySlice<UInt8>) -> Int? {
        guard rest.count >= 3 else { return nil }
        let name = rest.prefix(3).map { $0 | 0x20 }
        rest.removeFirst(3)
        return (1...12).first { months[($0 - 1) * 3..<$0 * 3].lazy.map { $0 | 0x20 }.elementsEqual(name) }
    }
}
