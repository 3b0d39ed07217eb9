/// The answer to a `$batch`, in pieces: the bodies of the responses lie between them and may be streams.
package enum BatchEncoder {
    package static let opening = Array(#"{"responses":["#.utf8)
    package static let closing = Array("]}".utf8)

    /// A response up to its body. With `hasBody` the body's JSON follows, then `responseClosing`.
    package static func responseOpening(
        id: String, status: Int, headers: [(name: String, value: String)], hasBody: Bool, isFirst: Bool
    ) -> [UInt8] {
        var json = JSONWriter(capacity: 512)
        json.object { json in
            json.member("id", id)
            json.member("status", status)
            json.key("headers")
            json.object { json in
                for header in headers {
                    json.name(header.name)
                    json.string(header.value)
                }
            }
        }
        var bytes = json.bytes
        bytes.removeLast()
        return (isFirst ? [] : [UInt8(ascii: ",")]) + bytes + (hasBody ? Array(#","body":"#.utf8) : [])
    }

    package static let responseClosing = [UInt8(ascii: "}")]

    /// A body that is not JSON, as a JSON string of base64url. It is padded, because the Python SDK's decoder wants that.
    package static func text(_ bytes: [UInt8]) -> [UInt8] {
        let digits = Base64URL.encode(bytes)
        let padding = String(repeating: "=", count: (4 - digits.utf8.count % 4) % 4)
        return Array("\"\(digits)\(padding)\"".utf8)
    }
}
