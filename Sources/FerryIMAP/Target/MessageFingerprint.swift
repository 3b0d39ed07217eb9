import FerryConnector
import FerryCore
import FerryFormats
import NIOCore

/// What two copies of one message have in common after everything that servers are known to do to it: line ends, lost
/// CRs, NUL (which becomes 0x80 in Dovecot), 8-bit bytes in headers (which become `X` in Cyrus).
///
/// For recognizing what an interrupted batch has written. The verifier compares strictly.
struct MessageFingerprint: Hashable, Sendable {
    let digest: ContentDigest

    struct Hasher {
        private var hasher = ContentHasher()

        mutating func update(_ buffer: ByteBuffer) {
            hasher.update(
                buffer.readableBytesView.lazy.filter { $0 != 0x0D }
                    .map { $0 == 0 || $0 >= 0x80 ? UInt8(ascii: "X") : $0 })
        }

        func finish() -> MessageFingerprint { MessageFingerprint(digest: hasher.finish()) }
    }

    /// Of each item of a reader in order; `nil` for those that cannot be read.
    static func all(of reader: any BodyReader) async throws(ConnectorError) -> [MessageFingerprint?] {
        let record = FingerprintRecord(reader)
        while try await record.next() != nil {}
        return record.fingerprints
    }
}
