import FerryCore
import FerryLDAP
import Yams

/// `directory: { ldap: { … } }` of a tenant: the server, and how often it is asked.
struct LDAPSource: Sendable, Hashable {
    var settings: LDAPSettings
    /// Between two looks.
    var refresh = Duration.seconds(15 * 60)
}

/// Reads `ldap: { … }`.
struct LDAPReader {
    private static let keys = [
        "url", "tls", "ca", "bind", "base", "filter", "scope", "attributes", "page", "refresh", "timeout",
    ]
    private static let attributes = ["id", "userPrincipalName", "displayName", "mail", "aliases", "login"]

    let secrets: SecretReader

    func read(_ value: YAMLValue) -> LDAPSource? {
        guard let mapping = value.mapping(knows: Self.keys, of: "ldap") else { return nil }
        let url = mapping.required("url", example: "url: ldaps://ldap.contoso.example")
        let address = url.flatMap(address)
        let base = mapping.required("base", example: "base: \"ou=people,dc=contoso,dc=example\"")?
            .text("where people are, a distinguished name")
        let security = security(mapping["tls"], address?.isEncrypted == true)
        var authorities: String?
        if let ca = mapping["ca"], let path = ca.text("the path of a PEM file").map(secrets.resolve),
            secrets.contents(path, ca) != nil
        {
            authorities = path
        }
        let bind = mapping["bind"].flatMap(bind)
        let filter = mapping["filter"]?.text("a filter, such as (objectClass=person)")
        let scope = mapping["scope"].flatMap(scope)
        let attributes = mapping["attributes"].flatMap(attributes)
        let page = mapping["page"]?.number(in: 1...10_000)
        let refresh = mapping["refresh"]?.duration()
        let timeout = mapping["timeout"]?.duration()
        guard let url, let address, let base, let security else { return nil }
        if security == .none, bind != nil, !PrivateHost.includes(address.host) {
            url.report(
                "The password and everybody's addresses would cross the network in clear.",
                "Write ldaps://, or tls: starttls. Without TLS only 127.0.0.1, localhost and private addresses.")
        }
        if let refresh, refresh < .seconds(1) {
            mapping["refresh"]?.report("The directory would be asked without a pause.", "Write 1m or more.")
            return nil
        }
        var settings = LDAPSettings(
            host: address.host, port: address.port, security: security, authorities: authorities,
            bind: bind, base: base)
        if let filter { settings.filter = filter }
        if let scope { settings.scope = scope }
        if let attributes { settings.attributes = attributes }
        if let page { settings.pageSize = page }
        if let timeout { settings.timeout = timeout }
        var source = LDAPSource(settings: settings)
        if let refresh { source.refresh = refresh }
        return source
    }

    /// `ldap://host`, `ldaps://host:port`, nothing behind it.
    private func address(_ value: YAMLValue) -> (host: String, port: Int, isEncrypted: Bool)? {
        guard let text = value.text("an address, such as ldaps://ldap.contoso.example") else { return nil }
        let example = "For example: ldaps://ldap.contoso.example, or ldap://[::1]:389 with tls: starttls"
        let isEncrypted = text.lowercased().hasPrefix("ldaps://")
        guard isEncrypted || text.lowercased().hasPrefix("ldap://") else {
            value.report("\(text.quoted) begins neither with ldap:// nor with ldaps://.", example)
            return nil
        }
        var rest = text.drop { $0 != "/" }.dropFirst(2)
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        let colon = rest.lastIndex(of: ":").flatMap { rest[$0...].contains("]") ? nil : $0 }
        var host = String(rest[..<(colon ?? rest.endIndex)])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        let port = colon.map { Int(rest[rest.index(after: $0)...]) } ?? (isEncrypted ? 636 : 389)
        guard !host.isEmpty, !host.contains(where: { "/?#@ ".contains($0) }), let port, (1...65535).contains(port)
        else {
            value.report("\(text.quoted) is not the address of a server.", example)
            return nil
        }
        return (host, port, isEncrypted)
    }

    private func security(_ value: YAMLValue?, _ isEncrypted: Bool) -> LDAPSettings.Security? {
        guard let value else { return isEncrypted ? .implicit : LDAPSettings.Security.none }
        guard let text = value.text("starttls or none") else { return nil }
        switch (text, isEncrypted) {
        case ("starttls", false): return .startTLS
        case ("none", false): return LDAPSettings.Security.none
        case ("implicit", true): return .implicit
        default:
            value.report(
                "\(text.quoted) does not go with this url.",
                "ldaps:// needs no tls; with ldap:// write tls: starttls, or tls: none.")
            return nil
        }
    }

    private func bind(_ value: YAMLValue) -> LDAPSettings.Bind? {
        guard let mapping = value.mapping(knows: ["dn", "password"], of: "bind") else { return nil }
        let name = mapping.required("dn", example: "dn: \"cn=ferry,dc=contoso,dc=example\"")?
            .text("the distinguished name of Ferry's account")
        let password = mapping.required("password", example: "password: { file: ldap.secret }").flatMap(secrets.secret)
        guard let name, let password else { return nil }
        return LDAPSettings.Bind(name: name, password: password)
    }

    private func scope(_ value: YAMLValue) -> LDAPSettings.Scope? {
        guard let text = value.text("base, one or subtree") else { return nil }
        if let scope = LDAPSettings.Scope(rawValue: text) { return scope }
        value.report("\(text.quoted) is not a scope.", "Write base, one or subtree.")
        return nil
    }

    private func attributes(_ value: YAMLValue) -> LDAPAttributes? {
        let logins = Dictionary(uniqueKeysWithValues: ServiceKind.allCases.map { (PeopleFile.loginColumn($0), $0) })
        guard let mapping = value.mapping(knows: Self.attributes + logins.keys.sorted(), of: "attributes") else {
            return nil
        }
        func names(_ key: String) -> [String]? {
            mapping[key].map { $0.elements("names of attributes").compactMap { $0.text("the name of an attribute") } }
        }
        var attributes = LDAPAttributes()
        if let names = names("id") { attributes.id = names }
        if let names = names("userPrincipalName") { attributes.userPrincipalName = names }
        if let names = names("displayName") { attributes.displayName = names }
        if let names = names("mail") { attributes.mail = names }
        if let names = names("aliases") { attributes.aliases = names }
        for (key, service) in logins { attributes.logins[service] = names(key) ?? names("login") }
        return attributes
    }
}
