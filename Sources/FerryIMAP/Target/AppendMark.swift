import FerryConnector
import FerryCore

/// What is durable before a batch is appended: where in the folder it will be, and what tells its messages there.
///
/// Layout: UIDVALIDITY and UIDNEXT, four bytes each; then, for each message, eight bytes with its date (seconds since
/// 1970, two's complement) and eight with its size. All big-endian. Sizes of `unknownSize` are not known before the end.
struct AppendMark: Sendable, Hashable {
    struct Message: Sendable, Hashable {
        var date: Instant
        var size: Int64
    }

    private static let unknownSize: Int64 = -1

    var uidValidity: UInt32
    /// No message of the batch will be below.
    var first: UID
    var messages: [Message]

    init(uidValidity: UInt32, first: UID, before headers: [ItemHeader]) {
        self.uidValidity = uidValidity
        self.first = first
        messages = headers.map { header in
            guard case .message(let message) = header.metadata else {
                return Message(date: Instant(seconds: 0), size: Self.unknownSize)
            }
            return Message(date: message.internalDate, size: header.sizeIsHint ? Self.unknownSize : header.size)
        }
    }

    /// `nil` for what `bytes` did not make.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 8, bytes.count % 16 == 8 else { return nil }
        uidValidity = UInt32(bigEndianBytes: bytes[..<4])
        first = UInt32(bigEndianBytes: bytes[4..<8])
        messages = stride(from: 8, to: bytes.count, by: 16).map { start in
            Message(
                date: Instant(seconds: Self.number(bytes[start..<start + 8])),
                size: Self.number(bytes[start + 8..<start + 16]))
        }
    }

    var bytes: [UInt8] {
        var bytes = uidValidity.bigEndianBytes + first.bigEndianBytes
        bytes.reserveCapacity(8 + messages.count * 16)
        for message in messages {
            for number in [message.date.seconds, message.size] {
                bytes += UInt32(truncatingIfNeeded: number >> 32).bigEndianBytes
                bytes += UInt32(truncatingIfNeeded: number).bigEndianBytes
            }
        }
        return bytes
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> Int64 {
        Int64(truncatingIfNeeded: bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }

    /// Of those of the batch's messages that the source has no more, as far as they can be told.
    func traces(of keys: [ItemKey], without headers: [ItemHeader]) -> [AppendRecovery.Trace] {
        let present = Set(headers.map(\.key))
        return zip(keys, messages).compactMap { key, message in
            guard !present.contains(key), message.size > 0, let date = AppendRecovery.reliable(message.date) else {
                return nil
            }
            return AppendRecovery.Trace(key: key, date: date, size: message.size)
        }
    }
}
