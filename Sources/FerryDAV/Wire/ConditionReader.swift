import NIOCore

/// Why a server refuses, as far as it says.
struct Refusal: Sendable, Hashable {
    /// Names of the conditions with their namespaces, such as `urn:ietf:params:xml:ns:caldav no-uid-conflict`.
    var conditions: [String] = []
    /// A resource that is named within.
    var href: String?

    /// Another object has the UID already.
    var isUIDConflict: Bool {
        conditions.contains { name in
            name.hasSuffix(" no-uid-conflict") || name.hasSuffix(" unique-scheduling-object-resource")
        }
    }

    /// The names without their namespaces, for people.
    var text: String {
        conditions.map { String($0.split(separator: " ").last ?? "").printable(limit: 80) }.joined(separator: ", ")
    }
}

/// Reads the `error` element that a refusal may have (RFC 4918 section 14.5).
final class ConditionReader: XMLHandler {
    private static let most = 32

    private var depth = 0
    private var isError = false
    private var isReference = false
    private var words: [UInt8] = []
    private var refusal = Refusal()

    /// Empty where the content is anything else.
    static func refusal(in content: ByteBuffer) -> Refusal {
        let reader = ConditionReader()
        let stream = XMLStream(reader)
        do throws(XMLFailure) {
            var failure: XMLFailure?
            content.withUnsafeReadableBytes { bytes in
                do throws(XMLFailure) { try stream.feed(bytes, isLast: true) } catch { failure = error }
            }
            if let failure { throw failure }
            return reader.refusal
        } catch {
            return Refusal()
        }
    }

    func start(_ name: String, _ attributes: [String: String]) throws(XMLFailure) {
        depth += 1
        if depth == 1 { isError = name == "DAV: error" }
        if depth == 2, isError, refusal.conditions.count < Self.most { refusal.conditions.append(name) }
        isReference = depth > 2 && isError && name == "DAV: href"
        if isReference { words = [] }
    }

    func end(_ name: String) throws(XMLFailure) {
        depth -= 1
        guard isReference else { return }
        isReference = false
        refusal.href = refusal.href ?? String(decoding: words, as: UTF8.self).trimmingBlanks
    }

    func text(_ bytes: UnsafeBufferPointer<UInt8>) throws(XMLFailure) {
        if isReference, words.count + bytes.count <= XMLStream.longestName { words.append(contentsOf: bytes) }
    }
}
