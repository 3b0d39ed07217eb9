import HTTPTypes
import NIOCore

/// Where a request came from. Looked up only when somebody asks, because most requests never need it.
struct Origin: Sendable {
    /// `nil` for requests that came over no network.
    private let channel: (any Channel)?
    private let forwarded: [String]
    private let proxies: [AddressBlock]

    /// - Parameters:
    ///   - forwarded: the values of `X-Forwarded-For`, in their order.
    ///   - proxies: whose word about other addresses counts.
    init(channel: (any Channel)?, forwarded: [String], trusting proxies: [AddressBlock]) {
        self.channel = channel
        self.forwarded = forwarded
        self.proxies = proxies
    }

    static let nowhere = Origin(channel: nil, forwarded: [], trusting: [])

    /// The address of the client: the peer of the connection, or, when that is a trusted proxy, the nearest address in
    /// `X-Forwarded-For` that is not one itself. What stands before it there anybody may have written.
    var address: PeerAddress? {
        guard let text = channel?.remoteAddress?.ipAddress, let peer = PeerAddress(text) else { return nil }
        return Self.client(peer, forwarded: forwarded, trusting: proxies)
    }

    static func client(_ peer: PeerAddress, forwarded: [String], trusting proxies: [AddressBlock]) -> PeerAddress {
        var client = peer
        guard !proxies.isEmpty else { return peer }
        let hops = forwarded.flatMap { $0.split(separator: ",") }
        for hop in hops.reversed() {
            guard proxies.contains(where: { $0.contains(client) }) else { break }
            guard let next = PeerAddress(hop.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" }) else {
                break
            }
            client = next
        }
        return client
    }

    /// For the audit trail; empty when it is not known.
    var text: String { address?.description ?? "" }
}
