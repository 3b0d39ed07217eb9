package import FerryCore

/// Timestamps of the wire: RFC 3339 section 5.6, as Graph writes and reads `DateTimeOffset`.
///
/// Written: `2024-05-01T12:30:00Z`, or with the fraction that is needed and no more (`2024-05-01T12:30:00.25Z`).
/// Read: one to twelve digits of fraction (what is below a microsecond is cut off), `Z` or an offset, `t` and `z` in
/// either case; without a zone UTC is meant, as Graph takes it.
package enum RFC3339 {
    /// Years that four digits can say; instants outside are written as the nearest end.
    private static let range =
        Instant(seconds: -62_167_219_200)...Instant(microseconds: 253_402_300_799_999_999)

    package static func format(_ instant: Instant) -> String {
        var text = [UInt8]()
        text.reserveCapacity(27)
        append(instant, to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// Appends at most 27 octets.
    package static func append(_ instant: Instant, to output: inout [UInt8]) {
        let instant = min(max(instant, range.lowerBound), range.upperBound)
        let date = CivilDate(instant)
        output.append(decimal: date.year, digits: 4)
        output.append(UInt8(ascii: "-"))
        output.append(decimal: date.month, digits: 2)
        output.append(UInt8(ascii: "-"))
        output.append(decimal: date.day, digits: 2)
        output.append(UInt8(ascii: "T"))
        output.append(decimal: date.hour, digits: 2)
        output.append(UInt8(ascii: ":"))
        output.append(decimal: date.minute, digits: 2)
        output.append(UInt8(ascii: ":"))
        output.append(decimal: date.second, digits: 2)
        var fraction = Int(instant.microseconds - instant.seconds * 1_000_000)
        if fraction > 0 {
            var digits = 6
            while fraction % 10 == 0 {
                fraction /= 10
                digits -= 1
            }
            output.append(UInt8(ascii: "."))
            output.append(decimal: fraction, digits: digits)
        }
        output.append(UInt8(ascii: "Z"))
    }

    package static func parse(_ text: some StringProtocol) -> Instant? { parse(utf8: text.utf8) }

    /// `nil` for anything but a complete timestamp, days that do not exist and offsets of a day or more included.
    package static func parse(utf8 bytes: some Sequence<UInt8>) -> Instant? {
        var reader = Reader(bytes: Array(bytes))
        guard let year = reader.number(digits: 4), reader.skip("-"), let month = reader.number(digits: 2),
            reader.skip("-"), let day = reader.number(digits: 2), reader.skip("T") || reader.skip("t"),
            let hour = reader.number(digits: 2), reader.skip(":"), let minute = reader.number(digits: 2),
            reader.skip(":"), let second = reader.number(digits: 2)
        else { return nil }
        let date = CivilDate(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
        guard date.isValid, let fraction = reader.fraction(), let offset = reader.offset(), reader.isAtEnd else {
            return nil
        }
        return Instant(microseconds: (date.secondsSinceEpoch - Int64(offset)) * 1_000_000 + Int64(fraction))
    }

    private struct Reader {
        let bytes: [UInt8]
        var position = 0

        var isAtEnd: Bool { position == bytes.count }

        mutating func digit() -> Int? {
            guard position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) else {
                return nil
            }
            position += 1
            return Int(bytes[position - 1] - UInt8(ascii: "0"))
        }

        mutating func number(digits: Int) -> Int? {
            var number = 0
            for _ in 0..<digits {
                guard let digit = digit() else { return nil }
                number = number * 10 + digit
            }
            return number
        }

        mutating func skip(_ character: Unicode.Scalar) -> Bool {
            guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
            position += 1
            return true
        }

        /// Microseconds; 0 when there is no fraction.
        mutating func fraction() -> Int? {
            guard skip(".") else { return 0 }
            var fraction = 0
            var digits = 0
            while let digit = digit() {
                digits += 1
                if digits <= 6 { fraction = fraction * 10 + digit }
            }
            guard (1...12).contains(digits) else { return nil }
            for _ in 0..<max(0, 6 - digits) { fraction *= 10 }
            return fraction
        }

        /// Seconds east of UTC; 0 when there is no zone.
        mutating func offset() -> Int? {
            if isAtEnd || skip("Z") || skip("z") { return 0 }
            let isWest = skip("-")
            guard isWest || skip("+"), let hours = number(digits: 2), skip(":"), let minutes = number(digits: 2),
                hours < 24, minutes < 60
            else { return nil }
            return (hours * 3_600 + minutes * 60) * (isWest ? -1 : 1)
        }
    }
}
