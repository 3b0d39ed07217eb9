import FerryServer
import Yams

extension ConfigurationReader {
    /// Requests a minute; 0 is no limit, an absent key the standard.
    func limits(_ value: YAMLValue?) -> RateLimits {
        var limits = RateLimits.standard
        guard let value else { return limits }
        // `limits: 0` and `limits: off` switch all of them off.
        if let text = value.node.scalar?.string, ["0", "off", "false"].contains(text) { return .off }
        let keys: [(name: String, path: WritableKeyPath<RateLimits, Int?>)] = [
            ("principalReads", \.principalReads), ("principalWrites", \.principalWrites),
            ("tenantReads", \.tenantReads), ("tenantWrites", \.tenantWrites),
            ("failedAuthentications", \.failedAuthentications),
        ]
        guard let mapping = value.mapping(knows: keys.map(\.name), of: "limits") else { return limits }
        for key in keys {
            guard let value = mapping[key.name], let number = value.number(in: 0...1_000_000_000) else { continue }
            limits[keyPath: key.path] = number
        }
        return limits
    }

    /// Addresses and blocks of addresses of the proxies in front.
    func trustedProxies(_ value: YAMLValue?) -> [AddressBlock] {
        guard let value else { return [] }
        return value.elements("addresses").compactMap { element in
            guard let text = element.text("an address, such as 127.0.0.1 or 10.0.0.0/8") else { return nil }
            guard let block = AddressBlock(text) else {
                element.report("\(text.quoted) is no address.", "For example: 127.0.0.1, 10.0.0.0/8 or fd00::/8")
                return nil
            }
            return block
        }
    }
}
