import NIOCore

/// Reads a multistatus in pieces and gives each `response` as soon as it is complete, so that memory does not grow with
/// their number.
final class MultistatusParser {
    struct Limits: Sendable {
        /// Bytes of character data in one response.
        var text = 1 << 20
        /// Properties, their direct children and conditions of one response.
        var elements = 1_024
    }

    private let stream: XMLStream
    private let builder: Builder

    init(limits: Limits = Limits()) {
        builder = Builder(limits)
        stream = XMLStream(builder)
    }

    /// RFC 6578 section 6.2; known once the document has ended.
    var syncToken: String? { builder.syncToken }

    /// The responses that are complete with these bytes.
    func feed(_ bytes: UnsafeRawBufferPointer) throws(XMLFailure) -> [DAVResponse] {
        try stream.feed(bytes)
        return builder.takeResponses()
    }

    func feed(_ bytes: ByteBuffer) throws(XMLFailure) -> [DAVResponse] {
        var failure: XMLFailure?
        let responses = bytes.withUnsafeReadableBytes { bytes in
            do throws(XMLFailure) { return try feed(bytes) } catch {
                failure = error
                return []
            }
        }
        if let failure { throw failure }
        return responses
    }

    /// To be called at the end of the document: throws when it is cut short or is no multistatus.
    func finish() throws(XMLFailure) {
        try stream.feed(UnsafeRawBufferPointer(start: nil, count: 0), isLast: true)
    }

    private final class Builder: XMLHandler {
        private let limits: Limits
        private(set) var syncToken: String?
        private var complete: [DAVResponse] = []
        private var path: [String] = []
        private var response = DAVResponse()
        /// Where the properties of the present `propstat` begin; its status comes last.
        private var firstOfGroup = 0
        private var groupStatus: Int?
        private var words: [UInt8] = []
        private var childWords: [UInt8] = []
        private var room: (text: Int, elements: Int)

        init(_ limits: Limits) {
            self.limits = limits
            room = (limits.text, limits.elements)
        }

        func takeResponses() -> [DAVResponse] {
            defer { complete = [] }
            return complete
        }

        func start(_ name: String, _ attributes: [String: String]) throws(XMLFailure) {
            path.append(name)
            switch path.count {
            case 1:
                guard name == "DAV: multistatus" else { throw XMLFailure(description: "it is not a multistatus") }
            case 2:
                room = (limits.text, limits.elements)
                response = DAVResponse()
                words = []
            case 3:
                firstOfGroup = response.properties.count
                groupStatus = nil
                words = []
            case 4:
                if path[2] == "DAV: error" {
                    try takeElement()
                    response.conditions.append(name)
                }
                words = []
            case 5 where isInProperties:
                try takeElement()
                response.properties.append(DAVProperty(name: name, status: 0))
                words = []
            case 6 where isInProperties:
                try takeElement()
                response.properties[response.properties.count - 1].children.append(
                    DAVProperty.Child(name: name, attributes: attributes))
                childWords = []
            default: break
            }
        }

        private var isInProperties: Bool {
            path[1] == "DAV: response" && path[2] == "DAV: propstat" && path[3] == "DAV: prop"
        }

        private func takeElement() throws(XMLFailure) {
            room.elements -= 1
            guard room.elements >= 0 else {
                throw XMLFailure(description: "a response has more than \(limits.elements) elements")
            }
        }

        func text(_ bytes: UnsafeBufferPointer<UInt8>) throws(XMLFailure) {
            // Between elements there are blanks only, and as many as the server likes.
            guard path.count >= 3 || path.last == "DAV: sync-token" else { return }
            room.text -= bytes.count
            guard room.text >= 0 else {
                throw XMLFailure(description: "a response has more than \(limits.text) bytes")
            }
            words.append(contentsOf: bytes)
            if path.count >= 6 { childWords.append(contentsOf: bytes) }
        }

        func end(_ name: String) throws(XMLFailure) {
            defer { path.removeLast() }
            switch path.count {
            case 2 where name == "DAV: response": complete.append(response)
            case 2 where name == "DAV: sync-token": syncToken = trimmed(words)
            case 3 where path[1] == "DAV: response":
                switch name {
                case "DAV: href": response.href = trimmed(words)
                case "DAV: status": response.status = Self.status(trimmed(words))
                case "DAV: propstat":
                    for index in firstOfGroup..<response.properties.count {
                        response.properties[index].status = groupStatus ?? 200
                    }
                default: break
                }
            case 4 where path[2] == "DAV: propstat" && name == "DAV: status":
                groupStatus = Self.status(trimmed(words))
            case 5 where isInProperties:
                response.properties[response.properties.count - 1].text = String(decoding: words, as: UTF8.self)
            case 6 where isInProperties:
                let property = response.properties.count - 1
                let child = response.properties[property].children.count - 1
                response.properties[property].children[child].text = String(decoding: childWords, as: UTF8.self)
            default: break
            }
        }

        private func trimmed(_ bytes: [UInt8]) -> String {
            func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
            let start = bytes.firstIndex { !isBlank($0) } ?? bytes.endIndex
            let end = bytes.lastIndex { !isBlank($0) }.map { $0 + 1 } ?? start
            return String(decoding: bytes[start..<end], as: UTF8.self)
        }

        /// The number in `HTTP/1.1 200 OK`; 0 for what has none.
        private static func status(_ line: String) -> Int {
            let parts = line.split(separator: " ", maxSplits: 2)
            return parts.count > 1 ? Int(parts[1]) ?? 0 : 0
        }
    }
}
