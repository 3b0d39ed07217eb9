import FerryCore

/// The directory of one tenant as a CSV file, one person per row.
enum PeopleFile {
    static let required = ["id", "userPrincipalName", "displayName"]
    /// `login` names the account at every service, the others at one; both win over the mail address.
    static let optional =
        ["mail", "aliases", "login", "services", "hold"] + ServiceKind.allCases.map(loginColumn)

    /// What `hold` may say.
    private static let flags: [String: Bool] = ["yes": true, "true": true, "no": false, "false": false]

    static func loginColumn(_ service: ServiceKind) -> String { "\(service.rawValue)Login" }

    /// Reads the people; whoever cannot be read is reported and left out. Identifiers, sign-in names and addresses have
    /// to be unique, without regard to case.
    static func people(in bytes: [UInt8], file: String, problems: ProblemList) -> [Person] {
        let table = CSVTable(bytes, file: file, required: required, optional: optional, problems: problems)
        var seen = Uniqueness(problems: problems)
        var people: [Person] = []
        for record in table.records {
            let missing = required.filter { table.columns.contains($0) && record[$0] == nil }
            for column in missing {
                problems.report(
                    "The field is empty.", remedy: "Every person needs \(column).", at: record.place(of: column),
                    key: column)
            }
            guard missing.isEmpty, let idText = record["id"], let name = record["userPrincipalName"],
                let displayName = record["displayName"]
            else { continue }
            guard let id = PersonID(idText) else {
                problems.report(
                    "\(idText.quoted) is not a GUID.",
                    remedy: "Write 8-4-4-4-12 hexadecimal digits; `uuidgen` makes one.", at: record.place(of: "id"),
                    key: "id")
                continue
            }
            let mail = record["mail"] ?? name
            let aliases = (record["aliases"] ?? "").split(separator: ";").map { String($0).trimmed }
                .filter { !$0.isEmpty && $0.lowercased() != mail.lowercased() }
            guard
                areAddresses([mail], column: record["mail"] == nil ? "userPrincipalName" : "mail", record, problems),
                areAddresses(aliases, column: "aliases", record, problems)
            else { continue }
            seen.claim(idText, as: "id", record)
            seen.claim(name, as: "userPrincipalName", record)
            seen.claim(mail, as: "mail", record)
            for alias in aliases { seen.claim(alias, as: "aliases", record) }
            var logins: [ServiceKind: String] = [:]
            for service in ServiceKind.allCases {
                logins[service] = record[loginColumn(service)] ?? record["login"]
            }
            people.append(
                Person(
                    id: id, userPrincipalName: name, displayName: displayName, mail: mail, aliases: aliases,
                    logins: logins, entitlements: entitlements(record, problems), isOnHold: isOnHold(record, problems)))
        }
        return people
    }

    /// Services with semicolons between them; `-` for none.
    private static func entitlements(_ record: CSVTable.Record, _ problems: ProblemList) -> Set<ServiceKind>? {
        guard let text = record["services"] else { return nil }
        if text == "-" { return [] }
        var services: Set<ServiceKind> = []
        for name in text.split(separator: ";").map({ String($0).trimmed }) where !name.isEmpty {
            guard let service = ServiceKind(rawValue: name.lowercased()) else {
                problems.report(
                    "\(name.quoted) is no service.",
                    remedy:
                        "Write mail, calendar, contacts, files and chats with semicolons between them, or - for none.",
                    at: record.place(of: "services"), key: "services")
                continue
            }
            services.insert(service)
        }
        return services
    }

    private static func isOnHold(_ record: CSVTable.Record, _ problems: ProblemList) -> Bool {
        guard let text = record["hold"] else { return false }
        if let flag = flags[text.lowercased()] { return flag }
        problems.report(
            "\(text.quoted) is neither yes nor no.", remedy: "Write yes for a person under a legal hold, else no.",
            at: record.place(of: "hold"), key: "hold")
        return true
    }

    private static func areAddresses(
        _ addresses: [String], column: String, _ record: CSVTable.Record, _ problems: ProblemList
    ) -> Bool {
        for address in addresses where !address.isPlausibleAddress {
            problems.report(
                "\(address.quoted) is not a mail address.", remedy: "Write local-part@domain.",
                at: record.place(of: column), key: column)
            return false
        }
        return true
    }

    /// Who has which name already. Addresses, primary or not, share one space: mail must find one person.
    private struct Uniqueness {
        let problems: ProblemList
        private var lines: [String: [String: Int]] = [:]

        init(problems: ProblemList) { self.problems = problems }

        mutating func claim(_ name: String, as column: String, _ record: CSVTable.Record) {
            let space = column == "aliases" ? "mail" : column
            let key = name.lowercased()
            if let line = lines[space]?[key] {
                problems.report(
                    "\(name.quoted) belongs to the person in line \(line) already.",
                    remedy: "Give each person a different one, or remove the second row.",
                    at: record.place(of: column), key: column)
            } else {
                lines[space, default: [:]][key] = record.line
            }
        }
    }
}
