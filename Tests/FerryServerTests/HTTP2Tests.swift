import FerryCore
import FerryTestKit
import Foundation
import Glibc
import Synchronization
import Testing

@testable import FerryServer

/// What clients do to a connection of HTTP/2 that no library would do, frame by frame (RFC 9113 section 4.1).
struct HTTP2Tests {
    @Test("The limits are told at the start; who resets streams as fast as they open is sent away (CVE-2023-44487)")
    func rapidReset() async throws {
        try await Authority.use { authority in
            let certificate = try ServerCertificate(try await authority.issue("first"))
            try await Wire.serve(ServerSettings(port: 0), certificate: certificate) { _, port in
                let frames = try await Self.frames(from: port, authority) { connection in
                    var bytes = Self.preface
                    for number in 0..<1_000 {
                        bytes += Self.get(stream: number * 2 + 1)
                        // RST_STREAM with CANCEL (8).
                        bytes += Self.frame(3, stream: number * 2 + 1, [0, 0, 0, 8])
                    }
                    connection.send(bytes)
                }
                let settings = try #require(frames.first { $0.type == 4 && !$0.payload.isEmpty })
                #expect(Self.settings(settings.payload)[3] == 100)
                #expect(Self.settings(settings.payload)[6] == 16_384)
                // ENHANCE_YOUR_CALM (11), RFC 9113 section 7.
                let goodbye = try #require(frames.last { $0.type == 7 })
                #expect(goodbye.payload.dropFirst(4).prefix(4).elementsEqual([0, 0, 0, 11]))
            }
        }
    }

    @Test("A client is told by GOAWAY that the server stops, and does not keep it from stopping")
    func goAway() async throws {
        try await Authority.use { authority in
            let certificate = try ServerCertificate(try await authority.issue("first"))
            let settings = ServerSettings(port: 0, drainTimeout: .milliseconds(300))
            let (greetings, greeted) = AsyncStream.makeStream(of: Void.self)
            let (answers, answered) = AsyncStream.makeStream(of: [Frame].self)
            try await Wire.serve(settings, certificate: certificate) { _, port in
                Thread.detachNewThread {
                    defer {
                        greeted.finish()
                        answered.finish()
                    }
                    guard let connection = try? HTTP2Client(port: port, authority) else { return }
                    defer { connection.end() }
                    connection.send(Self.preface + Self.get(stream: 1))
                    // Its answer says that the connection is in use.
                    _ = connection.read { frames in frames.contains { $0.type == 0 } }
                    greeted.yield()
                    answered.yield(connection.read { frames in frames.contains { $0.type == 7 } })
                }
                #expect(await greetings.first { _ in true } != nil)
            }
            let frames = try #require(await answers.first { _ in true })
            let goodbye = try #require(frames.first { $0.type == 7 })
            #expect(goodbye.payload.dropFirst(4).prefix(4).elementsEqual([0, 0, 0, 0]))
        }
    }

    // MARK: frames

    struct Frame: Sendable {
        var type: UInt8
        var payload: [UInt8]
    }

    /// The connection preface and empty SETTINGS.
    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + frame(4, stream: 0, [])

    /// HEADERS of `GET /healthz`, complete: indexed fields of RFC 7541 appendix A, the path and the authority as literals.
    private static func get(stream: Int) -> [UInt8] {
        frame(1, flags: 5, stream: stream, [0x82, 0x87, 0x04, 8] + Array("/healthz".utf8) + [0x01, 1, 0x78])
    }

    private static func frame(_ type: UInt8, flags: UInt8 = 0, stream: Int, _ payload: [UInt8]) -> [UInt8] {
        let length = payload.count
        return [UInt8(length >> 16 & 255), UInt8(length >> 8 & 255), UInt8(length & 255), type, flags]
            + [24, 16, 8, 0].map { UInt8(stream >> $0 & 255) } + payload
    }

    /// The whole frames among the bytes.
    static func parse(_ bytes: [UInt8]) -> [Frame] {
        var frames: [Frame] = []
        var rest = bytes[...]
        while rest.count >= 9 {
            let head = Array(rest.prefix(9))
            let length = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
            guard rest.count >= 9 + length else { break }
            frames.append(Frame(type: head[3], payload: Array(rest.dropFirst(9).prefix(length))))
            rest = rest.dropFirst(9 + length)
        }
        return frames
    }

    private static func settings(_ payload: [UInt8]) -> [Int: Int] {
        var settings: [Int: Int] = [:]
        for start in stride(from: 0, to: payload.count - 5, by: 6) {
            let value = payload[start + 2..<start + 6].reduce(0) { $0 << 8 | Int($1) }
            settings[Int(payload[start]) << 8 | Int(payload[start + 1])] = value
        }
        return settings
    }

    /// Everything that comes until the server closes.
    private static func frames(
        from port: Int, _ authority: Authority, _ body: @escaping @Sendable (HTTP2Client) -> Void
    ) async throws -> [Frame] {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    with: Result {
                        let client = try HTTP2Client(port: port, authority)
                        body(client)
                        defer { client.end() }
                        return client.read { _ in false }
                    })
            }
        }
    }
}

/// Raw bytes over TLS with HTTP/2 agreed on, carried by openssl, which is ended after 20 seconds in any case.
final class HTTP2Client: Sendable {
    private let process: ChildProcess
    private let input: ChildPipe
    private let output: ChildPipe
    private let seen = Mutex<[UInt8]>([])

    init(port: Int, _ authority: Authority) throws {
        // Writing to one that has ended is an error then, and not the end of the tests.
        signal(SIGPIPE, SIG_IGN)
        input = try ChildPipe()
        output = try ChildPipe()
        process = try ChildProcess(
            [
                "timeout", "20", "openssl", "s_client", "-connect", "127.0.0.1:\(port)", "-alpn", "h2", "-quiet",
                "-CAfile", authority.path("ca.crt"), "-verify_return_error",
            ], input: input.reading, output: output.writing)
        input.closeReading()
        output.closeWriting()
    }

    deinit {
        input.closeWriting()
        output.closeReading()
    }

    /// The server may be gone before the last byte, which is what some tests want.
    func send(_ bytes: [UInt8]) { input.write(bytes) }

    /// All frames since the beginning, once they are enough or the server has closed.
    func read(until isEnough: ([HTTP2Tests.Frame]) -> Bool) -> [HTTP2Tests.Frame] {
        while true {
            let frames = HTTP2Tests.parse(seen.withLock { $0 })
            if isEnough(frames) { return frames }
            let piece = output.read()
            guard !piece.isEmpty else { return frames }
            seen.withLock { $0 += piece }
        }
    }

    func end() {
        process.signal(SIGTERM)
        _ = process.waitForExit()
    }
}
