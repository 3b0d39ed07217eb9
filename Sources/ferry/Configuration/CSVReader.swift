/// Comma-separated values as RFC 4180 has them: quoted fields, doubled quotes, line breaks inside quotes. Also reads
/// what spreadsheets really write: a byte order mark, LF or CR alone as line break, blank lines.
enum CSVReader {
    struct Field: Hashable, Sendable {
        var text: String
        /// Where the field starts.
        var place: SourcePlace
    }

    struct Row: Hashable, Sendable {
        var line: Int
        var fields: [Field]
    }

    /// Reads all rows. What cannot be read is reported, and reading goes on with the next row.
    static func rows(of bytes: [UInt8], file: String, problems: ProblemList) -> [Row] {
        let text = String(decoding: bytes, as: UTF8.self)
        if text.utf8.count != bytes.count || !text.utf8.elementsEqual(bytes) {
            let line = firstInvalidLine(of: bytes)
            problems.report(
                "The file is not UTF-8.", remedy: "Save it again with the encoding UTF-8.",
                at: SourcePlace(file: file, line: line, column: 0), key: "")
            return []
        }
        var machine = Machine(file: file, problems: problems)
        var scalars = Array(text.unicodeScalars)
        if scalars.first == "\u{FEFF}" { scalars.removeFirst() }
        machine.read(scalars)
        return machine.rows
    }

    private static func firstInvalidLine(of bytes: [UInt8]) -> Int {
        var line = 1
        for part in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            if String(validating: part, as: UTF8.self) == nil { return line }
            line += 1
        }
        return line
    }

    /// The reader's state: one pass over the scalars.
    private struct Machine {
        let file: String
        let problems: ProblemList
        var rows: [Row] = []
        private var fields: [Field] = []
        private var field = ""
        private var start: SourcePlace
        private var line = 1
        private var column = 1

        init(file: String, problems: ProblemList) {
            self.file = file
            self.problems = problems
            start = SourcePlace(file: file, line: 1, column: 1)
        }

        mutating func read(_ scalars: [Unicode.Scalar]) {
            var index = 0
            var isQuoted = false
            /// After the closing quote only a comma or a line break may come.
            var isClosed = false
            while index < scalars.count {
                let scalar = scalars[index]
                index += 1
                if isQuoted {
                    if scalar == "\"" {
                        if index < scalars.count, scalars[index] == "\"" {
                            field.unicodeScalars.append(scalar)
                            index += 1
                            column += 2
                            continue
                        }
                        isQuoted = false
                        isClosed = true
                    } else {
                        field.unicodeScalars.append(scalar)
                        if scalar == "\n" {
                            line += 1
                            column = 0
                        }
                    }
                    column += 1
                    continue
                }
                switch scalar {
                case ",":
                    column += 1
                    endField()
                    isClosed = false
                case "\r", "\n":
                    if scalar == "\r", index < scalars.count, scalars[index] == "\n" { index += 1 }
                    endRow()
                    isClosed = false
                case "\"" where field.isEmpty && !isClosed:
                    isQuoted = true
                    column += 1
                default:
                    if isClosed {
                        problems.report(
                            "There is text after a closing quote.",
                            remedy: "Put the whole field into quotes and double the quotes inside it.",
                            at: SourcePlace(file: file, line: line, column: column), key: "")
                        isClosed = false
                    }
                    field.unicodeScalars.append(scalar)
                    column += 1
                }
            }
            if isQuoted {
                problems.report(
                    "A quoted field is never closed.", remedy: "Add the closing quote.", at: start, key: "")
            }
            if !field.isEmpty || !fields.isEmpty || isClosed { endRow() }
        }

        private mutating func endField() {
            fields.append(Field(text: field, place: start))
            field = ""
            start = SourcePlace(file: file, line: line, column: column)
        }

        private mutating func endRow() {
            endField()
            let isBlank = fields.count == 1 && fields[0].text.allSatisfy(\.isWhitespace)
            if !isBlank { rows.append(Row(line: fields[0].place.line, fields: fields)) }
            fields = []
            line += 1
            column = 1
            start = SourcePlace(file: file, line: line, column: 1)
        }
    }
}

/// A CSV file whose first row names its columns.
struct CSVTable {
    struct Record {
        var line: Int
        private let fields: [String: CSVReader.Field]
        private let fallback: SourcePlace

        fileprivate init(line: Int, fields: [String: CSVReader.Field], fallback: SourcePlace) {
            self.line = line
            self.fields = fields
            self.fallback = fallback
        }

        /// The field without surrounding white space; `nil` when the column is absent or the field is empty.
        subscript(_ column: String) -> String? {
            guard let field = fields[column] else { return nil }
            let text = field.text.trimmed
            return text.isEmpty ? nil : text
        }

        /// Where the field is; where the row is when there is none.
        func place(of column: String) -> SourcePlace { fields[column]?.place ?? fallback }
    }

    /// Columns that are there, in their canonical spelling.
    var columns: Set<String>
    var records: [Record]

    /// Reads a table. `required` columns must be there, all others must be among `optional`; case does not matter.
    init(
        _ bytes: [UInt8], file: String, required: [String], optional: [String], problems: ProblemList
    ) {
        columns = []
        records = []
        let rows = CSVReader.rows(of: bytes, file: file, problems: problems)
        guard let header = rows.first else {
            problems.report(
                "The file is empty.", remedy: "Its first line names the columns: \(required.joined(separator: ",")).",
                at: SourcePlace(file: file, line: 1, column: 0), key: "")
            return
        }
        let known = required + optional
        if header.fields.count == 1, header.fields[0].text.contains(";") {
            problems.report(
                "The columns are separated by semicolons.",
                remedy: "Save the file with commas; semicolons separate the aliases inside one field.",
                at: header.fields[0].place, key: "")
            return
        }
        var names: [String?] = []
        for field in header.fields {
            let name = field.text.trimmed
            if let canonical = known.first(where: { $0.lowercased() == name.lowercased() }) {
                if columns.contains(canonical) {
                    problems.report(
                        "The column is there twice.", remedy: "Remove one of them.", at: field.place, key: canonical)
                }
                columns.insert(canonical)
                names.append(canonical)
            } else {
                let hint = Suggestion.nearest(to: name, among: known).map { "Did you mean \($0)? " } ?? ""
                problems.report(
                    "Ferry does not know a column named \(name.quoted).",
                    remedy: "\(hint)Columns are \(known.joined(separator: ", ")).", at: field.place, key: "")
                names.append(nil)
            }
        }
        for column in required where !columns.contains(column) {
            problems.report(
                "The column is missing.", remedy: "Add it to the first line and to every row.",
                at: SourcePlace(file: file, line: header.line, column: 0), key: column)
        }
        for row in rows.dropFirst() {
            if row.fields.count != names.count {
                problems.report(
                    "The row has \(row.fields.count) fields, the first line names \(names.count) columns.",
                    remedy: "Add or remove commas, and put fields that contain a comma into quotes.",
                    at: SourcePlace(file: file, line: row.line, column: 0), key: "")
                continue
            }
            var fields: [String: CSVReader.Field] = [:]
            for case (let name?, let field) in zip(names, row.fields) { fields[name] = field }
            records.append(
                Record(
                    line: row.line, fields: fields, fallback: SourcePlace(file: file, line: row.line, column: 0)))
        }
    }
}

extension String {
    /// Without white space at both ends.
    var trimmed: String {
        let start = drop(while: \.isWhitespace)
        guard let last = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(start[...last])
    }

    /// In single quotes, for messages; long text is cut.
    var quoted: String {
        count > 60 ? "'\(prefix(57))…'" : "'\(self)'"
    }
}
