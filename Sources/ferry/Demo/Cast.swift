import FerryCore

/// Somebody in the demo, before and after the move.
struct CastMember: Sendable {
    var source: Person
    var target: Person
    /// In the person's own script.
    var givenName: String
    var familyName: String
    var jobTitle: String
    var timeZone: DemoTimeZone

    var handle: String { "@\(source.logins[.chats] ?? ""):\(Cast.sourceDomain)" }
    var login: String { source.logins[.mail] ?? source.mail }
}

/// The people of both tenants.
enum Cast {
    static let sourceDomain = "contoso.example"
    static let targetDomain = "fabrikam.example"

    /// `count` people. The first ones have names of their own; after these, given and family names are combined.
    static func members(_ count: Int, dice: Dice) -> [CastMember] {
        var dice = dice
        var logins: Set<String> = []
        var shortLogins: Set<String> = []
        return (0..<count).map { index in
            let own = names[index % names.count]
            let other = names[(index * 7 + index / names.count * 3) % names.count]
            let isCombined = index >= names.count
            let given = isCombined ? own.givenLatin : own.given
            let family = isCombined ? other.familyLatin : own.family
            let familyLatin = isCombined ? other.familyLatin : own.familyLatin
            let login = unique("\(slug(own.givenLatin)).\(slug(familyLatin))", among: &logins)
            let short = unique("\(slug(own.givenLatin).prefix(1))\(slug(familyLatin))", among: &shortLogins)
            let displayName = own.familyFirst && !isCombined ? "\(family) \(given)" : "\(given) \(family)"
            return CastMember(
                source: person(dice.guid(), login, sourceDomain, displayName, alias: short),
                target: person(dice.guid(), short, targetDomain, displayName, alias: login), givenName: given,
                familyName: family, jobTitle: dice.pick(jobTitles), timeZone: own.zone)
        }
    }

    private static func person(
        _ id: GUID, _ login: String, _ domain: String, _ displayName: String, alias: String
    ) -> Person {
        Person(
            id: PersonID(id), userPrincipalName: "\(login)@\(domain)", displayName: displayName,
            mail: "\(login)@\(domain)", aliases: login == alias ? [] : ["\(alias)@\(domain)"],
            logins: Dictionary(uniqueKeysWithValues: ServiceKind.allCases.map { ($0, login) }))
    }

    private static func unique(_ name: String, among names: inout Set<String>) -> String {
        var candidate = name
        var number = 2
        while !names.insert(candidate).inserted {
            candidate = "\(name)\(number)"
            number += 1
        }
        return candidate
    }

    /// Lower-case letters of the Latin spelling.
    private static func slug(_ name: String) -> String {
        String(name.lowercased().filter { $0.isASCII && $0.isLetter })
    }

    private struct Name: Sendable {
        var given: String
        var family: String
        var givenLatin: String
        var familyLatin: String
        var zone: DemoTimeZone
        /// As in Japanese and Hungarian.
        var familyFirst = false

        init(
            _ given: String, _ family: String, latin: (String, String)? = nil, _ zone: DemoTimeZone = .berlin,
            familyFirst: Bool = false
        ) {
            self.given = given
            self.family = family
            givenLatin = latin?.0 ?? given
            familyLatin = latin?.1 ?? family
            self.zone = zone
            self.familyFirst = familyFirst
        }
    }

    private static let names: [Name] = [
        Name("Ada", "Okafor"), Name("Björn", "Lindqvist", latin: ("Bjorn", "Lindqvist")),
        Name("Chiara", "Moretti"), Name("Дмитрий", "Соколов", latin: ("Dmitri", "Sokolov")),
        Name("Ελένη", "Παπαδοπούλου", latin: ("Eleni", "Papadopoulou")), Name("Farid", "Haddad"),
        Name("結衣", "佐藤", latin: ("Yui", "Sato"), .tokyo, familyFirst: true), Name("Grace", "Whitfield", .newYork),
        Name("Hélène", "Dubois", latin: ("Helene", "Dubois")), Name("Ivy", "Nakamura", .newYork),
        Name("José", "Ibáñez", latin: ("Jose", "Ibanez")), Name("נועה", "ברק", latin: ("Noa", "Barak")),
        Name("Kofi", "Mensah"), Name("ليلى", "حداد", latin: ("Layla", "Haddad")),
        Name("Marta", "Kowalczyk"), Name("Niamh", "O’Sullivan", latin: ("Niamh", "OSullivan")),
        Name("Олена", "Шевченко", latin: ("Olena", "Shevchenko")), Name("Priya", "Raman"),
        Name("Quentin", "Lefèvre", latin: ("Quentin", "Lefevre")), Name("Rosa", "Delgado", .newYork),
        Name("Sören", "Voß", latin: ("Soren", "Voss")),
        Name("健", "鈴木", latin: ("Ken", "Suzuki"), .tokyo, familyFirst: true),
        Name("Tomáš", "Dvořák", latin: ("Tomas", "Dvorak")), Name("Uche", "Adeyemi"),
        Name("Valentina", "Rossi"), Name("Wei", "Zhang"), Name("Ximena", "Torres", .newYork),
        Name("Yusuf", "Demir"), Name("Zsófia", "Kiss", latin: ("Zsofia", "Kiss"), familyFirst: true),
        Name("Anders", "Østergaard", latin: ("Anders", "Ostergaard")), Name("Beatriz", "Carvalho"),
        Name("Caleb", "Brooks", .newYork), Name("Γιώργος", "Νικολάου", latin: ("Giorgos", "Nikolaou")),
        Name("Deirdre", "Walsh"), Name("Emre", "Yıldız", latin: ("Emre", "Yildiz")), Name("Fatou", "Diop"),
        Name("Gunnar", "Sæther", latin: ("Gunnar", "Saether")), Name("Hana", "Svobodová", latin: ("Hana", "Svobodova")),
        Name("Ирина", "Лебедева", latin: ("Irina", "Lebedeva")),
        Name("Jonas", "Schröder", latin: ("Jonas", "Schroder")),
        Name("Katarzyna", "Wiśniewska", latin: ("Katarzyna", "Wisniewska")), Name("Liam", "Carter", .newYork),
        Name("美咲", "田中", latin: ("Misaki", "Tanaka"), .tokyo, familyFirst: true),
        Name("Mateo", "Fernández", latin: ("Mateo", "Fernandez")),
        Name("Nkechi", "Eze"), Name("Oskar", "Nyström", latin: ("Oskar", "Nystrom")), Name("Paula", "Brandt"),
        Name("Renée", "Fontaine", latin: ("Renee", "Fontaine")), Name("Samir", "Khoury"),
        Name("Tess", "van Dijk", latin: ("Tess", "vanDijk")),
    ]

    private static let jobTitles = [
        "Account Manager", "Accountant", "Analyst", "Architect", "Buyer", "Controller", "Data Engineer", "Designer",
        "Head of Logistics", "Lawyer", "Nurse", "Office Manager", "Product Owner", "Quality Engineer", "Recruiter",
        "Software Engineer", "Support Engineer", "Team Lead", "Technical Writer", "Translator",
    ]

    /// People outside both tenants, whom nothing must rewrite.
    static let outsiders: [(name: String, address: String)] = [
        ("Harriet Bloom", "harriet@bloom-consulting.example"), ("Nordwind Reisen", "buchung@nordwind.example"),
        ("Ольга Петрова", "petrova@severny-bank.example"), ("Atelier Colline", "contact@colline.example"),
        ("高橋 翔", "sho.takahashi@sakura-denki.example"), ("Dr. Amos Levi", "levi@clinic.example"),
        ("City Library", "notices@library.example"), ("Παντελής Γεωργίου", "pantelis@aegean-lines.example"),
        ("Weekly Digest", "digest@newsletter.example"), ("Northgate Invoices", "billing@northgate.example"),
    ]
}
