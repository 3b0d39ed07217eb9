import FerryCore
import Testing

@testable import ferry

struct ConfigurationCSVTests {
    private func rows(_ text: String) -> (rows: [[String]], lines: [Int], problems: [String]) {
        let problems = ProblemList()
        let rows = CSVReader.rows(of: Array(text.utf8), file: "f.csv", problems: problems)
        return (rows.map { $0.fields.map(\.text) }, rows.map(\.line), problems.problems.map(\.description))
    }

    @Test(arguments: [
        ("a,b\nc,d\n", [["a", "b"], ["c", "d"]]),
        ("a,b\r\nc,d", [["a", "b"], ["c", "d"]]),
        ("a,b\rc,d\r", [["a", "b"], ["c", "d"]]),
        ("\u{FEFF}a,b\n", [["a", "b"]]),
        ("\"a,1\",\"say \"\"hi\"\"\"\n", [["a,1", "say \"hi\""]]),
        ("\"two\nlines\",x\n", [["two\nlines", "x"]]),
        ("a,,\n\n  \nb,,c\n", [["a", "", ""], ["b", "", "c"]]),
        ("\"\",x", [["", "x"]]),
        ("日本,Ø\n", [["日本", "Ø"]]),
        ("", []),
    ])
    func `RFC 4180 and what spreadsheets write is read`(text: String, expected: [[String]]) {
        let result = rows(text)
        #expect(result.rows == expected)
        #expect(result.problems.isEmpty)
    }

    @Test func `people may be on hold, and entitled to some services only`() {
        let problems = ProblemList()
        let id = "aaaaaaaa-0000-4000-8000-00000000000"
        let text = """
            id,userPrincipalName,displayName,services,hold
            \(id)1,a@x.example,A,mail; Files,yes
            \(id)2,b@x.example,B,-,no
            \(id)3,c@x.example,C,,
            \(id)4,d@x.example,D,fax,maybe

            """
        let people = PeopleFile.people(in: Array(text.utf8), file: "p.csv", problems: problems)
        #expect(people.map(\.entitlements) == [[.mail, .files], [], nil, []])
        // Whoever might be on hold does not leave.
        #expect(people.map(\.isOnHold) == [true, false, false, true])
        #expect(problems.problems.map { $0.description.prefix(8) } == ["p.csv:5:", "p.csv:5:"])
    }

    @Test func `lines and columns count as an editor does`() {
        let problems = ProblemList()
        let rows = CSVReader.rows(of: Array("\"a\nb\",c\n\nd,ü,f\n".utf8), file: "f.csv", problems: problems)
        #expect(rows.map(\.line) == [1, 4])
        #expect(rows[0].fields[1].place == SourcePlace(file: "f.csv", line: 2, column: 4))
        #expect(rows[1].fields.map(\.place.column) == [1, 3, 5])
    }

    @Test func `what cannot be read is reported where it stands`() {
        #expect(rows("a\n\"b\" c,d\n").problems.map { $0.prefix(9) } == ["f.csv:2:4"])
        #expect(rows("a\nb,\"c\nd").problems.map { $0.prefix(9) } == ["f.csv:2:3"])
        let problems = ProblemList()
        _ = CSVReader.rows(of: [0x61, 0x0A, 0xFF, 0x0A], file: "f.csv", problems: problems)
        #expect(
            problems.problems.map(\.description) == [
                "f.csv:2: The file is not UTF-8. Save it again with the encoding UTF-8."
            ])
    }

    @Test(arguments: [
        ("identitymap", "identityMap"), ("folde", "folder"), ("mial", "mail"), ("servces", "services"),
    ])
    func `slips find the word that was meant`(slip: String, meant: String) {
        #expect(Suggestion.nearest(to: slip, among: ["folder", "identityMap", "mail", "services", "store"]) == meant)
    }

    @Test func `far words suggest nothing`() {
        #expect(Suggestion.nearest(to: "wallpaper", among: ["folder", "mail"]) == nil)
        #expect(Suggestion.distance("kitten", "sitting") == 3)
        #expect(Suggestion.distance("ab", "ba") == 1)
    }
}
