import FerryCore

/// The CSV files of a trust: who may leave, and who becomes whom. People are named by id, sign-in name or address.
enum TrustFiles {
    /// Reads the people who may leave: the first of the columns `id`, `userPrincipalName`, `mail` that is there counts.
    static func scope(
        in bytes: [UInt8], file: String, source: PersonFinder, problems: ProblemList
    ) -> Set<PersonID> {
        let spellings = ["id", "userPrincipalName", "mail"]
        let table = CSVTable(
            bytes, file: file, required: [], optional: spellings + ["displayName"], problems: problems)
        guard let column = spellings.first(where: table.columns.contains) else {
            if !table.columns.isEmpty || !table.records.isEmpty {
                problems.report(
                    "No column says who is meant.", remedy: "Name one column id, userPrincipalName or mail.",
                    at: SourcePlace(file: file, line: 1, column: 0), key: "")
            }
            return []
        }
        return Set(table.records.compactMap { find(column, in: $0, source, "source", problems) })
    }

    /// Reads the pairs `source,target`. A source person may stand in one row only; two rows with the same target are
    /// left to validation, which refuses both people by name.
    static func identities(
        in bytes: [UInt8], file: String, source: PersonFinder, target: PersonFinder, problems: ProblemList
    ) -> [(source: PersonID, target: PersonID)] {
        let table = CSVTable(
            bytes, file: file, required: ["source", "target"], optional: ["displayName"], problems: problems)
        var lines: [PersonID: Int] = [:]
        var pairs: [(source: PersonID, target: PersonID)] = []
        for record in table.records where table.columns.isSuperset(of: ["source", "target"]) {
            let from = find("source", in: record, source, "source", problems)
            let to = find("target", in: record, target, "target", problems)
            guard let from, let to else { continue }
            if let line = lines[from] {
                problems.report(
                    "The person is mapped in line \(line) already.", remedy: "Remove one of the two rows.",
                    at: record.place(of: "source"), key: "source")
                continue
            }
            lines[from] = record.line
            pairs.append((source: from, target: to))
        }
        return pairs
    }

    private static func find(
        _ column: String, in record: CSVTable.Record, _ finder: PersonFinder, _ side: String, _ problems: ProblemList
    ) -> PersonID? {
        guard let text = record[column] else {
            problems.report(
                "The field is empty.", remedy: "Write a person's id, sign-in name or address, or remove the row.",
                at: record.place(of: column), key: column)
            return nil
        }
        if let person = finder.person(text) { return person }
        let hint = Suggestion.nearest(to: text, among: finder.names).map { "Did you mean \($0)? " } ?? ""
        problems.report(
            "The \(side) tenant has nobody named \(text.quoted).",
            remedy: hint + "Add the person to the tenant's people, or mend the name.", at: record.place(of: column),
            key: column)
        return nil
    }
}
