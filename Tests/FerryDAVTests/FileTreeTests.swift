import FerryConnector
import FerryCore
import FerryFormats
import FerryHTTP
import FerryTestKit
import Foundation
import Testing

@testable import FerryDAV

@Suite struct `Files over WebDAV` {
    private static let container = Container(name: "files", path: [], details: .fileTree)

    private func headers(_ session: any SourceSession) async throws -> (headers: [ItemHeader], problems: [String]) {
        var headers: [ItemHeader] = []
        var problems: [String] = []
        var cursor: Cursor?
        repeat {
            let page = try await session.items(in: Self.container, after: cursor)
            headers += page.headers
            problems += page.problems.map(\.name)
            cursor = page.next
        } while cursor != nil
        return (headers, problems)
    }

    /// The simplest copier there can be.
    @discardableResult
    private func copy(_ from: FileServer, _ to: FileServer) async throws -> [String: WriteReceipt] {
        let source = try await from.connector.source(for: from.account())
        let target = try await to.connector.target(for: to.account())
        let container = try await target.ensure(Self.container)
        let headers = try await headers(source).headers
        let bodies = try await source.bodies(of: headers, in: Self.container)
        let receipts = try await target.write(headers, bodies: bodies, in: container)
        try await target.finish(container)
        return Dictionary(zip(headers.map(\.name), receipts)) { first, _ in first }
    }

    @Test func `are foreseen to be refused where their paths are longer than the target's limit or reserved`()
        async throws
    {
        let (source, target) = (try await FileServer.person(.apache), try await FileServer.person(.rclone))
        for name in ["short", "folder/some long name", "folder/just.fits"] { try source.put(name, [1]) }
        try await source.refresh()
        let limited = target.connector(target.endpoint, longestPath: 16)
        let session = try await source.connector.source(for: source.account())
        let headers = try await headers(session).headers
        let told = Set(headers.filter { limited.objection(to: $0)?.code == .targetNameRefused }.map(\.name))
        #expect(told == ["folder/some long name"])
        // And that is what happens.
        let writing = try await limited.target(for: target.account())
        let receipts = try await writing.write(
            headers, bodies: try await session.bodies(of: headers, in: Self.container),
            in: try await writing.ensure(Self.container))
        for (header, receipt) in zip(headers, receipts) {
            if case .failure(let error) = receipt {
                #expect(told.contains(header.name) && error.code == .targetNameRefused)
            } else {
                #expect(!told.contains(header.name))
            }
        }
    }

    @Test(arguments: FileServer.Kind.allCases, FileServer.Kind.allCases)
    func `arrive with empty folders, odd names and long paths`(
        _ from: FileServer.Kind, _ to: FileServer.Kind
    ) async throws {
        let (source, target) = (try await FileServer.person(from), try await FileServer.person(to))
        let long = (0..<8).map { "\($0)" + String(repeating: "ä", count: 24) }.joined(separator: "/")
        let files = [
            "plain", "100%.txt", "%41", "semi;colon", "question?mark#hash&amp", "plus+and space", "Größe/日本 語/🚢",
            // One letter in one character and in two, as a file and as a folder.
            "caf\u{E9}", "cafe\u{301}", "dir\u{E9}/x", "dire\u{301}/y", "Case", "case", ".hidden", "back\\slash",
            "\(long)/leaf", "quote\"'",
        ]
        for (number, name) in files.enumerated() { try source.put(name, [UInt8(number)]) }
        for folder in ["empty", "empty/inner", "deep/er/est"] { try source.makeFolder(folder) }
        try await source.refresh()
        let receipts = try await copy(source, target)
        for (name, receipt) in receipts {
            guard case .written = receipt else {
                Issue.record("\(name): \(receipt)")
                continue
            }
        }
        #expect(target.tree.map { Array($0.utf8) } == source.tree.map { Array($0.utf8) })
        for (number, name) in files.enumerated() { #expect(target.content(name) == [UInt8(number)]) }
    }

    @Test(arguments: FileServer.Kind.allCases)
    func `take each other's place as file and folder`(_ kind: FileServer.Kind) async throws {
        let (source, target) = (try await FileServer.person(kind), try await FileServer.person(kind))
        try source.put("was file", [1])
        try source.makeFolder("was folder")
        try await source.refresh()
        try await copy(source, target)
        for name in ["was file", "was folder"] {
            try FileManager.default.removeItem(atPath: "\(source.folder)/\(name)")
        }
        try source.put("was file/inside", [2])
        try source.put("was folder", [3])
        try await source.refresh()
        let receipts = try await copy(source, target)
        #expect(receipts.count == 3)
        for (name, receipt) in receipts {
            guard case .written = receipt else {
                Issue.record("\(name): \(receipt)")
                continue
            }
        }
        #expect(target.content("was file/inside") == [2])
        #expect(target.content("was folder") == [3])
    }

    @Test(arguments: FileServer.Kind.allCases)
    func `are listed in one order, parents first, and from any page on`(_ kind: FileServer.Kind) async throws {
        let server = try await FileServer.person(kind)
        for number in 0..<1_300 { try server.put("f\(number % 7)/g\(number % 3)/\(number)", []) }
        try server.put("f1.txt", [])
        try await server.refresh()
        let session = try await server.connector.source(for: server.account())
        let names = try await headers(session).headers.map(\.name)
        #expect(names.count == 1_301 + 7 + 21)
        var seen: Set<String> = []
        for name in names {
            if let slash = name.lastIndex(of: "/") { #expect(seen.contains(String(name[..<slash]))) }
            #expect(seen.insert(name).inserted)
        }
        // What `state` has seen is listed without another walk, and the same.
        _ = try await session.state(of: Self.container)
        #expect(try await headers(session).headers.map(\.name) == names)
        let first = try await session.items(in: Self.container, after: nil)
        #expect(first.next != nil)
        let other = try await server.connector.source(for: server.account())
        let rest = try await other.items(in: Self.container, after: first.next)
        #expect(first.headers.map(\.name) + rest.headers.map(\.name) == names)
        #expect(rest.next == nil)
    }

    @Test(arguments: FileServer.Kind.allCases)
    func `that change after they were listed are not read`(_ kind: FileServer.Kind) async throws {
        let server = try await FileServer.person(kind)
        for name in ["a", "b", "c"] {
            try server.put(name, Array("0123".utf8), modified: Instant(seconds: 1_600_000_000))
        }
        try await server.refresh()
        let session = try await server.connector.source(for: server.account())
        let headers = try await headers(session).headers
        // Same length, other content.
        try server.put("b", Array("4567".utf8))
        try await server.refresh()
        let reader = try await session.bodies(of: headers, in: Self.container)
        var outcomes: [String] = []
        while let events = try await reader.next() {
            for event in events {
                switch event {
                case .bytes: break
                case .end: outcomes.append("end")
                case .failed(let error): outcomes.append(error.code.rawValue)
                }
            }
        }
        #expect(outcomes == ["end", "source.item.unreadable", "end"])
    }

    @Test(arguments: FileServer.Kind.allCases)
    func `go from the target by their keys, and folders once they are empty`(_ kind: FileServer.Kind) async throws {
        let (source, target) = (try await FileServer.person(kind), try await FileServer.person(kind))
        for name in ["a/b/c/1", "a/b/2", "a/3", "keep/4"] { try source.put(name, [1]) }
        try await source.refresh()
        try await copy(source, target)
        try target.put("a/own", [9])
        try await target.refresh()
        let session = try await target.connector.target(for: target.account())
        let container = try await session.ensure(Self.container)
        let gone = ["a", "a/b", "a/b/c", "a/b/c/1", "a/b/2", "a/3", "keep"].map { PlacedItem(key: ItemKey(name: $0)) }
        try await session.remove(gone, in: container)
        #expect(target.tree == ["a", "a/own", "keep", "keep/4"])
    }

    @Test func `are read and written behind Digest`() async throws {
        let server = try await FileServer.person(.apache, ["--login", "digest"])
        try server.put("secret", [1, 2, 3])
        let session = try await server.connector.source(for: server.account())
        let headers = try await headers(session).headers
        #expect(headers.map(\.name) == ["secret"])
        let wrong = server.connector(
            server.endpoint, as: .password(user: "mover", password: Secret("wrong")))
        await #expect {
            _ = try await wrong.source(for: server.account())
        } throws: {
            ($0 as? ConnectorError)?.code == .sourceAuthRejected
        }
    }

    @Test func `are read by HTTP/2 over TLS with an authority of one's own, and not without`() async throws {
        let server = try await FileServer.person(.apache, ["--tls-port", SharedServers.sparePort])
        try server.put("file", [1])
        var endpoint = HTTPEndpoint(isEncrypted: true, host: "localhost", port: server.process.sparePort)
        await #expect {
            _ = try await server.connector(endpoint).source(for: server.account())
        } throws: {
            ($0 as? ConnectorError)?.disposition == .hold
        }
        endpoint.trust = .authorities(path: "\(server.process.directory)/cert.pem")
        // This port answers HTTP/2 only.
        let session = try await server.connector(endpoint).source(for: server.account())
        #expect(try await headers(session).headers.map(\.name) == ["file"])
    }
}
