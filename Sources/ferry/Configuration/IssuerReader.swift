import FerryCore
import FerryServer
import Yams

/// Reads who may sign tokens, and what roles of their own mean.
enum IssuerReader {
    /// `embedded`, the address of an OpenID Connect issuer, or a mapping with the particulars of either.
    static func issuers(_ value: YAMLValue, tenants: [TenantID]) -> [Configuration.Issuer] {
        var issuers: [Configuration.Issuer] = []
        var names: Set<String> = []
        for element in value.elements("issuers") {
            guard let issuer = element.node.mapping == nil ? short(element) : long(element, tenants) else { continue }
            let own: Set<String> =
                switch issuer {
                case .embedded(let address):
                    Set(tenants.map { EmbeddedIssuer.issuer(of: $0, at: address) }).union(["embedded"])
                case .trusted(let trusted): trusted.isTemplate ? Set(tenants.map(trusted.name(of:))) : [trusted.name]
                }
            guard names.isDisjoint(with: own) else {
                element.report("The issuer is there twice.", "Remove one of them.")
                continue
            }
            names.formUnion(own)
            issuers.append(issuer)
        }
        if issuers.isEmpty, value.node.sequence?.isEmpty == true {
            value.report("Nobody could sign in.", "Add embedded, or the address of an OpenID Connect issuer.")
        }
        return issuers
    }

    private static func short(_ value: YAMLValue) -> Configuration.Issuer? {
        guard let text = value.text("embedded or the address of an issuer") else { return nil }
        if text == "embedded" { return .embedded(address: nil) }
        guard text.contains(":") else {
            value.report(
                "\(text.quoted) is not an issuer.", "Write embedded, or an address such as https://id.example.org.")
            return nil
        }
        return trusted(value) { () throws(IssuerNameError) in try TrustedIssuer(name: text) }
    }

    private static func long(_ value: YAMLValue, _ tenants: [TenantID]) -> Configuration.Issuer? {
        guard
            let mapping = value.mapping(
                knows: ["embedded", "issuer", "audience", "tenant", "claims", "jwks"], of: "an issuer")
        else { return nil }
        if let embedded = mapping["embedded"] {
            if mapping.order.count > 1 {
                value.report("The embedded issuer has nothing but an address.", "Make two entries of it.")
            }
            return embedded.text("the address of this server, for others").flatMap { address in
                // It becomes the name of an issuer, so the rules for those hold.
                trusted(embedded) { () throws(IssuerNameError) in try TrustedIssuer(name: address) }
                    .map { _ in .embedded(address: address) }
            }
        }
        guard let place = mapping.required("issuer", example: "issuer: https://id.example.org/realms/it"),
            let name = place.text("the address of an issuer")
        else { return nil }
        let audiences = mapping["audience"]?.elements("audiences").compactMap { $0.text("an audience") } ?? []
        let tenant = mapping["tenant"].flatMap { self.tenant($0, tenants) }
        if mapping["tenant"] != nil, tenant == nil { return nil }
        let claims = mapping["claims"].flatMap(claims) ?? .init()
        let keys = mapping["jwks"]?.text("the address of the issuer's keys")
        return trusted(place) { () throws(IssuerNameError) in
            try TrustedIssuer(name: name, audiences: Set(audiences), tenant: tenant, claims: claims, keys: keys)
        }
    }

    private static func trusted(
        _ value: YAMLValue, _ make: () throws(IssuerNameError) -> TrustedIssuer
    ) -> Configuration.Issuer? {
        do throws(IssuerNameError) {
            return .trusted(try make())
        } catch {
            value.report("\(error)", "")
            return nil
        }
    }

    private static func tenant(_ value: YAMLValue, _ tenants: [TenantID]) -> TenantID? {
        guard let text = value.text("a tenant's id, a GUID") else { return nil }
        guard let id = TenantID(text), tenants.contains(id) else {
            value.report("No tenant of this configuration has the id \(text.quoted).", "Write the id of one of them.")
            return nil
        }
        return id
    }

    private static func claims(_ value: YAMLValue) -> TrustedIssuer.ClaimNames? {
        guard let mapping = value.mapping(knows: ["tenant", "roles", "scopes", "user"], of: "the names of claims")
        else { return nil }
        var names = TrustedIssuer.ClaimNames()
        if let name = mapping["tenant"]?.text("the name of a claim") { names.tenant = name }
        if let name = mapping["roles"]?.text("the name of a claim") { names.roles = name }
        if let name = mapping["scopes"]?.text("the name of a claim") { names.scopes = [name] }
        if let name = mapping["user"]?.text("the name of a claim") { names.user = [name] }
        return names
    }

    /// Custom roles by name or template id, in lower case.
    static func roles(_ value: YAMLValue) -> [String: Permission] {
        guard let mapping = value.node.mapping else {
            value.report(
                "Here belongs a mapping from roles to what they may do.", "For example: roles: { auditor: read }")
            return [:]
        }
        var roles: [String: Permission] = [:]
        for (key, node) in mapping {
            let name = key.scalar?.string ?? ""
            let element = YAMLValue(
                node: node, path: "\(value.path).\(name)", file: value.file, problems: value.problems)
            switch node.scalar?.string {
            case "read": roles[name.lowercased()] = .read
            case "readWrite": roles[name.lowercased()] = .readWrite
            default: element.report("A role may read or readWrite.", "For example: \(name): read")
            }
        }
        return roles
    }
}
