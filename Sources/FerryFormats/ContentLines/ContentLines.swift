/// The lines of an iCalendar or vCard object, each with the octets it takes up, so that some can be changed and all
/// others stay what they are.
///
/// A line goes from its first octet to before the next line that does not begin with a blank. Line ends are CRLF or
/// bare LF, mixed as found; the last may be missing. The ranges of all lines together are the object, whatever is in
/// it.
package struct ContentLines: Sequence, IteratorProtocol {
    /// Where one line lies, folds and line end included.
    package struct Location: Sendable, Hashable {
        package var range: Range<Int>
        /// The line's folds; each is a line end and the blank after it. Ascending.
        fileprivate var folds: [Range<Int>]
        /// The octets of the line end: 2, 1 or, at the end of the object, 0.
        fileprivate var lineEnd: Range<Int>
    }

    private let bytes: [UInt8]
    private var position = 0

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    package mutating func next() -> Location? {
        guard position < bytes.count else { return nil }
        let start = position
        var folds = [Range<Int>]()
        while true {
            guard let newline = bytes[position...].firstIndex(of: 0x0A) else {
                position = bytes.count
                return Location(range: start..<position, folds: folds, lineEnd: position..<position)
            }
            let end = newline > position && bytes[newline - 1] == 0x0D ? newline - 1 : newline
            position = newline + 1
            if position < bytes.count, ASCII.isBlank(bytes[position]) {
                folds.append(end..<position + 1)
                position += 1
            } else {
                return Location(range: start..<position, folds: folds, lineEnd: end..<position)
            }
        }
    }

    /// The property's name and nothing else, upper case, group cut off: cheap, to pass over lines that do not matter.
    /// `nil` for names with a fold inside, which no program writes: read the line then.
    package func name(at location: Location) -> String? {
        let end = location.folds.first?.lowerBound ?? location.lineEnd.lowerBound
        let line = bytes[location.range.lowerBound..<end]
        guard let nameEnd = line.firstIndex(where: { $0 == UInt8(ascii: ";") || $0 == UInt8(ascii: ":") }) else {
            return location.folds.isEmpty ? "" : nil
        }
        let dot = line[..<nameEnd].firstIndex(of: UInt8(ascii: "."))
        return ASCII.uppercasedText(line[(dot.map { $0 + 1 } ?? line.startIndex)..<nameEnd])
    }

    /// The line, unfolded and taken apart; `nil` when it is no property.
    package func line(at location: Location) -> ContentLine? {
        var octets = [UInt8]()
        octets.reserveCapacity(location.range.count)
        var position = location.range.lowerBound
        for fold in location.folds {
            octets += bytes[position..<fold.lowerBound]
            position = fold.upperBound
        }
        octets += bytes[position..<location.lineEnd.lowerBound]
        return ContentLine(unfolded: octets)
    }

    /// The octets that stand for an unfolded line in the place of another: folded anew after at most 75 octets (RFC
    /// 5545 section 3.1), never inside a character, with the line ends of the line that was there.
    package func folded(_ octets: [UInt8], insteadOf location: Location) -> [UInt8] {
        let terminator = Array(bytes[location.lineEnd])
        let lineEnd = self.lineEnd(of: location)
        var output = [UInt8]()
        output.reserveCapacity(octets.count + octets.count / 70 * 3 + 2)
        var start = 0
        var room = 75
        while octets.count - start > room {
            var end = start + room
            // Back to the first octet of a character; four steps at most, so that what is no UTF-8 is folded as well.
            var steps = 0
            while steps < 3, end > start + 1, octets[end] & 0xC0 == 0x80 {
                end -= 1
                steps += 1
            }
            output += octets[start..<end]
            output += lineEnd
            output.append(0x20)
            start = end
            room = 74
        }
        return output + octets[start...] + terminator
    }

    /// How lines end here: as this one does, or its folds, or the first line of the object that has an end; CRLF if
    /// none.
    package func lineEnd(of location: Location) -> [UInt8] {
        if !location.lineEnd.isEmpty { return Array(bytes[location.lineEnd]) }
        if let fold = location.folds.first { return Array(bytes[fold].dropLast()) }
        guard let newline = bytes.firstIndex(of: 0x0A), newline > 0, bytes[newline - 1] != 0x0D else {
            return [0x0D, 0x0A]
        }
        return [0x0A]
    }
}
