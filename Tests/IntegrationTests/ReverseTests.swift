import ArgumentParser
import Foundation
import Glibc
import Testing

@testable import ferry

/// People who are moved between folder tenants, work there, and are brought back (`ferry job reverse`).
struct ReverseTests {
    private struct Site: Sendable {
        var folder: String
        var tenants: DemoTenants
        var configuration: String { "\(folder)/ferry.yaml" }

        /// Contents of all files of one service of a tenant whose path has one of the words, sorted: nothing lost, nothing twice.
        func contents(_ place: String, _ words: String...) throws -> [String] {
            let root = "\(folder)/\(place)"
            let paths = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
            return try paths.filter { path in
                var isFolder: ObjCBool = false
                let parts = path.split(separator: "/")
                return words.contains { path.contains($0) }
                    && !parts.contains { $0.hasPrefix(".ferry") || $0 == "MOVED" || $0 == ".forward" }
                    && FileManager.default.fileExists(atPath: "\(root)/\(path)", isDirectory: &isFolder)
                    && !isFolder.boolValue
            }.map { String(decoding: try LocalFile.contents(of: "\(root)/\($0)"), as: UTF8.self) }.sorted()
        }

        /// Relative paths of Ferry's marks.
        func marks(_ tenant: String) -> [String] {
            (FileManager.default.enumerator(atPath: "\(folder)/\(tenant)")?.compactMap { $0 as? String } ?? [])
                .filter { path in
                    [".ferry-frozen", ".forward", "MOVED"].contains(path.split(separator: "/").last.map(String.init))
                }
        }

        func token(of tenant: String) throws -> String {
            let program = try Program([
                "token", "--config", configuration, "--tenant", tenant, "--user", "admin@example.org",
            ])
            guard program.waitForExit() == 0 else { throw Program.Trouble(text: program.text()) }
            return program.text().trimmingCharacters(in: .whitespacesAndNewlines)
        }

        /// Runs a server while `body` talks to it.
        func serve(_ body: (_ ferry: (_ verb: [String]) throws -> (status: Int32, text: String)) throws -> Void) throws
        {
            let server = try Program(["serve", "--config", configuration])
            defer {
                server.signal(SIGTERM)
                _ = server.waitForExit()
            }
            let address = "http://127.0.0.1:\(try server.port())"
            try body { verb in
                let program = try Program(["job"] + verb + ["--server", address])
                return (program.waitForExit(), program.text())
            }
        }
    }

    private func onThread(_ body: @escaping @Sendable () throws -> Void) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
        }
    }

    @Test(.timeLimit(.minutes(10)))
    func `there and back again: nothing is lost or doubled, and what was done at the new home comes along`()
        async throws
    {
        let folder = FileManager.default.temporaryDirectory.path + "/ferry-reverse-\(UUID().uuidString)"
        defer {
            _ = try? Program(["chmod", "-R", "u+w", folder], isOurs: false).waitForExit()
            try? FileManager.default.removeItem(atPath: folder)
        }
        let made = try DemoSite.prepare(directory: folder, people: 3, seed: 7, resume: false)
        let site = Site(folder: folder, tenants: made.tenants)
        let before = (
            mail: try site.contents("contoso/mail", "/cur/", "/new/"), files: try site.contents("contoso/files", "/"),
            contacts: try site.contents("contoso/contacts", ".vcf"),
            calendars: try site.contents("contoso/calendars", ".ics").count
        )
        #expect(before.mail.count > 20)
        try await DemoCommand.parse(["--directory", folder, "--resume"]).run()
        #expect(!site.marks("contoso").isEmpty && site.marks("fabrikam").isEmpty)

        // Life goes on at the new home: something comes, something goes, something changes.
        let home = "\(folder)/fabrikam/mail"
        let paths = (FileManager.default.enumerator(atPath: home)?.compactMap { $0 as? String } ?? []).sorted()
        let inbox = try #require(paths.first { $0.split(separator: "/").count == 2 && $0.hasSuffix("/cur") })
        let messages = try #require(try LocalFile.names(in: "\(home)/\(inbox)")).sorted()
        let deleted = String(decoding: try LocalFile.contents(of: "\(home)/\(inbox)/\(messages[0])"), as: UTF8.self)
        try FileManager.default.removeItem(atPath: "\(home)/\(inbox)/\(messages[0])")
        let new = "Message-ID: <new@fabrikam.example>\r\nSubject: At home\r\n\r\nWritten at the new home.\r\n"
        try LocalFile.write(Array(new.utf8), to: "\(home)/\(inbox)/1900000000.M1P1.new:2,S")
        let flagged = messages[1].prefix { $0 != ":" }
        try FileManager.default.moveItem(
            atPath: "\(home)/\(inbox)/\(messages[1])", toPath: "\(home)/\(inbox)/\(flagged):2,FRS")
        let person = try #require(try LocalFile.names(in: "\(folder)/fabrikam/files")?.min())
        try LocalFile.write(Array("new\n".utf8), to: "\(folder)/fabrikam/files/\(person)/new at home.txt")

        try await onThread {
            // Contoso does not take anybody back yet.
            let target = try site.token(of: "\(site.tenants.targetID)")
            let source = try site.token(of: "\(site.tenants.sourceID)")
            var text = try String(contentsOfFile: site.configuration, encoding: .utf8)
            text = text.replacing(/listen: [^\n]*/, with: "listen: 127.0.0.1:0")
            try text.write(toFile: site.configuration, atomically: true, encoding: .utf8)
            try site.serve { ferry in
                let plan = try ferry(["reverse", DemoRun.jobName, "--token", target])
                #expect(
                    plan.status == 0 && plan.text.contains("There is no trust from Fabrikam to Contoso"), "\(plan.text)"
                )
                let refused = try ferry(["reverse", DemoRun.jobName, "--token", target, "--back-token", source])
                #expect(refused.status == ExitReason.refused.rawValue, "\(refused.text)")
            }
            text = text.replacingOccurrences(
                of: "    identityMap: map.csv\n",
                with: """
                        identityMap: map.csv
                      - source: \(site.tenants.targetID)
                        target: \(site.tenants.sourceID)
                        endpoint: Return
                        identityMap: back.csv

                    """)
            let rows = try String(contentsOfFile: "\(folder)/map.csv", encoding: .utf8).split(
                whereSeparator: \.isNewline)
            let back = rows.dropFirst().map { $0.split(separator: ",").reversed().joined(separator: ",") }
            try (["source,target"] + back).joined(separator: "\n").appending("\n")
                .write(toFile: "\(folder)/back.csv", atomically: true, encoding: .utf8)
            try text.write(toFile: site.configuration, atomically: true, encoding: .utf8)

            try site.serve { ferry in
                let plan = try ferry(["reverse", DemoRun.jobName, "--token", target])
                #expect(plan.text.contains("Nothing is missing"), "\(plan.text)")
                let created = try ferry([
                    "reverse", DemoRun.jobName, "--token", target, "--back-token", source, "--name", "home",
                ])
                #expect(created.status == 0 && created.text.contains("submitted"), "\(created.text)")
                let checked = try ferry(["validate", "home", "--wait", "--token", source])
                #expect(checked.status == 0, "\(checked.text)")
                #expect(try ferry(["migrate", "home", "--token", source]).status == 0)
                #expect(try ferry(["reschedule", "home", "--date", "2026-01-01", "--token", source]).status == 0)
                let watched = try ferry(["watch", "home", "--token", source])
                let users = try ferry(["users", "home", "--token", source])
                #expect(watched.status == 0, "\(watched.text)\n\(users.text)")
            }
        }
        #expect(site.marks("contoso").isEmpty, "\(site.marks("contoso"))")
        #expect(!site.marks("fabrikam").isEmpty)
        var expected = before.mail
        expected.remove(at: try #require(expected.firstIndex(of: deleted)))
        #expect(try site.contents("contoso/mail", "/cur/", "/new/") == (expected + [new]).sorted())
        #expect(try site.contents("contoso/files", "/") == (before.files + ["new\n"]).sorted())
        #expect(try site.contents("contoso/contacts", ".vcf").count == before.contacts.count)
        #expect(try site.contents("contoso/calendars", ".ics").count == before.calendars)
        let old = "\(folder)/contoso/mail"
        let flags = (FileManager.default.enumerator(atPath: old)?.compactMap { $0 as? String } ?? [])
            .filter { $0.contains("/\(flagged):") }
        #expect(flags.count == 1 && flags[0].hasSuffix(":2,FRS"), "\(flags)")
    }
}
