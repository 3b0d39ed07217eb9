package import FerryCore

/// The date of a mail header: RFC 5322 section 3.3, with the obsolete forms of section 4.3 that old mail is full of.
package enum InternetDate {
    /// Reads what follows `Date:`. Comments and folding may stand anywhere between the words; the name of the day is
    /// not looked at; seconds and zone may be missing (UTC is meant); zones may be names.
    ///
    /// `nil` when there is no date in it. Text after the date is ignored, because mailers add names of zones there.
    package static func parse(_ bytes: some Sequence<UInt8>) -> Instant? {
        var words = words(of: bytes)[...]
        // "Mon," or "Mon" or, of broken mailers, nothing but the comma.
        while let first = words.first, first.number == nil, month(first.text) == nil { words.removeFirst() }
        guard let day = takeDay(&words), let month = day.month ?? words.popFirst().flatMap({ self.month($0.text) }),
            let year = words.popFirst().flatMap({ year($0) }), let hour = words.popFirst()?.number
        else { return nil }
        var date = CivilDate(year: year, month: month, day: day.day, hour: hour)
        guard words.popFirst()?.text == [colon], let minute = words.popFirst()?.number else { return nil }
        date.minute = minute
        if words.first?.text == [colon] {
            words.removeFirst()
            guard let second = words.popFirst()?.number else { return nil }
            date.second = second
        }
        guard date.isValid else { return nil }
        return Instant(seconds: date.secondsSinceEpoch - Int64(offset(words) * 60))
    }

    /// `Wed, 01 May 2024 12:30:00 +0000`; the fraction of the second is cut off.
    package static func format(_ instant: Instant) -> String {
        let date = CivilDate(instant)
        var text = Array(dayNames[date.weekday].utf8)
        text += [UInt8(ascii: ","), UInt8(ascii: " ")]
        text.append(decimal: date.day, digits: 2)
        text.append(UInt8(ascii: " "))
        text += monthNames[date.month - 1].utf8
        text.append(UInt8(ascii: " "))
        text.append(decimal: max(0, date.year), digits: date.year > 9_999 ? 6 : 4)
        text.append(UInt8(ascii: " "))
        text.append(decimal: date.hour, digits: 2)
        text.append(colon)
        text.append(decimal: date.minute, digits: 2)
        text.append(colon)
        text.append(decimal: date.second, digits: 2)
        text += " +0000".utf8
        return String(decoding: text, as: UTF8.self)
    }

    private static let colon = UInt8(ascii: ":")
    private static let dayNames = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let monthNames = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    private static let months = monthNames.map { Array($0.lowercased().utf8) }

    /// Section 4.3. Military letters are not here: they were used wrongly so often that they say nothing.
    private static let zones: [[UInt8]: Int] = [
        "ut": 0, "gmt": 0, "utc": 0, "z": 0, "edt": -240, "est": -300, "cdt": -300, "cst": -360, "mdt": -360,
        "mst": -420, "pdt": -420, "pst": -480,
    ].reduce(into: [:]) { $0[Array($1.key.utf8)] = $1.value }

    /// A run of letters and digits (lower case), a sign with its digits, or a colon; the rest separates.
    private struct Word {
        var text: [UInt8]

        /// At most six digits, so that nothing overflows.
        var number: Int? {
            guard !text.isEmpty, text.count <= 6 else { return nil }
            var number = 0
            for byte in text {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
                number = number * 10 + Int(byte - UInt8(ascii: "0"))
            }
            return number
        }
    }

    private static func words(of bytes: some Sequence<UInt8>) -> [Word] {
        var words = [Word]()
        var word = [UInt8]()
        var depth = 0
        var isEscaped = false
        func end() {
            if !word.isEmpty { words.append(Word(text: word)) }
            word.removeAll()
        }
        for byte in bytes {
            if depth > 0 {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "(") {
                    depth += 1
                } else if byte == UInt8(ascii: ")") {
                    depth -= 1
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "("):
                end()
                depth = 1
            case colon:
                end()
                words.append(Word(text: [colon]))
            case UInt8(ascii: "+"), UInt8(ascii: "-"):
                end()
                word.append(byte)
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): word.append(byte | 0x20)
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): word.append(byte)
            default: end()
            }
            // A date is over long before; what follows is not worth memory.
            if words.count > 16 { break }
        }
        end()
        return words
    }

    /// The day, and the month where it comes first ("May 1 2024", as ctime writes).
    private static func takeDay(_ words: inout ArraySlice<Word>) -> (day: Int, month: Int?)? {
        guard let first = words.popFirst() else { return nil }
        if let day = first.number { return (day, nil) }
        guard let month = month(first.text), let day = words.popFirst()?.number else { return nil }
        return (day, month)
    }

    /// A name of a month or its first three letters; "01-May-2024" leaves a dash in front.
    private static func month(_ text: [UInt8]) -> Int? {
        let name = text.first == UInt8(ascii: "-") ? text.dropFirst() : text[...]
        guard name.count >= 3 else { return nil }
        return months.firstIndex(of: Array(name.prefix(3))).map { $0 + 1 }
    }

    /// Two digits are 1950 to 2049, three are counted from 1900 (section 4.3).
    private static func year(_ word: Word) -> Int? {
        var digits = word
        if digits.text.first == UInt8(ascii: "-") { digits.text.removeFirst() }
        guard let number = digits.number else { return nil }
        switch digits.text.count {
        case 1, 2: return number < 50 ? number + 2000 : number + 1900
        case 3: return number + 1900
        case 4: return number
        default: return nil
        }
    }

    /// Minutes east of UTC; 0 for zones that are missing or unknown.
    private static func offset(_ words: ArraySlice<Word>) -> Int {
        guard let zone = words.first?.text, let sign = zone.first else { return 0 }
        guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") else { return zones[zone] ?? 0 }
        let digits = Word(text: Array(zone.dropFirst()))
        guard digits.text.count == 4, let number = digits.number, number % 100 < 60 else { return 0 }
        let minutes = number / 100 * 60 + number % 100
        return sign == UInt8(ascii: "-") ? -minutes : minutes
    }
}
