import FerryCore
import FerryFormats

/// Fills the address books (vdir: a folder per book, a file per card): colleagues and strangers, vCard 3 and 4, some
/// with a picture, a group.
struct AddressBooks {
    private let cast: [CastMember]
    private let today: Instant
    private var dice: Dice

    init(cast: [CastMember], today: Instant, dice: Dice) {
        self.cast = cast
        self.today = today
        self.dice = dice
    }

    mutating func write(to sink: DemoSink) throws {
        for index in cast.indices {
            let root = "contoso/contacts/\(cast[index].login)"
            for (folder, name, colour) in [
                ("contacts", "Contacts", "#498205"), ("partners", "Geschäftspartner", "#CA5010"),
            ] {
                try sink(DemoFile("\(root)/\(folder)", .folder))
                try sink(DemoFile("\(root)/\(folder)/displayname", text: name))
                try sink(DemoFile("\(root)/\(folder)/color", text: colour))
            }
            let colleagues = dice.pick(min(8, cast.count - 1), of: cast.indices.filter { $0 != index })
            for colleague in colleagues {
                let uid = dice.guid().description
                try sink(DemoFile("\(root)/contacts/\(uid).vcf", text: colleagueCard(cast[colleague], uid: uid)))
            }
            for outsider in dice.pick(dice.number(3...Cast.outsiders.count), of: Cast.outsiders) {
                let uid = dice.guid().description
                try sink(DemoFile("\(root)/partners/\(uid).vcf", text: partnerCard(outsider, uid: uid)))
            }
            let uid = "urn:uuid:\(dice.guid())"
            let members = colleagues.prefix(3).map { "MEMBER:mailto:\(cast[$0].source.mail)" }
            try sink(
                DemoFile(
                    "\(root)/contacts/team.vcf",
                    text: ContentLineWriter.text(
                        ["BEGIN:VCARD", "VERSION:4.0", "UID:\(uid)", "KIND:group", "FN:Team lunch 🍜"] + members + [
                            "END:VCARD"
                        ])))
        }
    }

    /// vCard 3.0 (RFC 2426) as desktop programs write it.
    private mutating func colleagueCard(_ member: CastMember, uid: String) -> String {
        var lines = [
            "BEGIN:VCARD", "VERSION:3.0", "UID:\(uid)", "FN:\(ContentLineWriter.escaped(member.source.displayName))",
            "N:\(ContentLineWriter.escaped(member.familyName));\(ContentLineWriter.escaped(member.givenName));;;",
            "ORG:Contoso Ltd;\(dice.pick(["Operations", "Finance", "Research", "Vertrieb"]))",
            "TITLE:\(member.jobTitle)",
            "EMAIL;TYPE=INTERNET,WORK:\(member.source.mail)",
            "TEL;TYPE=WORK,VOICE:+31 10 555 \(dice.number(1000...9999))",
            "REV:\(RFC3339.format(today - .seconds(dice.number(86_400...80_000_000))))",
        ]
        if dice.chance(40) {
            lines.append("ADR;TYPE=HOME:;;Lindenstraße \(dice.number(1...99));Köln;;50674;Germany")
            lines.append("BDAY:19\(dice.number(60...99))-0\(dice.number(1...9))-1\(dice.number(0...9))")
        }
        if dice.chance(50) {
            let picture = String(decoding: MIME.base64(Picture.identicon(&dice)), as: UTF8.self)
            lines.append("PHOTO;ENCODING=b;TYPE=PNG:\(picture)")
        }
        if dice.chance(30) {
            lines.append("NOTE:\(ContentLineWriter.escaped("Met at the fair, Halle 7.\n\(dice.pick(Stories.notes))"))")
        }
        return ContentLineWriter.text(lines + ["END:VCARD"])
    }

    /// vCard 4.0 (RFC 6350) as servers write it.
    private mutating func partnerCard(_ partner: (name: String, address: String), uid: String) -> String {
        var lines = [
            "BEGIN:VCARD", "VERSION:4.0", "UID:urn:uuid:\(uid)", "FN:\(ContentLineWriter.escaped(partner.name))",
            "EMAIL;TYPE=work;PREF=1:\(partner.address)",
            "TEL;TYPE=cell;VALUE=uri:tel:+30-210-555-\(dice.number(1000...9999))",
            "LANG:el", "CATEGORIES:partner,\(dice.pick(["travel", "legal", "supply"]))",
        ]
        if dice.chance(40) {
            let picture = String(decoding: MIME.base64(Picture.identicon(&dice)), as: UTF8.self)
            lines.append("PHOTO:data:image/png;base64,\(picture)")
        }
        if dice.chance(50) { lines.append("X-FERRY-DEMO;X-COLOUR=\"grün, blau\":kept as it is") }
        return ContentLineWriter.text(lines + ["END:VCARD"])
    }
}
