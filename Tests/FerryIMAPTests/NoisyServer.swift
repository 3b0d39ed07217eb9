import FerryTestKit

/// What a mail server would answer, and what it says in its place when it is broken, hostile, or something else.
struct NoisyServer {
    /// What becomes of the connection after an answer.
    enum Next { case more, silence, end }

    var random: SeededRandom
    /// Of ten answers, how many are not as they should be.
    let oddness: Int
    /// Other responses that come in between.
    let noise: [String]

    init(seed: UInt64, noise: [String]) {
        random = SeededRandom(seed: seed)
        oddness = Int.random(in: 0...5, using: &random)
        self.noise = noise
    }

    /// The lines, with what is to go wrong with them.
    mutating func say(_ lines: [String]) -> (bytes: [UInt8], next: Next) {
        guard Int.random(in: 0..<10, using: &random) < oddness else { return (lines.flatMap { Array($0.utf8) }, .more) }
        var lines = lines
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let place = lines.indices.randomElement(using: &random) ?? 0
            switch Int.random(in: 0..<8, using: &random) {
            case 0: if !lines.isEmpty { lines.remove(at: place) }
            case 1: lines.shuffle(using: &random)
            case 2: if !lines.isEmpty { lines.insert(lines[place], at: place) }
            case 3: lines.insert(noise.randomElement(using: &random) ?? "", at: place)
            case 4: if !lines.isEmpty { lines[place] = hugeNumbers(lines[place]) }
            case 5:
                lines.insert(
                    "* 1 FETCH (X " + String(repeating: "(", count: .random(in: 1...300, using: &random)), at: place)
            case 6:
                lines.insert("* 2 FETCH (UID 2 BODY[] {\(Int.random(in: 0...9_000, using: &random))}\r\n", at: place)
            default:
                if !lines.isEmpty {
                    lines[place] = String(decoding: Fuzz.mutated([lines[place]], &random), as: UTF8.self)
                }
            }
        }
        var bytes = lines.flatMap { Array($0.utf8) }
        switch Int.random(in: 0..<10, using: &random) {
        case 0:
            bytes.removeLast(Int.random(in: 0...bytes.count, using: &random))
            return (bytes, .end)
        case 1:
            bytes.removeLast(Int.random(in: 0...bytes.count, using: &random))
            return (bytes, .silence)
        case 2: return (bytes, .end)
        default: return (bytes, .more)
        }
    }

    private mutating func hugeNumbers(_ line: String) -> String {
        let huge = [
            "4294967295", "4294967296", "18446744073709551615", "99999999999999999999999", "0", "1:4294967295", "*",
        ]
        var found = ""
        var inNumber = false
        for character in line {
            if character.isASCII, character.isNumber {
                if !inNumber, Bool.random(using: &random) {
                    found += huge.randomElement(using: &random) ?? ""
                } else {
                    found.append(character)
                }
                inNumber = true
            } else {
                inNumber = false
                found.append(character)
            }
        }
        return found
    }

    // MARK: IMAP

    private static let extensions = [
        "LITERAL+", "LITERAL-", "MULTIAPPEND", "UIDPLUS", "CONDSTORE", "QRESYNC", "ENABLE", "ESEARCH", "LIST-EXTENDED",
        "LIST-STATUS", "SPECIAL-USE", "STATUS=SIZE", "NAMESPACE", "ID", "UNSELECT", "UTF8=ACCEPT", "QUOTA", "ACL",
        "METADATA",
        "COMPRESS=DEFLATE", "APPENDLIMIT=1000", "MOVE",
    ]

    mutating func greeting() -> (bytes: [UInt8], next: Next) {
        say(["* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hello\r\n"])
    }

    /// Answers a line from the client; `nil` for one that is part of a literal.
    mutating func answer(_ line: String) -> (bytes: [UInt8], next: Next)? {
        let words = line.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count >= 2, words[0].first == "F", words[0].dropFirst().allSatisfy(\.isNumber) else {
            return line.hasSuffix("}") && !line.hasSuffix("+}") ? say(["+ go on\r\n"]) : nil
        }
        let tag = String(words[0])
        let verb = words[1] == "UID" && words.count > 2 ? "UID \(words[2])" : String(words[1])
        var lines = untagged(verb.uppercased(), tag, line)
        if line.hasSuffix("}"), !line.hasSuffix("+}") { return say(["+ go on\r\n"]) }
        if Int.random(in: 0..<25, using: &random) == 0 {
            lines.append("\(tag) NO [OVERQUOTA] no\r\n")
        } else {
            lines.append(tagged(verb.uppercased(), tag))
        }
        return say(lines)
    }

    private mutating func tagged(_ verb: String, _ tag: String) -> String {
        switch verb {
        case "AUTHENTICATE", "LOGIN":
            let offered = Self.extensions.filter { _ in Bool.random(using: &random) }
            return "\(tag) OK [CAPABILITY IMAP4rev1 \(offered.joined(separator: " "))] in\r\n"
        case "APPEND": return "\(tag) OK [APPENDUID 7 \(Int.random(in: 1...9, using: &random)):12] done\r\n"
        case "EXAMINE", "SELECT": return "\(tag) OK [READ-ONLY] selected\r\n"
        default: return "\(tag) OK done\r\n"
        }
    }

    private mutating func untagged(_ verb: String, _ tag: String, _ line: String) -> [String] {
        switch verb {
        case "LIST", "LSUB":
            return ["INBOX", "a", "\"b c\""].flatMap {
                [
                    "* \(verb) (\\HasNoChildren) \"/\" \($0)\r\n",
                    "* STATUS \($0) (MESSAGES 4 UIDNEXT 9 UIDVALIDITY 7 HIGHESTMODSEQ 12 SIZE 99)\r\n",
                ]
            }
        case "STATUS": return ["* STATUS a (MESSAGES 4 UIDNEXT 9 UIDVALIDITY 7 HIGHESTMODSEQ 12)\r\n"]
        case "SELECT", "EXAMINE":
            return [
                "* OK [CLOSED] bye\r\n", "* FLAGS (\\Seen \\Deleted later)\r\n", "* 4 EXISTS\r\n", "* 0 RECENT\r\n",
                "* OK [UIDVALIDITY 7] x\r\n", "* OK [UIDNEXT 9] x\r\n", "* OK [HIGHESTMODSEQ 12] x\r\n",
                "* VANISHED (EARLIER) 3\r\n", "* 1 FETCH (UID 1 FLAGS (\\Seen) MODSEQ (5))\r\n",
            ]
        case "UID SEARCH", "SEARCH":
            return line.contains("RETURN")
                ? ["* ESEARCH (TAG \"\(tag)\") UID ALL 1:4,8\r\n"] : ["* SEARCH 1 2 3 4 8\r\n"]
        case "UID FETCH":
            let uids = [1, 2, 3, 4, 8]
            guard line.contains("BODY.PEEK[]") else {
                return uids.map {
                    "* \($0) FETCH (UID \($0) FLAGS (\\Seen) INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" "
                        + "RFC822.SIZE 42 MODSEQ (5) BODY[HEADER] {6}\r\nA: b\r\n)\r\n"
                }
            }
            return uids.map { uid in
                let body = String(repeating: "x", count: .random(in: 0...3_000, using: &random))
                return "* \(uid) FETCH (UID \(uid) BODY[] {\(body.utf8.count)}\r\n\(body))\r\n"
            }
        case "UID STORE": return ["* 2 FETCH (UID 2 FLAGS (\\Seen) MODSEQ (13))\r\n"]
        case "UID EXPUNGE": return ["* VANISHED 2\r\n", "* 2 EXPUNGE\r\n"]
        case "NAMESPACE": return ["* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n"]
        case "ID": return ["* ID (\"name\" \"noise\")\r\n"]
        case "ENABLE": return ["* ENABLED QRESYNC CONDSTORE\r\n"]
        case "CAPABILITY": return ["* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n"]
        case "GETQUOTAROOT": return ["* QUOTAROOT a \"\"\r\n", "* QUOTA \"\" (STORAGE 10 512)\r\n"]
        case "GETACL": return ["* ACL a u1 lrswi\r\n"]
        case "MYRIGHTS": return ["* MYRIGHTS a lrswi\r\n"]
        case "LOGOUT": return ["* BYE bye\r\n"]
        default: return []
        }
    }

    // MARK: ManageSieve

    mutating func sieveGreeting() -> (bytes: [UInt8], next: Next) {
        say([
            "\"IMPLEMENTATION\" \"noise\"\r\n", "\"SASL\" \"PLAIN LOGIN\"\r\n", "\"SIEVE\" \"fileinto\"\r\n", "OK\r\n",
        ])
    }

    mutating func sieveAnswer(_ line: String) -> (bytes: [UInt8], next: Next)? {
        let verb = line.prefix { $0 != " " }
        switch verb {
        case "AUTHENTICATE":
            return say([Bool.random(using: &random) ? "{3}\r\nabc\r\n" : "", "OK (SASL {2}\r\nxy) \"in\"\r\n"])
        case "LISTSCRIPTS": return say(["\"a\"\r\n", "{3}\r\nb c ACTIVE\r\n", "OK\r\n"])
        case "GETSCRIPT": return say(["{7}\r\nkeep;\r\n\r\n", "OK\r\n"])
        case "PUTSCRIPT", "SETACTIVE", "DELETESCRIPT", "LOGOUT":
            return say([Bool.random(using: &random) ? "OK\r\n" : "NO (NONEXISTENT) {4}\r\nnone\r\n"])
        default: return nil
        }
    }
}
