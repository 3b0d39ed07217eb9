/// Rows in aligned columns under a heading.
struct Table {
    struct Column {
        var title: String
        var alignment: TextWidth.Alignment

        init(_ title: String, _ alignment: TextWidth.Alignment = .left) {
            self.title = title
            self.alignment = alignment
        }
    }

    private let columns: [Column]
    private var rows: [[String]] = []

    init(_ columns: [Column]) { self.columns = columns }

    /// Adds a row; fields beyond the columns are a mistake of ours.
    mutating func append(_ row: [String]) {
        precondition(row.count == columns.count, "A row has one field per column.")
        rows.append(row)
    }

    /// The lines, without blanks at their ends. No rows give the heading only.
    func lines(style: Style) -> [String] {
        let widths = columns.indices.map { index in
            rows.map { TextWidth.columns(of: $0[index]) }.reduce(TextWidth.columns(of: columns[index].title), max)
        }
        func line(_ fields: [String], _ decorate: (String) -> String) -> String {
            var text = ""
            for (index, field) in fields.enumerated() {
                if index > 0 { text += "  " }
                let isLast = index == fields.count - 1 && columns[index].alignment == .left
                text += decorate(
                    isLast ? field : TextWidth.pad(field, to: widths[index], alignment: columns[index].alignment))
            }
            while text.hasSuffix(" ") { text.removeLast() }
            return text
        }
        return [line(columns.map(\.title)) { style(.bold, $0) }] + rows.map { line($0) { $0 } }
    }
}
