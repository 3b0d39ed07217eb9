import FerryConnector
import FerryCore
import FerryFolder
import Foundation
import Testing

@Suite struct `Custody of a folder` {
    let tenant: FolderTenant
    var folder: TemporaryFolder { tenant.folder }

    init() throws {
        tenant = try FolderTenant(.mail)
        for part in ["cur", "new", "tmp", ".A/cur", ".A/new", ".A/tmp"] {
            try folder.makeDirectory("source/ada/" + part)
        }
        try folder.write("hello", "source/ada/cur/1.a:2,S")
        for (path, mode) in [("", 0o750), ("/cur", 0o700), ("/.A", 0o770), ("/.A/cur", 0o711)] {
            chmod(folder.path + "/source/ada" + path, mode_t(mode))
        }
    }

    private func custody() async throws -> any SourceCustody {
        try #require(try await tenant.source.source(for: tenant.account).custody)
    }

    private func modes() -> [mode_t] {
        ["", "/cur", "/new", "/.A", "/.A/cur", "/.A/new"].map { folder.mode("source/ada" + $0) }
    }

    @Test func `takes all rights to write and gives back exactly what was there`() async throws {
        let before = modes()
        try await custody().freeze()
        #expect(modes() == before.map { $0 & ~0o222 })
        try await custody().freeze()
        #expect(try await tenant.listing(["INBOX"]).headers.count == 1)
        try await custody().thaw()
        #expect(modes() == before)
        #expect(!folder.exists("source/ada/.ferry-frozen"))
        try await custody().thaw()
        #expect(modes() == before)
    }

    @Test func `completes a freeze that was interrupted, and forgets no mode`() async throws {
        let before = modes()
        try await custody().freeze()
        // As if the process had died half way: some modes not yet changed, and a folder made since.
        chmod(folder.path + "/source/ada", before[0])
        chmod(folder.path + "/source/ada/.A/cur", before[4])
        try folder.makeDirectory("source/ada/.B")
        chmod(folder.path + "/source/ada/.B", 0o705)
        try await custody().freeze()
        #expect(modes() == before.map { $0 & ~0o222 })
        #expect(folder.mode("source/ada/.B") == 0o505)
        try await custody().thaw()
        #expect(modes() == before)
        #expect(folder.mode("source/ada/.B") == 0o705)
    }

    @Test func `thaws although a folder has gone`() async throws {
        try await custody().freeze()
        chmod(folder.path + "/source/ada/.A", 0o700)
        chmod(folder.path + "/source/ada/.A/tmp", 0o700)
        chmod(folder.path + "/source/ada", 0o700)
        try folder.remove("source/ada/.A/tmp")
        try await custody().thaw()
        #expect(folder.mode("source/ada/.A") == 0o770)
    }

    @Test func `redirects a frozen folder, keeps the person's own redirection, and puts it back`() async throws {
        try folder.write("ada@elsewhere.example\n", "source/ada/.forward")
        try await custody().freeze()
        try await custody().redirect(to: "ada@fabrikam.example")
        try await custody().redirect(to: "ada@fabrikam.example")
        #expect(try folder.text("source/ada/.forward").split(separator: "\n").last == "ada@fabrikam.example")
        #expect(try folder.text("source/ada/MOVED").contains("ada@fabrikam.example"))
        #expect(folder.mode("source/ada") == 0o550)
        #expect(try await tenant.listing(["INBOX"]).headers.count == 1)
        #expect(try await tenant.source.source(for: tenant.account).containers().map(\.path) == [["INBOX"], ["A"]])
        try await custody().removeRedirect()
        try await custody().removeRedirect()
        #expect(try folder.text("source/ada/.forward") == "ada@elsewhere.example\n")
        #expect(!folder.exists("source/ada/MOVED"))
    }

    @Test(
        arguments: [
            "", "no-at", "|/bin/sh@x", "a@b\n|/bin/sh", "a@b,c@d", "/var/mail@x", ":include:/etc/passwd@x", "a b@c",
            "a@b@c", "\"|x\"@y", "a@", "@b", "$(x)@y",
        ])
    func `redirects to nothing but a plain address`(_ address: String) async throws {
        await #expect { try await custody().redirect(to: address) } throws: {
            ($0 as? ConnectorError)?.code == .targetNameRefused
        }
        #expect(!folder.exists("source/ada/.forward"))
    }

    @Test func `leaves a file of the person's own alone that has the name of ours`() async throws {
        try folder.write("mine", "source/ada/MOVED")
        try await custody().redirect(to: "ada@fabrikam.example")
        try await custody().removeRedirect()
        #expect(try folder.text("source/ada/MOVED") == "mine")
        #expect(!folder.exists("source/ada/.forward"))
    }
}
