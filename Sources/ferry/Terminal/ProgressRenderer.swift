/// Turns a snapshot into lines of text: a heading, then a line with a bar for each workload. Pure.
struct ProgressRenderer: Sendable {
    /// Columns that may be used.
    var width: Int
    /// Blocks and ellipses; otherwise ASCII only.
    var isUnicode: Bool
    var style: Style

    func lines(_ snapshot: ProgressSnapshot) -> [String] {
        [heading(snapshot)] + workloadLines(snapshot.lines)
    }

    /// One line that says as much as fits, for logs and pipes.
    func summary(_ snapshot: ProgressSnapshot) -> String {
        let items = snapshot.lines.reduce(0) { $0 + $1.items }
        let bytes = snapshot.lines.reduce(0) { $0 + $1.bytes }
        let failed = snapshot.lines.reduce(0) { $0 + $1.failed }
        var text = "\(snapshot.name): \(snapshot.status), \(snapshot.peopleDone)/\(snapshot.people) people done, "
        text += "\(Quantity.count(items)) items, \(Quantity.bytes(bytes))"
        if failed > 0 { text += ", \(Quantity.count(failed)) failed" }
        text += ", \(Quantity.duration(seconds: snapshot.elapsedSeconds))"
        return text
    }

    // MARK: heading

    private func heading(_ snapshot: ProgressSnapshot) -> String {
        var parts = ["\(snapshot.peopleDone)/\(snapshot.people) people done"]
        parts.append("\(Quantity.duration(seconds: snapshot.elapsedSeconds)) elapsed")
        if let remaining = snapshot.remainingSeconds {
            parts.append("about \(Quantity.duration(seconds: remaining)) left")
        }
        let dot = isUnicode ? " · " : " | "
        let tail = dot + parts.joined(separator: dot)
        let room = max(8, width - TextWidth.columns(of: tail) - TextWidth.columns(of: snapshot.status) - 2)
        let name = cut(snapshot.name, to: room)
        let plain = TextWidth.columns(of: name) + 2 + TextWidth.columns(of: snapshot.status + tail)
        let visibleTail = plain <= width ? tail : ""
        return style(.bold, name) + "  " + style(colour(of: snapshot.status), snapshot.status)
            + style(.dim, visibleTail)
    }

    private func colour(of status: String) -> Style.Colour {
        switch status {
        case "completed", "validatePassed": .green
        case "failed", "validateFailed", "completedWithErrors", "adminActionRequired": .red
        case "cancelled", "pendingCancel", "deleted", "pendingDelete": .yellow
        default: .cyan
        }
    }

    // MARK: workloads

    private func workloadLines(_ lines: [ProgressSnapshot.Line]) -> [String] {
        let names = column(lines.map(\.name))
        let percents = lines.map { line in
            TextWidth.pad(line.fraction.map { "\(Int($0 * 100))%" } ?? "", to: 4, alignment: .right)
        }
        let counts = column(lines.map(counts), .right)
        // From the least to the most important: what does not fit is left out, whole columns at a time.
        var extras: [[String]] = [
            column(lines.map { Quantity.bytes($0.bytes) }, .right),
            column(lines.map(rates), .right),
            lines.map(remarks),
        ]
        let fixed = width(of: names) + 2 + 6 + width(of: counts)
        func total() -> Int { fixed + extras.reduce(0) { $0 + (width(of: $1) == 0 ? 0 : width(of: $1) + 2) } }
        let shortestBar = 8
        if total() + shortestBar > width {
            // Remarks may be cut before anything is dropped.
            let room = width - shortestBar - (total() - width(of: extras[2]))
            extras[2] = room >= 8 ? extras[2].map { cut($0, to: room) } : extras[2].map { _ in "" }
        }
        while total() + shortestBar > width, let index = extras.lastIndex(where: { width(of: $0) > 0 }) {
            extras[index] = extras[index].map { _ in "" }
        }
        let barWidth = max(4, min(30, width - total()))
        return lines.indices.map { index in
            let line = lines[index]
            var text = names[index] + "  " + bar(line, width: barWidth) + " " + percents[index] + " " + counts[index]
            for (position, extra) in extras.enumerated() where width(of: extra) > 0 {
                let isTrouble = position == 2 && line.failed > 0
                text += "  " + (position == 0 ? extra[index] : style(isTrouble ? .red : .dim, extra[index]))
            }
            while text.hasSuffix(" ") { text.removeLast() }
            return text
        }
    }

    private func counts(_ line: ProgressSnapshot.Line) -> String {
        guard let expected = line.itemsExpected else { return Quantity.count(line.items) }
        return "\(Quantity.count(line.items))/\(Quantity.count(expected))"
    }

    private func rates(_ line: ProgressSnapshot.Line) -> String {
        guard let items = line.itemsPerSecond, items > 0 else { return "" }
        return Quantity.rate(items) + (line.bytesPerSecond.map { " " + Quantity.byteRate($0) } ?? "")
    }

    private func remarks(_ line: ProgressSnapshot.Line) -> String {
        var parts: [String] = []
        if line.failed > 0 { parts.append("\(Quantity.count(line.failed)) items failed") }
        if line.skipped > 0 { parts.append("\(Quantity.count(line.skipped)) skipped") }
        let states = line.states.filter { $0.value > 0 }.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        parts.append(contentsOf: states.map { "\($0.value) \($0.key)" })
        return parts.joined(separator: ", ")
    }

    private func bar(_ line: ProgressSnapshot.Line, width: Int) -> String {
        let fraction = line.fraction ?? 0
        let colour: Style.Colour = line.failed > 0 ? .yellow : fraction >= 1 ? .green : .cyan
        guard isUnicode else {
            let inner = width - 2
            let full = Int(fraction * Double(inner))
            return "[" + style(colour, String(repeating: "#", count: full))
                + String(repeating: "-", count: inner - full) + "]"
        }
        // Eighths of a column: U+2588 is full, U+2589 to U+258F are seven eighths down to one.
        let eighths = Int(fraction * Double(width * 8))
        var filled = String(repeating: "█", count: eighths / 8)
        let rest = eighths % 8
        if rest > 0, let scalar = Unicode.Scalar(UInt32(0x2590 - rest)) { filled.unicodeScalars.append(scalar) }
        let empty = String(repeating: "░", count: width - (eighths + 7) / 8)
        return style(colour, filled) + style(.dim, empty)
    }

    // MARK: layout

    private func column(_ texts: [String], _ alignment: TextWidth.Alignment = .left) -> [String] {
        let widest = width(of: texts)
        return texts.map { TextWidth.pad($0, to: widest, alignment: alignment) }
    }

    private func width(of texts: [String]) -> Int { texts.map { TextWidth.columns(of: $0) }.max() ?? 0 }

    private func cut(_ text: String, to room: Int) -> String {
        if isUnicode { return TextWidth.cut(text, to: room) }
        return TextWidth.columns(of: text) <= room ? text : String(text.prefix(max(0, room - 2))) + ".."
    }
}
