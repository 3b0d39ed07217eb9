import FerryTestKit
import Foundation
import Glibc
import Testing

@testable import ferry

/// `ferry map` and the dry run, as an administrator uses them, against the program as a process of its own.
@Suite(.timeLimit(.minutes(4))) struct MapRunTests {
    private typealias Ferry = (_ verb: [String]) throws -> (status: Int32, text: String)

    /// A server with what `ferry init` wrote, and a map that only administrators fill.
    private func serving(_ body: @escaping @Sendable (Program.Site, Ferry) throws -> Void) async throws {
        try await Program.use { site in
            let text = try String(contentsOfFile: site.configuration, encoding: .utf8)
                .replacingOccurrences(of: "identityMap: map.csv", with: "identityMap: managed")
            try text.write(toFile: site.configuration, atomically: true, encoding: .utf8)
            let token = try site.token()
            let server = try Program(["serve", "--config", site.configuration])
            defer {
                server.signal(SIGTERM)
                _ = server.waitForExit()
            }
            let port = try server.port()
            let address = "http://127.0.0.1:\(port)"
            try body(site) { verb in
                if verb.first == "GET" {
                    let connection = try RawConnection(port: port)
                    defer { connection.close() }
                    connection.send(
                        "GET \(verb[1]) HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\nConnection: close\r\n\r\n"
                    )
                    return (0, connection.read())
                }
                let program = try Program(verb + ["--server", address, "--token", token])
                return (program.waitForExit(), program.text())
            }
        }
    }

    @Test func `import, list, conflicts, set, complete, history`() async throws {
        try await serving { site, ferry in
            let (ada, bjorn) = ("ada.okafor@contoso.example", "bjorn.lindqvist@contoso.example")
            #expect(try ferry(["map", "list"]).text.hasSuffix("0 completed, 0 mapped, 0 unmapped\n"))

            // Two who would become one are a conflict, with who, code and remedy.
            try LocalFile.write(
                Array("source,target\n\(ada),ada.okafor@fabrikam.example\n\(bjorn),ada.okafor@fabrikam.example\n".utf8),
                to: site.path("pairs.csv"))
            let imported = try ferry(["map", "import", site.path("pairs.csv")])
            #expect(imported.text.contains("2 imported"), "\(imported.text)")
            let checked = try ferry(["map", "check"])
            #expect(checked.status == ExitReason.failed.rawValue)
            #expect(checked.text.contains(ada) && checked.text.contains(bjorn), "\(checked.text)")
            let completed = try ferry(["map", "complete"])
            #expect(
                completed.status == ExitReason.failed.rawValue && completed.text.contains("0 completed"),
                "\(completed.text)")

            // Nothing is overwritten unasked.
            try LocalFile.write(
                Array("source,target\n\(bjorn),bjorn.lindqvist@fabrikam.example\n".utf8), to: site.path("one.csv"))
            let kept = try ferry(["map", "import", site.path("one.csv")])
            #expect(kept.status == ExitReason.failed.rawValue && kept.text.contains("IDM-18"), "\(kept.text)")
            let replaced = try ferry(["map", "import", site.path("one.csv"), "--overwrite"])
            #expect(replaced.status == 0 && replaced.text.contains("1 imported"), "\(replaced.text)")
            #expect(try ferry(["map", "check"]).status == 0)
            let agreed = try ferry(["map", "complete"])
            #expect(agreed.status == 0 && agreed.text.contains("2 completed, 0 to look at"), "\(agreed.text)")
            let list = try ferry(["map", "list", "--state", "completed"])
            #expect(list.text.hasSuffix("2 completed, 0 mapped, 0 unmapped\n"), "\(list.text)")
            let rows = list.text.split(separator: "\n").map {
                $0.split(separator: " ", omittingEmptySubsequences: true)
            }
            #expect(rows[0].starts(with: ["SOURCE", "TARGET", "STATE", "FROM", "CHANGED"]))
            #expect(
                rows.contains {
                    $0.starts(with: ["\(bjorn)", "bjorn.lindqvist@fabrikam.example", "completed", "import"])
                })

            // What export prints, import takes.
            let export = try ferry(["map", "export"]).text
            #expect(export.hasPrefix("source,target,sourceName,targetName,state,origin\n"))
            try LocalFile.write(Array(export.utf8), to: site.path("export.csv"))
            let back = try ferry(["map", "import", site.path("export.csv")])
            #expect(back.status == 0 && back.text.contains("0 imported, 2 as before"), "\(back.text)")

            #expect(try ferry(["map", "remove", bjorn]).text.contains("1 removed"))
            #expect(try ferry(["map", "list"]).text.hasSuffix("1 completed, 0 mapped, 0 unmapped\n"))
            let unknown = try ferry(["map", "remove", "nobody@contoso.example"])
            #expect(unknown.status == ExitReason.refused.rawValue, "\(unknown.text)")
            // What an entry was before is told by the API, newest first, with who did it.
            let history = try ferry(["GET", "/ferry/identity-map/\(bjorn)"]).text
            #expect(history.hasPrefix("HTTP/1.1 200 "), "\(history)")
            let states = history.components(separatedBy: "\"history\"").last?.components(separatedBy: "\"state\":\"")
                .dropFirst().map { $0.prefix { $0 != "\"" } }
            #expect(states == ["completed", "mapped", "mapped"], "\(history)")
            #expect(history.contains("admin@fabrikam.example"))
        }
    }

    @Test func `a dry run prints a table, and its CSV has one row for every service`() async throws {
        try await serving { site, ferry in
            let matched = try ferry(["map", "match"])
            #expect(matched.status == 0 && matched.text.contains("2 matched"), "\(matched.text)")
            #expect(try ferry(["map", "complete"]).status == 0)
            let created = try ferry([
                "job", "create", "--name", "wave-1", "--source", "11111111-1111-1111-1111-111111111111", "--endpoint",
                "EXOHandler", "--delivery-domain", "fabrikam.example", "--date", "+1d", "--user",
                InitFiles.targetIDs[0],
            ])
            #expect(created.status == 0, "\(created.text)")
            let file = site.path("wave-1.csv")
            let run = try ferry(["job", "validate", "wave-1", "--dry-run", "--csv", file])
            #expect(run.status == 0, "\(run.text)")
            let lines = run.text.split(separator: "\n").map(String.init)
            #expect(lines.contains { $0.hasPrefix("wave-1  dry run completed: ") }, "\(run.text)")
            let header = try #require(lines.first { $0.hasPrefix("PERSON") })
            #expect(
                header.split(separator: " ", omittingEmptySubsequences: true)
                    == ["PERSON", "WORKLOAD", "ITEMS", "SIZE", "DUE", "COPIED", "SKIPPED", "TIME", "GRADE", "FOUND"])
            let exchange = try #require(lines.first { $0.contains(" Exchange ") })
            #expect(exchange.hasPrefix("ada.okafor@fabrikam.example") && exchange.contains("perfect"))

            let problems = ProblemList()
            let rows = CSVReader.rows(of: try LocalFile.contents(of: file), file: file, problems: problems)
            #expect(problems.problems.isEmpty)
            let columns = rows[0].fields.map(\.text)
            #expect(columns.prefix(5) == ["user", "userPrincipalName", "workload", "service", "containers"])
            #expect(columns.suffix(5) == ["roomBytes", "grade", "estimatedSeconds", "measuredRuns", "findings"])
            let mail = try #require(rows.first { $0.fields.count > 3 && $0.fields[3].text == "mail" })
            #expect(mail.fields.count == columns.count)
            let values = Dictionary(uniqueKeysWithValues: zip(columns, mail.fields.map(\.text)))
            #expect(values["user"] == InitFiles.targetIDs[0] && values["workload"] == "Exchange")
            #expect(values["items"] == "1" && values["dueItems"] == "1" && values["copiedItems"] == "0", "\(values)")
            #expect(
                Set(rows.dropFirst().compactMap { $0.fields.count > 3 ? $0.fields[3].text : nil }).isSuperset(of: [
                    "mail", "calendar", "contacts", "files", "chats",
                ]))
        }
    }
}
