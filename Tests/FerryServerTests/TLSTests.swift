import AsyncHTTPClient
import FerryAPI
import FerryCore
import FerryTestKit
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import NIOSSL
import Testing

@testable import FerryServer

/// TLS with certificates that openssl makes, and a real client on the other side.
struct TLSTests {
    @Test("The API speaks HTTP/2 over TLS, its links are https, and clients are told to stay there")
    func http2() async throws {
        try await Authority.use { authority in
            let certificate = try ServerCertificate(try await authority.issue("first"))
            try await Wire.serve(ServerSettings(port: 0), certificate: certificate) { world, port in
                try await Self.withClient(trusting: authority) { client in
                    var request = HTTPClientRequest(url: "https://localhost:\(port)\(World.v1)")
                    request.method = .POST
                    request.headers.add(name: "Authorization", value: "Bearer \(try world.token())")
                    request.headers.add(name: "Content-Type", value: "application/json")
                    request.body = .bytes(ByteBuffer(string: World.body("wave-1")))
                    let created = try await client.execute(request, timeout: .seconds(20))
                    #expect(created.status.code == 201)
                    #expect(created.version == .http2)
                    #expect(created.headers.first(name: "Strict-Transport-Security") == "max-age=31536000")
                    let location = try #require(created.headers.first(name: "Location"))
                    #expect(location.hasPrefix("https://localhost:\(port)\(World.v1)/"))
                    // A body whose length was not announced, which only HTTP/2 frames without a header.
                    let pieces = AsyncStream<ByteBuffer> { pieces in
                        pieces.yield(ByteBuffer(string: World.body("wave-2")))
                        pieces.finish()
                    }
                    request.body = .stream(pieces, length: .unknown)
                    #expect(try await client.execute(request, timeout: .seconds(20)).status.code == 201)
                }
            }
        }
    }

    @Test("A client without HTTP/2 gets HTTP/1.1")
    func http1() async throws {
        try await Authority.use { authority in
            let certificate = try ServerCertificate(try await authority.issue("first"))
            try await Wire.serve(ServerSettings(port: 0), certificate: certificate) { _, port in
                try await Self.withClient(trusting: authority, version: .http1Only) { client in
                    let answer = try await client.execute(
                        HTTPClientRequest(url: "https://localhost:\(port)/healthz"), timeout: .seconds(20))
                    #expect(answer.status.code == 200)
                    #expect(answer.version == .http1_1)
                }
            }
        }
    }

    @Test("A large page crosses HTTP/2 compressed")
    func compressed() async throws {
        try await Authority.use { authority in
            let certificate = try ServerCertificate(try await authority.issue("first"))
            try await Wire.serve(ServerSettings(port: 0), certificate: certificate) { world, port in
                try await Self.withClient(trusting: authority) { client in
                    var request = HTTPClientRequest(url: "https://localhost:\(port)\(World.v1)")
                    request.headers.add(name: "Authorization", value: "Bearer \(try world.token())")
                    request.headers.add(name: "Content-Type", value: "application/json")
                    request.method = .POST
                    for number in 1...5 {
                        request.body = .bytes(ByteBuffer(string: World.body("wave-\(number)")))
                        #expect(try await client.execute(request, timeout: .seconds(20)).status.code == 201)
                    }
                    request.method = .GET
                    request.body = nil
                    request.headers.add(name: "Accept-Encoding", value: "gzip")
                    let answer = try await client.execute(request, timeout: .seconds(20))
                    #expect(answer.headers.first(name: "Content-Encoding") == "gzip")
                    let text = try ContentCodingTests.inflated(
                        try await answer.body.collect(upTo: 1 << 20), .gzip)
                    #expect(text.contains("\"wave-5\""))
                }
            }
        }
    }

    @Test("New connections get a certificate that replaced the old one; a broken one changes nothing")
    func reload() async throws {
        try await Authority.use { authority in
            let files = try await authority.issue("first")
            let certificate = try ServerCertificate(files)
            try await Wire.serve(ServerSettings(port: 0), certificate: certificate) { _, port in
                #expect(try await Self.name(at: port, trusting: authority) == "first")
                try await authority.issue("second")
                #expect(try certificate.reload())
                #expect(try await Self.name(at: port, trusting: authority) == "second")
                #expect(try !certificate.reload())
                let second = try String(contentsOfFile: files.key, encoding: .utf8)
                try await authority.issue("third")
                try second.write(toFile: files.key, atomically: false, encoding: .utf8)
                let error = #expect(throws: CertificateError.self) { try certificate.reload() }
                #expect(error?.description.contains("does not belong to the first certificate") == true)
                #expect(try await Self.name(at: port, trusting: authority) == "second")
            }
        }
    }

    @Test("The watch takes new files into use on a hint and by itself, and ends with the server")
    func watch() async throws {
        try await Authority.use { authority in
            let certificate = try ServerCertificate(try await authority.issue("first"))
            let (hints, hint) = AsyncStream.makeStream(of: Void.self)
            let (lines, log) = AsyncStream.makeStream(of: String.self)
            let logger = Logger(label: "test") { _ in LineLog(lines: log) }
            for interval in [Duration.seconds(3600), .milliseconds(5)] {
                let watch = CertificateWatch(
                    certificate, hints: hints, interval: interval, clock: ContinuousClock(), logger: logger)
                let before = certificate.context
                try await withThrowingTaskGroup(of: Void.self) { tasks in
                    tasks.addTask { try await watch.run() }
                    try await authority.issue("next")
                    if interval > .seconds(1) { hint.yield() }
                    _ = await lines.first { $0.contains("taken into use") }
                    #expect(certificate.context !== before)
                    try "nothing".write(toFile: certificate.files.certificate, atomically: false, encoding: .utf8)
                    let good = certificate.context
                    if interval > .seconds(1) { hint.yield() }
                    let said = await lines.first { $0.contains("not replaced") }
                    #expect(said?.contains("holds no certificate in PEM form") == true)
                    #expect(certificate.context === good)
                    tasks.cancelAll()
                    try await tasks.waitForAll()
                }
            }
        }
    }

    @Test(
        "Files that cannot be used are named, with what to do",
        arguments: [
            ("absent", "cannot be read"), ("swapped", "holds no certificate"), ("mismatch", "does not belong"),
            ("locked", "without a passphrase"),
        ])
    func broken(_ how: String, _ expected: String) async throws {
        try await Authority.use { authority in
            var files = try await authority.issue("first")
            switch how {
            case "absent": files.certificate += ".gone"
            case "swapped": (files.certificate, files.key) = (files.key, files.certificate)
            case "mismatch": files.key = authority.path("ca.key")
            default:
                try await authority.openssl(
                    "pkey", "-in", files.key, "-aes128", "-passout", "pass:secret", "-out", authority.path("locked"))
                files.key = authority.path("locked")
            }
            let error = #expect(throws: CertificateError.self) { _ = try ServerCertificate(files) }
            #expect(error?.description.contains(expected) == true, "\(String(describing: error))")
            #expect(error?.description.contains(authority.path("")) == true)
        }
    }

    @Test("TLS 1.1 is refused")
    func oldTLS() async throws {
        try await Authority.use { authority in
            let certificate = try ServerCertificate(try await authority.issue("first"))
            #expect(certificate.context.configuration.minimumTLSVersion == .tlsv12)
            #expect(certificate.context.configuration.applicationProtocols == ["h2", "http/1.1"])
        }
    }

    @Test("A connection that never agrees on TLS is closed")
    func slowHandshake() async throws {
        try await Authority.use { authority in
            let certificate = try ServerCertificate(try await authority.issue("first"))
            let settings = ServerSettings(port: 0, headTimeout: .milliseconds(50))
            try await Wire.serve(settings, certificate: certificate) { _, port in
                // The start of a handshake record, and then nothing.
                let answer = try await Wire.talk(to: port) { connection in
                    connection.send("\u{16}\u{3}\u{1}")
                    return connection.read()
                }
                #expect(answer.isEmpty)
            }
        }
    }

    /// The common name of the certificate that a new connection is greeted with.
    private static func name(at port: Int, trusting authority: Authority) async throws -> String? {
        let text = try await authority.openssl(
            "s_client", "-connect", "127.0.0.1:\(port)", "-CAfile", authority.path("ca.crt"), "-verify_return_error")
        guard let range = text.range(of: "subject=CN = ") else { return nil }
        return String(text[range.upperBound...].prefix { $0 != "\n" })
    }

    private static func withClient(
        trusting authority: Authority, version: HTTPClient.Configuration.HTTPVersion = .automatic,
        _ body: (HTTPClient) async throws -> Void
    ) async throws {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .file(authority.path("ca.crt"))
        var configuration = HTTPClient.Configuration(tlsConfiguration: tls)
        configuration.httpVersion = version
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        do {
            try await body(client)
        } catch {
            try? await client.shutdown()
            throw error
        }
        try await client.shutdown()
    }
}

/// A certificate authority of one test, in a directory of its own.
struct Authority: Sendable {
    private let directory: URL

    static func use(_ body: (Authority) async throws -> Void) async throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("ferry-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let authority = Authority(directory: directory)
        try await authority.openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/CN=authority", "-keyout", authority.path("ca.key"), "-out", authority.path("ca.crt"))
        try await body(authority)
    }

    func path(_ name: String) -> String { directory.appendingPathComponent(name).path }

    /// A certificate for localhost with the given common name, written over the one before.
    @discardableResult
    func issue(_ name: String) async throws -> CertificateFiles {
        try "subjectAltName=DNS:localhost,IP:127.0.0.1".write(
            toFile: path("names"), atomically: true, encoding: .utf8)
        try await openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=\(name)",
            "-keyout", path("new.key"), "-out", path("request"))
        try await openssl(
            "x509", "-req", "-in", path("request"), "-CA", path("ca.crt"), "-CAkey", path("ca.key"), "-days", "2",
            "-CAcreateserial", "-extfile", path("names"), "-out", path("new.crt"))
        for part in ["key", "crt"] { rename(path("new.\(part)"), path("server.\(part)")) }
        return CertificateFiles(certificate: path("server.crt"), key: path("server.key"))
    }

    /// Runs openssl on a thread that may wait, and gives what it prints.
    @discardableResult
    func openssl(_ arguments: String...) async throws -> String {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try Self.run(arguments) }) }
        }
    }

    private static func run(_ arguments: [String]) throws -> String {
        let output = try ChildPipe()
        defer { output.closeReading() }
        let process = try ChildProcess(["openssl"] + arguments, output: output.writing)
        output.closeWriting()
        let bytes = output.readAll()
        let status = process.waitForExit()
        guard status == 0 else { throw Complaint(text: "openssl \(arguments.first ?? "") ended with \(status)") }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// A log that a test can wait for.
struct LineLog: LogHandler {
    let lines: AsyncStream<String>.Continuation
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    init(lines: AsyncStream<String>.Continuation) { self.lines = lines }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        lines.yield("\(event.message) \(event.metadata ?? [:])")
    }
}
