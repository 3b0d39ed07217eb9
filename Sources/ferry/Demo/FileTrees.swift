import FerryCore

/// Fills the personal file trees: documents in several scripts, pictures, binaries, empty folders, an executable.
struct FileTrees {
    private let cast: [CastMember]
    private let today: Instant
    private var dice: Dice

    private static let folders = [
        "Documents", "Documents/Projects", "Bilder", "Отчёты", "資料", "Recipes & More",
        "Documents/Very/Deep/Tree/Of/Folders",
    ]
    private static let empty = ["Empty", "Documents/To do", "Leer/auch leer"]

    init(cast: [CastMember], today: Instant, dice: Dice) {
        self.cast = cast
        self.today = today
        self.dice = dice
    }

    mutating func write(to sink: DemoSink) throws {
        for member in cast {
            let root = "contoso/files/\(member.login)"
            try sink(DemoFile(root, .folder))
            for folder in Self.folders { try sink(DemoFile("\(root)/\(folder)", .folder)) }
            for number in 0..<dice.number(10...24) { try writeFile(number, in: root, sink) }
            try sink(
                DemoFile(
                    "\(root)/Documents/backup.sh", text: "#!/bin/sh\nexec tar -czf backup.tar.gz \"$@\"\n",
                    modified: date(),
                    isExecutable: true))
            try sink(DemoFile("\(root)/Documents/empty.txt", text: "", modified: date()))
            try sink(
                DemoFile("\(root)/Bilder/portrait.png", .bytes(Picture.identicon(&dice, scale: 32)), modified: date()))
            if dice.chance(30) {
                try sink(
                    DemoFile(
                        "\(root)/Documents/archive.bin", .bytes(dice.bytes(dice.number(200_000...900_000))),
                        modified: date()))
            }
            for folder in Self.empty { try sink(DemoFile("\(root)/\(folder)", .folder)) }
        }
    }

    private mutating func date() -> Instant { today - .seconds(dice.number(3600...(3 * 365 * 86400))) }

    private mutating func writeFile(_ number: Int, in root: String, _ sink: DemoSink) throws {
        let folder = dice.pick(Self.folders)
        let project = dice.pick(Stories.projects)
        let path = "\(root)/\(folder)"
        switch dice.number(0...4) {
        case 0:
            let story = dice.pick(Stories.conversations)
            let text = story.messages.joined(separator: "\n\n---\n\n")
            try sink(
                DemoFile("\(path)/\(project) notes \(number).md", text: "# \(project)\n\n\(text)\n", modified: date()))
        case 1:
            let rows = (1...dice.number(20...400)).map { "\($0);\(project);\(dice.number(1...99_999))" }
            try sink(
                DemoFile(
                    "\(path)/Übersicht-\(number).csv", text: "Nr;Projekt;Betrag\r\n" + rows.joined(separator: "\r\n"),
                    modified: date()))
        case 2:
            try sink(DemoFile("\(path)/読んでください \(number).txt", text: dice.pick(Stories.notes) + "\n", modified: date()))
        case 3:
            try sink(
                DemoFile("\(path)/data.\(number).bin", .bytes(dice.bytes(dice.number(100...80_000))), modified: date()))
        default:
            try sink(
                DemoFile(
                    "\(path)/снимок \(number) 📷.png", .bytes(Picture.identicon(&dice, scale: 16)), modified: date()))
        }
    }
}
