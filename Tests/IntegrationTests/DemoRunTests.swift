import ArgumentParser
import FoundationEssentials
import Glibc
import Testing

@testable import ferry

/// The whole program, in this process: tenants, server, client, engine, verifier.
struct DemoRunTests {
    /// A folder that does not exist yet.
    private func newFolder() -> String {
        FileManager.default.temporaryDirectory.path + "/ferry-demo-\(SystemEffects.makeGUID())"
    }

    private func demo(_ arguments: String...) async throws {
        let command = try DemoCommand.parse(arguments)
        try await command.run()
    }

    @Test(.timeLimit(.minutes(10)))
    func `the demo moves everybody, both sides are the same, and it does not begin twice`() async throws {
        let folder = newFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await demo("--directory", folder, "--people", "2")
        let report = try LocalFile.contents(of: "\(folder)/report.html")
        #expect(String(decoding: report, as: UTF8.self).contains(DemoRun.jobName))
        #expect(try LocalFile.names(in: "\(folder)/fabrikam/mail")?.count == 2)

        let verify = try VerifyCommand.parse(["--config", "\(folder)/ferry.yaml", DemoRun.jobName])
        try await verify.run()

        let again = await #expect(throws: Complaint.self) { try await demo("--directory", folder) }
        #expect(again?.lines[0].contains("--resume") == true)
        try await demo("--directory", folder, "--resume")
    }

    @Test(.timeLimit(.minutes(10)))
    func `the demo over IMAP moves everybody between two Dovecots, which end with it`() async throws {
        do throws(Complaint) { _ = try DemoServer.program(of: .dovecot) } catch {
            try Test.cancel("SKIPPED, no Dovecot here: \(error.lines[0])")
        }
        let folder = newFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await demo("--mail", "imap", "--directory", folder, "--people", "2")
        let configuration = try ConfigurationFile.load("\(folder)/ferry.yaml")
        #expect(try LocalFile.names(in: "\(folder)/fabrikam/mail")?.count == 2)

        // Without the two servers there is nothing to compare, and the check says where it knocked.
        let problems = await EndpointCheck(configuration).results().filter { $0.service == "mail" }.flatMap(\.problems)
        #expect(problems.count == 4)
        #expect(problems.allSatisfy { $0.message.contains("127.0.0.1") })
        try await demo("--directory", folder, "--resume")
    }

    @Test(.timeLimit(.minutes(2)))
    func `the demo over CalDAV, CardDAV and WebDAV moves everybody between servers, which end with it`() async throws {
        // script/bootstrap puts Radicale there.
        let python = FileManager.default.currentDirectoryPath + "/.build/venv/bin/python"
        if LocalFile.exists(python) { setenv("FERRY_RADICALE", python, 0) }
        do throws(Complaint) {
            for peer in [DemoPeer.radicale, .apache] { _ = try DemoServer.program(of: peer) }
        } catch {
            try Test.cancel("SKIPPED, a server is missing here: \(error.lines[0])")
        }
        let folder = newFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await demo("--calendar", "radicale", "--files", "webdav", "--directory", folder, "--people", "3")
        let configuration = try ConfigurationFile.load("\(folder)/ferry.yaml")
        // They keep files too, so what has arrived can be seen without them.
        func objects(_ tenant: String) throws -> [String] {
            let root = "\(folder)/\(tenant)/collections/collection-root"
            return try (LocalFile.names(in: root) ?? []).flatMap { login in
                try ["work", "private", "contacts", "partners"].flatMap { collection in
                    try (LocalFile.names(in: "\(root)/\(login)/\(collection)") ?? []).filter { !$0.hasPrefix(".") }
                }
            }.sorted()
        }
        #expect(try objects("contoso") == objects("fabrikam"))
        #expect(try objects("fabrikam").count > 60)
        #expect(try LocalFile.names(in: "\(folder)/fabrikam/files")?.count == 3)
        let problems = await EndpointCheck(configuration).results()
            .filter { ["calendar", "contacts", "files"].contains($0.service) }.flatMap(\.problems)
        #expect(problems.count == 18)
        try await demo("--directory", folder, "--resume")
    }

    @Test func `the demo leaves a stranger's folder alone`() async throws {
        let folder = newFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try LocalFile.makeFolder(folder)
        try LocalFile.write(Array("mine".utf8), to: "\(folder)/thesis.txt")
        let complaint = await #expect(throws: Complaint.self) { try await demo("--directory", folder) }
        #expect(complaint?.status == .refused)
        #expect(try LocalFile.names(in: folder) == ["thesis.txt"])
        await #expect(throws: Complaint.self) { try await demo("--directory", newFolder(), "--resume") }
    }

    @Test func `a damaged copy is found by the verifier`() async throws {
        let folder = newFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await demo("--directory", folder, "--people", "1")
        let login = try #require(try LocalFile.names(in: "\(folder)/fabrikam/files")?.first)
        let file = "\(folder)/fabrikam/files/\(login)/Documents/backup.sh"
        try LocalFile.write(Array("#!/bin/sh\nexec rm -rf archive.tar.gz    \"$@\"\n".utf8), to: file)
        let verify = try VerifyCommand.parse(["--config", "\(folder)/ferry.yaml", DemoRun.jobName])
        let exit = await #expect(throws: ExitCode.self) { try await verify.run() }
        #expect(exit?.rawValue == ExitReason.failed.rawValue)
    }

    @Test func `what init writes is a configuration that passes its own check`() async throws {
        let folder = newFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let start = try InitCommand.parse([folder])
        try await start.run()
        let results = await EndpointCheck(try ConfigurationFile.load("\(folder)/ferry.yaml")).results()
        #expect(results.count == 10)
        #expect(results.allSatisfy { $0.problems.isEmpty && $0.people == 2 })
        try FileManager.default.removeItem(atPath: "\(folder)/contoso/mail/ada.okafor")
        let broken = await EndpointCheck(try ConfigurationFile.load("\(folder)/ferry.yaml")).results()
        #expect(broken.flatMap(\.problems).map(\.person) == ["ada.okafor@contoso.example"])
        await #expect(throws: Complaint.self) { try await start.run() }
    }
}
