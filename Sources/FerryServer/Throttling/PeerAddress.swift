import Glibc

/// An IP address, without port and zone. IPv4 addresses are kept as IPv4-mapped ones (RFC 4291 section 2.5.5.2), so that
/// the same peer is the same however the socket was opened.
package struct PeerAddress: Sendable, Hashable, CustomStringConvertible {
    fileprivate let high: UInt64
    fileprivate let low: UInt64

    fileprivate init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Reads `192.0.2.7`, `192.0.2.7:4711`, `2001:db8::1` and `[2001:db8::1]:4711`; `nil` for anything else.
    package init?(_ text: some StringProtocol) {
        var host = String(text)
        if host.hasPrefix("[") {
            guard let end = host.firstIndex(of: "]") else { return nil }
            host = String(host[host.index(after: host.startIndex)..<end])
        } else if let colon = host.firstIndex(of: ":"), host.firstIndex(of: ".").map({ $0 < colon }) ?? false {
            host = String(host[..<colon])
        }
        if let zone = host.firstIndex(of: "%") { host = String(host[..<zone]) }
        var four = in_addr()
        if inet_pton(AF_INET, host, &four) == 1 {
            high = 0
            low = 0xFFFF_0000_0000 | UInt64(UInt32(bigEndian: four.s_addr))
            return
        }
        var six = in6_addr()
        guard inet_pton(AF_INET6, host, &six) == 1 else { return nil }
        let words = withUnsafeBytes(of: &six) { bytes in
            (0..<2).map { UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self)) }
        }
        high = words[0]
        low = words[1]
    }

    private var isIPv4: Bool { high == 0 && low >> 32 == 0xFFFF }

    /// What is counted together: an IPv4 address alone, of an IPv6 address the /64 that one customer usually has.
    var network: PeerAddress { isIPv4 ? self : PeerAddress(high: high, low: 0) }

    /// In the form of RFC 5952.
    package var description: String {
        if isIPv4 { return [24, 16, 8, 0].map { String(low >> UInt64($0) & 0xFF) }.joined(separator: ".") }
        var words = (high.bigEndian, low.bigEndian)
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(AF_INET6, &words, &text, socklen_t(text.count)) != nil else { return "" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// Addresses that begin alike: `10.0.0.0/8`, `2001:db8::/32`, or one address alone (RFC 4632 section 3.1).
package struct AddressBlock: Sendable, Hashable {
    private let base: PeerAddress
    /// Bits of the 128 that count.
    private let prefix: Int

    /// `nil` for a text that is no address with an optional prefix length.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let base = parts.first.flatMap({ PeerAddress($0) }) else { return nil }
        let width = parts[0].contains(":") ? 128 : 32
        guard parts.count == 2 else {
            self.base = base
            prefix = 128
            return
        }
        guard let length = Int(parts[1]), (0...width).contains(length) else { return nil }
        self.base = base
        prefix = 128 - width + length
    }

    package func contains(_ address: PeerAddress) -> Bool {
        let highBits = min(prefix, 64)
        let lowBits = max(0, prefix - 64)
        return (base.high ^ address.high) & Self.mask(highBits) == 0
            && (base.low ^ address.low) & Self.mask(lowBits) == 0
    }

    private static func mask(_ bits: Int) -> UInt64 { bits == 0 ? 0 : .max << UInt64(64 - bits) }
}
