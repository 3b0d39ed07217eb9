/// Numbers as people read them.
enum Quantity {
    /// `1,234,567`.
    static func count(_ value: Int64) -> String {
        let digits = Array(String(value.magnitude))
        var text = value < 0 ? "-" : ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text += "," }
            text.append(digit)
        }
        return text
    }

    /// Three digits with a binary unit: `512 B`, `1.4 MiB`, `23.0 GiB`.
    static func bytes(_ value: Int64) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
        var scaled = Double(value)
        var unit = 0
        while scaled >= 999.5, unit < units.count - 1 {
            scaled /= 1024
            unit += 1
        }
        return unit == 0 ? "\(value) B" : "\(decimal(scaled)) \(units[unit])"
    }

    /// Per second: `845/s`, `12.3/s`.
    static func rate(_ perSecond: Double) -> String {
        perSecond >= 100 ? "\(count(Int64(perSecond.rounded())))/s" : "\(decimal(perSecond))/s"
    }

    static func byteRate(_ perSecond: Double) -> String { bytes(Int64(perSecond.rounded())) + "/s" }

    /// `0:07`, `12:30`, `1:02:03`, `3 d 4 h`.
    static func duration(seconds: Double) -> String {
        let whole = Int64(max(0, seconds).rounded())
        let (days, hours, minutes, rest) = (whole / 86400, whole / 3600 % 24, whole / 60 % 60, whole % 60)
        if days > 0 { return "\(days) d \(hours) h" }
        if hours > 0 { return "\(hours):\(two(minutes)):\(two(rest))" }
        return "\(minutes):\(two(rest))"
    }

    /// Whole percent, rounded down, so that 100 means all of it.
    static func percent(_ done: Int64, of total: Int64) -> Int {
        total <= 0 ? (done > 0 ? 100 : 0) : Int(min(100, max(0, Double(done) / Double(total) * 100)))
    }

    /// One digit after the point below 100, none from there on.
    static func decimal(_ value: Double) -> String {
        if value >= 99.95 { return String(Int64(value.rounded())) }
        let tenths = Int64((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    private static func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
}
