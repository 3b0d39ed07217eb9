import FerryCore

/// The CSV files of a trust: who may leave, and who becomes whom. People are named by id, sign-in name or address.
enum TrustFiles {
    /// Reads the people who may leave: the first of the columns `id`, `userPrincipalName`, `mail` that is there counts.
    static func scope(in bytes: [UInt8], file: String, problems: ProblemList) -> [PersonReference] {
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
        return table.records.compactMap { reference(column, in: $0, problems) }
    }

    /// Reads the pairs `source,target`. A source person may stand in one row only; two rows with the same target are
    /// left to validation, which refuses both people by name.
    static func identities(
        in bytes: [UInt8], file: String, problems: ProblemList
    ) -> [(source: PersonReference, target: PersonReference)] {
        let table = CSVTable(
            bytes, file: file, required: ["source", "target"], optional: ["displayName"], problems: problems)
        return table.records.filter { _ in table.columns.isSuperset(of: ["source", "target"]) }.compactMap { record in
            let source = reference("source", in: record, problems)
            let target = reference("target", in: record, problems)
            guard let source, let target else { return nil }
            return (source, target)
        }
    }

    private static func reference(
        _ column: String, in record: CSVTable.Record, _ problems: ProblemList
    ) -> PersonReference? {
        guard let text = record[column] else {
            problems.report(
                "The field is empty.", remedy: "Write a person's id, sign-in name or address, or remove the row.",
                at: record.place(of: column), key: column)
            return nil
        }
        return PersonReference(text: text, place: record.place(of: column), key: column)
    }
}

/// Finds out who is meant by the names in the files of a trust.
struct ReferenceResolver {
    let source: PersonFinder
    let target: PersonFinder
    let problems: ProblemList

    func scope(_ references: [PersonReference]) -> Set<PersonID> {
        Set(references.compactMap { find($0, source, "source") })
    }

    /// A source person may be named once only.
    func pairs(
        _ references: [(source: PersonReference, target: PersonReference)]
    ) -> [(source: PersonID, target: PersonID)] {
        var lines: [PersonID: Int] = [:]
        return references.compactMap { pair in
            let from = find(pair.source, source, "source")
            let to = find(pair.target, target, "target")
            guard let from, let to else { return nil }
            if let line = lines[from] {
                problems.report(
                    "The person is mapped in line \(line) already.", remedy: "Remove one of the two rows.",
                    at: pair.source.place, key: pair.source.key)
                return nil
            }
            lines[from] = pair.source.place.line
            return (source: from, target: to)
        }
    }

    private func find(_ reference: PersonReference, _ finder: PersonFinder, _ side: String) -> PersonID? {
        if let person = finder.person(reference.text) { return person }
        let hint = Suggestion.nearest(to: reference.text, among: finder.names).map { "Did you mean \($0)? " } ?? ""
        problems.report(
            "The \(side) tenant has nobody named \(reference.text.quoted).",
            remedy: hint + "Add the person to the tenant's people, or mend the name.", at: reference.place,
            key: reference.key)
        return nil
    }
}
