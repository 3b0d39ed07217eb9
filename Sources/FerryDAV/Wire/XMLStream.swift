import CExpat

/// What is told of an XML document while it is read. Names are `namespace name`, with one blank between them (WebDAV:
/// `DAV: href`), or the name alone where there is no namespace.
protocol XMLHandler: AnyObject {
    func start(_ name: String, _ attributes: [String: String]) throws(XMLFailure)
    func end(_ name: String) throws(XMLFailure)
    /// Character data, in pieces of any length.
    func text(_ bytes: UnsafeBufferPointer<UInt8>) throws(XMLFailure)
}

/// Why a document cannot be read.
struct XMLFailure: Error, Hashable, CustomStringConvertible {
    let description: String
}

/// Reads an XML document in pieces, by Expat. Nothing outside the document is ever loaded: a document type declaration,
/// which WebDAV has no use for (RFC 4918 section 20.6), ends the reading, and with it every entity but the five of XML.
final class XMLStream {
    /// Elements within each other. WebDAV, CalDAV and CardDAV need about ten.
    static let deepest = 64
    /// Attributes of one element.
    static let mostAttributes = 64
    /// Bytes of an element's name or an attribute's value, namespace included.
    static let longestName = 4_096

    private let parser: XML_Parser
    private let reader: Reader

    init(_ handler: any XMLHandler) {
        // The separator goes between namespace and name; a blank can be in neither.
        guard let parser = XML_ParserCreateNS(nil, 0x20) else { preconditionFailure("No memory for an XML parser.") }
        self.parser = parser
        reader = Reader(handler, parser)
        XML_SetUserData(parser, Unmanaged.passUnretained(reader).toOpaque())
        XML_SetElementHandler(
            parser,
            { user, name, attributes in Reader.of(user)?.start(name, attributes) },
            { user, name in Reader.of(user)?.end(name) })
        XML_SetCharacterDataHandler(parser) { user, bytes, count in Reader.of(user)?.text(bytes, count) }
        XML_SetStartDoctypeDeclHandler(parser) { user, _, _, _, _ in
            Reader.of(user)?.stop(XMLFailure(description: "it declares a document type"))
        }
    }

    deinit { XML_ParserFree(parser) }

    /// The next bytes, none of them at the end. After a failure nothing more can be read.
    func feed(_ bytes: UnsafeRawBufferPointer, isLast: Bool = false) throws(XMLFailure) {
        var rest = bytes[...]
        repeat {
            let piece = rest.prefix(1 << 20)
            rest = rest.dropFirst(piece.count)
            let status = UnsafeRawBufferPointer(rebasing: piece).withMemoryRebound(to: CChar.self) { piece in
                XML_Parse(parser, piece.baseAddress, Int32(piece.count), isLast && rest.isEmpty ? 1 : 0)
            }
            if let failure = reader.failure { throw failure }
            guard status == XML_STATUS_OK else {
                let reason = XML_ErrorString(XML_GetErrorCode(parser)).map { String(cString: $0) } ?? "unknown"
                throw XMLFailure(description: "line \(XML_GetCurrentLineNumber(parser)): \(reason)")
            }
        } while !rest.isEmpty
    }

    /// Between Expat's calls and the handler's.
    private final class Reader {
        private(set) var failure: XMLFailure?
        private let handler: any XMLHandler
        private let parser: XML_Parser
        private var depth = 0

        init(_ handler: any XMLHandler, _ parser: XML_Parser) {
            self.handler = handler
            self.parser = parser
        }

        static func of(_ user: UnsafeMutableRawPointer?) -> Reader? {
            user.map { Unmanaged<Reader>.fromOpaque($0).takeUnretainedValue() }
        }

        /// The first failure counts. Expat may call a few times more before it heeds this.
        func stop(_ failure: XMLFailure) {
            guard self.failure == nil else { return }
            self.failure = failure
            XML_StopParser(parser, 0)
        }

        func start(_ name: UnsafePointer<CChar>?, _ list: UnsafeMutablePointer<UnsafePointer<CChar>?>?) {
            depth += 1
            guard failure == nil, let name else { return }
            do throws(XMLFailure) {
                guard depth <= XMLStream.deepest else {
                    throw XMLFailure(description: "elements are nested more than \(XMLStream.deepest) deep")
                }
                var attributes: [String: String] = [:]
                var next = list
                while let pair = next, let key = pair[0], let value = pair[1] {
                    guard attributes.count < XMLStream.mostAttributes else {
                        throw XMLFailure(description: "an element has more than \(XMLStream.mostAttributes) attributes")
                    }
                    attributes[try Self.text(key)] = try Self.text(value)
                    next = pair + 2
                }
                try handler.start(try Self.text(name), attributes)
            } catch {
                stop(error)
            }
        }

        func end(_ name: UnsafePointer<CChar>?) {
            depth -= 1
            guard failure == nil, let name else { return }
            do throws(XMLFailure) { try handler.end(try Self.text(name)) } catch { stop(error) }
        }

        func text(_ bytes: UnsafePointer<CChar>?, _ count: Int32) {
            guard failure == nil, let bytes else { return }
            do throws(XMLFailure) {
                try bytes.withMemoryRebound(to: UInt8.self, capacity: Int(count)) { (bytes) throws(XMLFailure) in
                    try handler.text(UnsafeBufferPointer(start: bytes, count: Int(count)))
                }
            } catch {
                stop(error)
            }
        }

        private static func text(_ pointer: UnsafePointer<CChar>) throws(XMLFailure) -> String {
            let text = String(cString: pointer)
            guard text.utf8.count <= XMLStream.longestName else {
                throw XMLFailure(description: "a name or attribute has more than \(XMLStream.longestName) bytes")
            }
            return text
        }
    }
}
