import FerryCore
import FerryFormats

/// Fills the mailboxes: conversations that stand in everybody's folders with the same Message-IDs, notices from
/// outside, drafts. The layout is Maildir++, its file names those of common servers (`,S=` is the size in bytes).
struct Mailboxes {
    private let cast: [CastMember]
    private let today: Instant
    private var dice: Dice
    /// Messages per person so far, for unique file names.
    private var counters: [Int: Int] = [:]

    /// Folders besides INBOX, with their keywords in the order of `dovecot-keywords`.
    private static let keywords = ["$Important", "Travel", "ToDo"]

    init(cast: [CastMember], today: Instant, dice: Dice) {
        self.cast = cast
        self.today = today
        self.dice = dice
    }

    mutating func write(to sink: DemoSink) throws {
        for index in cast.indices { try writeFolders(of: index, sink) }
        // Every person starts six conversations on the average.
        for number in 0..<(cast.count * 6) { try writeConversation(number, sink) }
        for index in cast.indices {
            for number in 0..<dice.number(8...16) { try writeNotice(number, for: index, sink) }
            for number in 0..<dice.number(1...3) { try writeDraft(number, of: index, sink) }
        }
    }

    // MARK: folders

    private func root(_ index: Int) -> String { "contoso/mail/\(cast[index].login)" }

    /// Folders of a person below INBOX, as people see them.
    private func folders(of index: Int) -> [[String]] {
        let first = Stories.projects[index % Stories.projects.count]
        let second = Stories.projects[(index * 5 + 3) % Stories.projects.count]
        return [
            ["Sent"], ["Drafts"], ["Archive"], ["Archive", "2024"], ["Projects"], ["Projects", first],
            ["Projects", second],
        ]
        .reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    private func path(of folder: [String], _ index: Int) -> String {
        folder.isEmpty ? root(index) : root(index) + "/." + folder.map(ModifiedUTF7.encode).joined(separator: ".")
    }

    private func writeFolders(of index: Int, _ sink: DemoSink) throws {
        let folders = folders(of: index)
        for folder in [[]] + folders {
            let path = path(of: folder, index)
            for part in ["cur", "new", "tmp"] { try sink(DemoFile("\(path)/\(part)", .folder)) }
            if !folder.isEmpty { try sink(DemoFile("\(path)/maildirfolder", .bytes([]))) }
            let lines = Self.keywords.enumerated().map { "\($0.offset) \($0.element)\n" }
            try sink(DemoFile("\(path)/dovecot-keywords", text: lines.joined()))
        }
        let names = folders.map { $0.map(ModifiedUTF7.encode).joined(separator: ".") }
        try sink(DemoFile("\(root(index))/subscriptions", text: (["INBOX"] + names).joined(separator: "\n") + "\n"))
    }

    // MARK: messages

    private mutating func writeConversation(_ number: Int, _ sink: DemoSink) throws {
        let story = dice.pick(Stories.conversations)
        let starter = number % cast.count
        let others = cast.indices.filter { $0 != starter }
        let people = [starter] + dice.pick(dice.chance(25) ? 3 : 1, of: others)
        let project = Stories.projects[dice.chance(50) ? starter % Stories.projects.count : dice.number(0...15)]
        var sent = today - .seconds(dice.number(3600...(3 * 365 * 86400)))
        var references: [String] = []
        let shape: MessageWriter.Shape = dice.chance(35) ? .alternative : dice.chance(30) ? .mixed : .plain
        for (turn, text) in story.messages.enumerated() where sent < today {
            // Somebody who is alone writes to themselves.
            let writer = people[turn % min(2, people.count)]
            let readers = people.count == 1 ? people : people.filter { $0 != writer }
            let id = "\(dice.hex(16)).\(turn)@\(Cast.sourceDomain)"
            let message = MessageWriter(
                charset: story.charset, from: (cast[writer].source.displayName, cast[writer].source.mail),
                to: readers.map { (cast[$0].source.displayName, cast[$0].source.mail) },
                subject: (turn > 0 ? "Re: " : "") + fill(story.subject, writer, readers, project, number),
                sent: sent, messageID: id, references: references,
                text: fill(text, writer, readers, project, number)
                    + (dice.chance(40) ? "\n\n-- \n" + dice.pick(Stories.signatures) : ""),
                shape: turn == 0 || shape == .alternative ? shape : .plain,
                attachment: shape == .mixed && turn == 0 ? attachment(number) : nil, boundary: "=_" + dice.hex(24)
            ).bytes()
            try deliver(message, to: ["Sent"], of: writer, at: sent, flags: "S", sink)
            for reader in readers where reader != writer {
                let isOld = (today - sent) > .seconds(200 * 86400)
                let folders = folders(of: reader)
                let folder =
                    folders.contains(["Projects", project]) && dice.chance(70)
                    ? ["Projects", project]
                    : isOld && dice.chance(60) ? (dice.chance(30) ? ["Archive", "2024"] : ["Archive"]) : []
                var flags = turn + 1 < story.messages.count ? "RS" : dice.chance(85) || isOld ? "S" : ""
                if dice.chance(8) { flags = "F" + flags }
                if dice.chance(12) { flags += dice.pick(["a", "b", "c", "ac"]) }
                try deliver(message, to: folder, of: reader, at: sent + .seconds(2), flags: flags, sink)
            }
            references.append(id)
            sent = sent + .seconds(dice.number(300...80_000))
        }
    }

    private mutating func writeNotice(_ number: Int, for index: Int, _ sink: DemoSink) throws {
        let story = dice.pick(Stories.notices)
        let sender = dice.pick(Cast.outsiders)
        let sent = today - .seconds(dice.number(600...(3 * 365 * 86400)))
        let hasAttachment = dice.chance(30)
        let message = MessageWriter(
            charset: story.charset, from: sender,
            to: [(cast[index].source.displayName, cast[index].source.mail)],
            subject: fill(story.subject, index, [index], "", number), sent: sent,
            messageID: "\(dice.hex(20))@\(sender.address.split(separator: "@").last ?? "")",
            text: fill(story.messages[0], index, [index], "", number),
            shape: hasAttachment ? .mixed : dice.chance(50) ? .alternative : .plain,
            attachment: hasAttachment ? attachment(number) : nil, boundary: "=_" + dice.hex(24)
        ).bytes()
        try deliver(
            message, to: dice.chance(25) ? ["Archive"] : [], of: index, at: sent + .seconds(5),
            flags: dice.chance(60) ? "S" : "", sink)
    }

    private mutating func writeDraft(_ number: Int, of index: Int, _ sink: DemoSink) throws {
        let sent = today - .seconds(dice.number(600...(20 * 86400)))
        let outsider = dice.pick(Cast.outsiders)
        let message = MessageWriter(
            charset: .utf8, from: (cast[index].source.displayName, cast[index].source.mail), to: [outsider],
            subject: number == 0 ? "(no subject)" : "Notes", sent: sent,
            messageID: "\(dice.hex(20))@\(Cast.sourceDomain)", text: dice.pick(Stories.notes),
            boundary: "=_" + dice.hex(24)
        ).bytes()
        try deliver(message, to: ["Drafts"], of: index, at: sent, flags: "DS", sink)
    }

    /// Puts a message into a folder: into `new` when nobody has seen it and it has no flags, into `cur` otherwise.
    private mutating func deliver(
        _ message: [UInt8], to folder: [String], of index: Int, at arrival: Instant, flags: String, _ sink: DemoSink
    ) throws {
        let count = (counters[index] ?? 0) + 1
        counters[index] = count
        let base =
            "\(arrival.seconds).M\(100_000 + count * 37 % 900_000)P\(1000 + index)Q\(count).mx1,S=\(message.count)"
        let place = flags.isEmpty ? "new/\(base)" : "cur/\(base):2,\(flags)"
        try sink(
            DemoFile(
                "\(path(of: folder, index))/\(place)", .bytes(message), modified: Instant(seconds: arrival.seconds)))
    }

    private mutating func attachment(_ number: Int) -> MessageWriter.Attachment {
        switch dice.number(0...3) {
        case 0:
            let rows = (1...dice.number(5...60)).map { "\($0),\(dice.number(1...999)),\(dice.number(1...99))" }
            return .init(
                name: "figures-\(number).csv", type: "text/csv",
                bytes: Array(("week,amount,share\n" + rows.joined(separator: "\n")).utf8))
        case 1:
            return .init(name: "Übersicht \(number).png", type: "image/png", bytes: Picture.identicon(&dice, scale: 16))
        case 2:
            return .init(
                name: "protocol.md", type: "text/markdown",
                bytes: Array("# \(number)\n\n\(dice.pick(Stories.notes))\n".utf8))
        default:
            return .init(
                name: "scan-\(number).bin", type: "application/octet-stream",
                bytes: dice.bytes(dice.number(2_000...60_000)))
        }
    }

    private func fill(_ text: String, _ writer: Int, _ readers: [Int], _ project: String, _ number: Int) -> String {
        let reader = readers.first ?? writer
        return Template.fill(
            text,
            [
                "to": cast[reader].givenName, "from": cast[writer].givenName, "project": project,
                "n": String(number % 37 + 3),
            ])
    }
}

/// Texts with places to fill in braces.
enum Template {
    static func fill(_ text: String, _ values: [String: String]) -> String {
        var output = ""
        var rest = text[...]
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            output += rest[..<open]
            let name = String(rest[rest.index(after: open)..<close])
            output += values[name] ?? "{\(name)}"
            rest = rest[rest.index(after: close)...]
        }
        return output + rest
    }
}
