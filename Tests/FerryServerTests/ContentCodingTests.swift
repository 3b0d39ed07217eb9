import CZlib
import FerryAPI
import Foundation
import HTTPTypes
import HummingbirdTesting
import NIOCore
import Testing

@testable import FerryServer

/// RFC 9110 sections 8.4 and 12.5.3.
struct ContentCodingTests {
    static let rows: [(accepted: String?, coding: ContentCoding?, refusesIdentity: Bool)] = [
        (nil, nil, false), ("", nil, false), ("identity", nil, false), ("br, zstd", nil, false),
        ("gzip", .gzip, false), ("x-gzip", .gzip, false), ("GZIP", .gzip, false), ("deflate", .deflate, false),
        ("gzip, deflate, br", .gzip, false), ("deflate, gzip", .gzip, false),
        ("gzip;q=0.5, deflate;q=0.8", .deflate, false), ("gzip;q=0", nil, false), ("gzip;q=0, *", .deflate, false),
        ("*", .gzip, false), ("*;q=0", nil, false), ("gzip, *;q=0", .gzip, true),
        ("identity;q=0, gzip", .gzip, true), ("identity;q=0", nil, false), ("identity;q=1, gzip;q=0.5", nil, false),
        ("identity;q=0.5, gzip;q=1.0", .gzip, false), ("gzip ; q=0.001", .gzip, false), ("gzip;q=2", nil, false),
        ("gzip;q=0.0001", nil, false), ("gzip;q=nonsense, deflate", .deflate, false), (",,, ;q=1,gzip", .gzip, false),
    ]

    @Test("The coding that the client likes best is taken", arguments: rows.indices)
    func preference(_ index: Int) {
        let row = Self.rows[index]
        let preference = ContentCoding.preference(row.accepted)
        #expect(preference.coding == row.coding, "\(row)")
        #expect(preference.refusesIdentity == row.refusesIdentity, "\(row)")
    }

    @Test("What is text is compressed, but not an event stream")
    func mediaTypes() {
        for type in [
            "application/json;odata.metadata=minimal", "text/html", "application/problem+json", "image/svg+xml",
        ] {
            #expect(ContentCoding.isWorthwhile(for: type), "\(type)")
        }
        for type in [nil, "text/event-stream", "image/png", "application/octet-stream", "application/gzip"] {
            #expect(!ContentCoding.isWorthwhile(for: type), "\(type ?? "none")")
        }
    }

    @Test("What was compressed in pieces of any size comes back whole", arguments: ContentCoding.allCases)
    func roundTrip(_ coding: ContentCoding) throws {
        let text = (0..<40_000).map { "\($0 % 977)," }.joined()
        let deflater = Deflater(coding)
        var output = ByteBuffer()
        var rest = Substring(text)
        for size in [0, 1, 70_000, 3, 100_000] {
            deflater.write(ByteBuffer(string: String(rest.prefix(size))), to: &output)
            rest = rest.dropFirst(size)
        }
        deflater.write(ByteBuffer(substring: rest), to: &output)
        deflater.finish(to: &output)
        #expect(output.readableBytes < text.utf8.count / 3)
        #expect(try Self.inflated(output, coding) == text)
    }

    @Test(
        "A page is compressed for those who accept it, and says on what it depends", arguments: ContentCoding.allCases)
    func page(_ coding: ContentCoding) async throws {
        try await World.run { world, client in
            for number in 1...10 { _ = try await client.create("wave-\(number)") }
            let plain = try await client.send("GET \(World.v1)")
            #expect(plain["Content-Encoding"] == nil)
            #expect(plain["Vary"] == "Accept-Encoding")
            let packed = try await client.bytes("GET \(World.v1)", headers: ["Accept-Encoding": coding.rawValue])
            #expect(packed.headers[.contentEncoding] == coding.rawValue)
            #expect(packed.headers[.vary] == "Accept-Encoding")
            #expect(packed.headers[.contentLength] == String(packed.body.readableBytes))
            #expect(packed.body.readableBytes < plain.text.utf8.count / 3)
            #expect(try Self.inflated(packed.body, coding) == plain.text)
        }
    }

    @Test("A small answer stays as it is, unless plain bytes are refused")
    func small() async throws {
        try await World.run { _, client in
            let id = try await client.create("wave-1")
            let usual = try await client.send("GET \(World.v1)/\(id)", headers: ["Accept-Encoding": "gzip, deflate"])
            #expect(usual["Content-Encoding"] == nil && usual["Vary"] == nil)
            #expect(usual.json["id"]?.string == id)
            let strict = try await client.bytes(
                "GET \(World.v1)/\(id)", headers: ["Accept-Encoding": "gzip, identity;q=0"])
            #expect(strict.headers[.contentEncoding] == "gzip")
            #expect(try Self.inflated(strict.body, .gzip).contains(id))
        }
    }

    @Test("An answer that is made while it is sent is compressed on its way", arguments: ContentCoding.allCases)
    func stream(_ coding: ContentCoding) async throws {
        try await World.run { world, client in
            let id = try await client.create("wave-1", people: 400)
            let path = "GET \(World.v1)/\(id)?$expand=users"
            let plain = try await client.send(path)
            #expect(plain["Content-Length"] == nil, "it is not a stream")
            let packed = try await client.bytes(path, headers: ["Accept-Encoding": coding.rawValue])
            #expect(packed.headers[.contentEncoding] == coding.rawValue)
            #expect(packed.headers[.contentLength] == nil)
            #expect(try Self.inflated(packed.body, coding) == plain.text)
        }
    }

    /// zlib's own reading of the bytes; throws unless they end where the format ends.
    static func inflated(_ buffer: ByteBuffer, _ coding: ContentCoding) throws -> String {
        var input = Array(buffer.readableBytesView)
        var output = [UInt8](repeating: 0, count: 4 << 20)
        var stream = z_stream()
        guard ferry_inflate_init(&stream, coding == .gzip ? 31 : 15) == Z_OK else { throw Complaint(text: "no zlib") }
        defer { inflateEnd(&stream) }
        let (inputCount, outputCount) = (input.count, output.count)
        let status = input.withUnsafeMutableBufferPointer { input in
            output.withUnsafeMutableBufferPointer { output in
                stream.next_in = input.baseAddress
                stream.avail_in = UInt32(inputCount)
                stream.next_out = output.baseAddress
                stream.avail_out = UInt32(outputCount)
                return inflate(&stream, Z_FINISH)
            }
        }
        guard status == Z_STREAM_END, stream.avail_in == 0 else { throw Complaint(text: "zlib says \(status)") }
        return String(decoding: output[..<Int(stream.total_out)], as: UTF8.self)
    }
}

extension Client {
    /// The answer with its body as it came.
    func bytes(_ request: String, headers: [String: String]) async throws -> TestResponse {
        let words = request.split(separator: " ", maxSplits: 1)
        var fields = HTTPFields()
        fields[.authorization] = "Bearer \(try world.token())"
        for (name, value) in headers {
            if let name = HTTPField.Name(name) { fields[name] = value }
        }
        guard let method = HTTPRequest.Method(String(words[0])) else { throw Complaint(text: request) }
        return try await client.execute(uri: String(words[1]), method: method, headers: fields, body: nil) { $0 }
    }
}
