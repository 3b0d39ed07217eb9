import FerryCore
import Yams

/// Turns the YAML file and the CSV files that it names into a `Configuration`, or into everything that is wrong with
/// them.
struct ConfigurationReader {
    /// Gives a file's bytes; throws what the operating system said.
    typealias ReadFile = (_ path: String) throws -> [UInt8]

    private let file: String
    private let readFile: ReadFile
    private let environment: (String) -> String?
    private let problems = ProblemList()

    init(
        file: String, environment: @escaping (String) -> String? = SystemEffects.environment,
        readFile: @escaping ReadFile
    ) {
        self.file = file
        self.environment = environment
        self.readFile = readFile
    }

    func read() throws(ConfigurationFailure) -> Configuration {
        let configuration = root().flatMap(configuration)
        try problems.throwIfAny(mainFile: file)
        guard let configuration else {
            throw ConfigurationFailure(problems: [
                ConfigurationProblem(
                    place: SourcePlace(file: file, line: 0, column: 0), key: "", message: "The file is empty.",
                    remedy: "`ferry init DIR` writes one to begin with.")
            ])
        }
        return configuration
    }

    // MARK: the whole

    private func root() -> YAMLValue? {
        guard let bytes = contents(of: file, at: SourcePlace(file: file, line: 0, column: 0), key: "") else {
            return nil
        }
        do {
            guard let node = try Yams.compose(yaml: String(decoding: bytes, as: UTF8.self)) else { return nil }
            return YAMLValue(node: node, path: "", file: file, problems: problems)
        } catch {
            report(error)
            return nil
        }
    }

    private func report(_ error: any Error) {
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            problems.report(
                "This is not YAML: \(problem).", remedy: "Check indentation, colons and quotes around here.",
                at: SourcePlace(file: file, line: mark.line, column: mark.column), key: "")
        case .duplicatedKeysInMapping(let keys, let context):
            problems.report(
                "Keys are there twice: \(keys.joined(separator: ", ")).", remedy: "Remove one of them.",
                at: SourcePlace(file: file, line: context.mark.line, column: context.mark.column), key: "")
        default:
            problems.report(
                "This is not YAML that Ferry can read.", remedy: "Check that it is a UTF-8 text file.",
                at: SourcePlace(file: file, line: 0, column: 0), key: "")
        }
    }

    private func configuration(_ root: YAMLValue) -> Configuration? {
        guard
            let top = root.mapping(
                knows: [
                    "listen", "tls", "store", "keys", "manifests", "issuers", "roles", "tenants", "trust", "settings",
                    "limits",
                    "trustedProxies",
                ], of: "the configuration")
        else { return nil }
        let listen = top["listen"].flatMap(listen)
        let tls = top["tls"].flatMap(tls)
        let store = top["store"].flatMap(store)
        let keys = top["keys"]?.text("a path")
        let tenants = tenants(top)
        let issuers = top["issuers"].map { IssuerReader.issuers($0, tenants: tenants.map(\.id)) }
        let roles = top["roles"].map(IssuerReader.roles) ?? [:]
        let finders = Dictionary(
            tenants.map { ($0.id, (tenant: $0, finder: PersonFinder($0.people))) },
            uniquingKeysWith: { first, _ in first })
        let trusts = trusts(top["trust"], finders)
        return Configuration(
            file: file, listen: listen ?? Configuration.Listen(host: "127.0.0.1", port: 8080), tls: tls,
            store: store ?? .sqlite(path: resolve("ferry.sqlite")), keys: resolve(keys ?? "ferry.key"),
            manifests: manifests(top["manifests"]), issuers: issuers ?? [.embedded(address: nil)], roles: roles,
            tenants: tenants, trusts: trusts,
            settings: settings(top["settings"]), limits: limits(top["limits"]),
            trustedProxies: trustedProxies(top["trustedProxies"]))
    }

    // MARK: server

    private func listen(_ value: YAMLValue) -> Configuration.Listen? {
        guard let text = value.text("an address and a port, such as 127.0.0.1:8080") else { return nil }
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65535).contains(port), colon > text.startIndex
        else {
            value.report("\(text.quoted) is not an address and a port.", "For example: 127.0.0.1:8080 or [::1]:8080")
            return nil
        }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
        } else if host.contains(":") {
            value.report("An IPv6 address needs brackets.", "For example: [::1]:\(port)")
            return nil
        }
        return Configuration.Listen(host: host, port: port)
    }

    /// What the files hold is looked at when they are used, and again each time they change.
    private func tls(_ value: YAMLValue) -> Configuration.TLS? {
        guard let mapping = value.mapping(knows: ["certificate", "key"], of: "tls") else { return nil }
        let certificate = mapping.required("certificate", example: "certificate: ferry.crt")?.text("a path")
        let key = mapping.required("key", example: "key: ferry.key.pem")?.text("a path")
        guard let certificate, let key else { return nil }
        return Configuration.TLS(certificate: resolve(certificate), key: resolve(key))
    }

    private func store(_ value: YAMLValue) -> Configuration.StoreLocation? {
        guard let text = value.text("a store, such as sqlite:ferry.sqlite") else { return nil }
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[1].isEmpty else {
            value.report("\(text.quoted) is not a store.", "For example: sqlite:ferry.sqlite")
            return nil
        }
        switch parts[0] {
        case "sqlite":
            return .sqlite(path: resolve(String(parts[1])))
        case "postgresql", "postgres":
            value.report("PostgreSQL is not available in this build yet.", "Use sqlite:PATH.")
        default:
            value.report("Ferry has no store named \(String(parts[0]).quoted).", "Use sqlite:PATH.")
        }
        return nil
    }

    /// Absent keys have their defaults; `manifests: off` is none at all.
    private func manifests(_ value: YAMLValue?) -> Configuration.Manifests? {
        if let text = value?.node.scalar?.string, ["off", "false"].contains(text) { return nil }
        let mapping = value?.mapping(knows: ["folder", "key"], of: "manifests")
        return Configuration.Manifests(
            folder: resolve(mapping?["folder"]?.text("the path of a folder") ?? "manifests"),
            key: resolve(mapping?["key"]?.text("a path") ?? "manifest.key"))
    }

    private func settings(_ value: YAMLValue?) -> Configuration.Settings {
        var settings = Configuration.Settings()
        guard let value,
            let mapping = value.mapping(
                knows: [
                    "allowedOrigins",
                    "maximumPeople", "deltaInterval", "freezeBudget", "cancelsUntilCutover", "continuesWithoutMailbox",
                    "holdsSkippedItems", "requiresRedirect", "cancelledCopies", "cutoversAtOnce",
                    "tombstonesLast", "drainDelay", "drainTimeout", "repetitionsLast",
                ], of: "settings")
        else { return settings }
        settings.allowedOrigins = origins(mapping["allowedOrigins"])
        settings.maximumPeople = mapping["maximumPeople"]?.number(in: 1...100_000)
        settings.deltaInterval = mapping["deltaInterval"]?.duration()
        settings.freezeBudget = mapping["freezeBudget"]?.duration()
        settings.cancelsUntilCutover = mapping["cancelsUntilCutover"]?.boolean()
        settings.continuesWithoutMailbox = mapping["continuesWithoutMailbox"]?.boolean()
        settings.holdsSkippedItems = mapping["holdsSkippedItems"]?.boolean()
        settings.requiresRedirect = mapping["requiresRedirect"]?.boolean()
        settings.purgesCancelledCopies = cancelledCopies(mapping["cancelledCopies"])
        settings.cutoversAtOnce = mapping["cutoversAtOnce"]?.number(in: 1...10_000)
        settings.tombstonesLast = mapping["tombstonesLast"]?.duration()
        settings.drainDelay = mapping["drainDelay"]?.duration()
        settings.drainTimeout = mapping["drainTimeout"]?.duration()
        settings.repetitionsLast = mapping["repetitionsLast"]?.duration()
        return settings
    }

    /// `keep` or `purge`.
    private func cancelledCopies(_ value: YAMLValue?) -> Bool? {
        guard let value, let text = value.text("keep or purge") else { return nil }
        guard ["keep", "purge"].contains(text) else {
            value.report("\(text.quoted) is not what can be done with copies of cancelled users.", "Use keep or purge.")
            return nil
        }
        return text == "purge"
    }

    /// As browsers write them: scheme, host, a port that is not the scheme's own; compared letter by letter.
    private func origins(_ value: YAMLValue?) -> Set<String> {
        var origins: Set<String> = []
        for element in value?.elements("origins, such as [https://admin.example]") ?? [] {
            guard let text = element.text("an origin, such as https://admin.example") else { continue }
            let host = ["https://", "http://"].first { text.hasPrefix($0) }.map { text.dropFirst($0.count) }
            if let host, !host.isEmpty, !host.contains("/"), text == text.lowercased() {
                origins.insert(text)
            } else {
                element.report(
                    "\(text.quoted) is not an origin.",
                    "Write scheme and host in lower case and nothing behind them, such as https://admin.example.")
            }
        }
        return origins
    }

    // MARK: tenants

    private func tenants(_ top: YAMLMapping) -> [TenantConfiguration] {
        guard let list = top.required("tenants", example: "tenants: with one entry per tenant") else { return [] }
        var tenants: [TenantConfiguration] = []
        for element in list.elements("tenants") {
            guard let tenant = tenant(element) else { continue }
            if tenants.contains(where: { $0.id == tenant.id }) {
                element.report("Another tenant has this id.", "Give each tenant an id of its own.")
                continue
            }
            for domain in tenant.domains {
                if let owner = tenants.first(where: { $0.domains.contains(domain) }) {
                    element.report("\(owner.name) owns \(domain) already.", "A domain belongs to one tenant.")
                }
            }
            tenants.append(tenant)
        }
        return tenants
    }

    private func tenant(_ value: YAMLValue) -> TenantConfiguration? {
        guard
            let mapping = value.mapping(
                knows: ["id", "name", "domains", "people", "directory", "services", "meetingLinks"], of: "a tenant")
        else { return nil }
        let id = mapping.required("id", example: "id: 11111111-1111-1111-1111-111111111111").flatMap(tenantID)
        let name = mapping.required("name", example: "name: Contoso")?.text("the tenant's name")
        let domains = mapping.required("domains", example: "domains: [contoso.example]").map(domains) ?? []
        let directory = mapping["directory"]
        if let directory, mapping["people"] != nil {
            directory.report("People come from one place.", "Leave out people or directory.")
        }
        let people =
            directory == nil
            ? mapping.required("people", example: "people: contoso.csv").flatMap(people) ?? [] : []
        var services: [ServiceKind: ServiceLocation] = [:]
        if let value = mapping.required("services", example: "services: { mail: { folder: contoso/mail } }"),
            let kinds = value.mapping(knows: ServiceKind.allCases.map(\.rawValue), of: "services")
        {
            for kind in ServiceKind.allCases {
                guard let value = kinds[kind.rawValue] else { continue }
                services[kind] = service(kind, value)
            }
        }
        let links = mapping["meetingLinks"]?.text(
            "how the tenant's join links begin, for example https://meet.contoso.example/")
        guard let id, let name else { return nil }
        return TenantConfiguration(
            id: id, name: name, domains: domains, people: people, directory: directory.flatMap(self.directory),
            services: services, meetingLinks: links)
    }

    private func directory(_ value: YAMLValue) -> LDAPSource? {
        value.mapping(knows: ["ldap"], of: "directory")?.required("ldap", example: "ldap: { url: …, base: … }")
            .flatMap(LDAPReader(secrets: secrets).read)
    }

    private func tenantID(_ value: YAMLValue) -> TenantID? {
        guard let text = value.text("the tenant's id, a GUID") else { return nil }
        guard let id = TenantID(text) else {
            value.report("\(text.quoted) is not a GUID.", "Write 8-4-4-4-12 hexadecimal digits; `uuidgen` makes one.")
            return nil
        }
        return id
    }

    private func domains(_ value: YAMLValue) -> [String] {
        value.elements("domains").compactMap { element in
            guard let text = element.text("a domain") else { return nil }
            guard !text.contains("@"), !text.contains(where: \.isWhitespace) else {
                element.report("\(text.quoted) is not a domain.", "For example: contoso.example")
                return nil
            }
            return text.lowercased()
        }
    }

    private func people(_ value: YAMLValue) -> [Person]? {
        guard let path = value.text("the path of a CSV file"),
            let bytes = contents(of: resolve(path), at: value.place, key: value.path)
        else { return nil }
        return PeopleFile.people(in: bytes, file: resolve(path), problems: problems)
    }

    /// Kinds of connector that are known but not built in yet.
    private static let laterKinds = ["matrix", "graph", "jmap", "s3"]

    private func service(_ kind: ServiceKind, _ value: YAMLValue) -> ServiceLocation? {
        let network: [ServiceKind: String] = [
            .mail: "imap", .calendar: "caldav", .contacts: "carddav", .files: "webdav",
        ]
        let kinds = ["folder"] + (network[kind].map { [$0] } ?? [])
        guard let mapping = value.mapping(knows: kinds + Self.laterKinds, of: "a service") else { return nil }
        guard mapping.order.count == 1 else {
            value.report("A service has exactly one kind.", "For example: { folder: contoso/mail }")
            return nil
        }
        for kind in Self.laterKinds where mapping.order.contains(kind) {
            value.report("The kind \(kind) is not available in this build yet.", "Use { folder: PATH }.")
            return nil
        }
        if let imap = mapping["imap"] {
            return IMAPReader(secrets: secrets).read(imap).map { .imap($0) }
        }
        let rooms: [(String, (DAVLocation) -> ServiceLocation)] = [
            ("webdav", { .webdav($0) }), ("caldav", { .caldav($0) }), ("carddav", { .carddav($0) }),
        ]
        for (name, location) in rooms {
            if let value = mapping[name] { return DAVReader(kind: name, secrets: secrets).read(value).map(location) }
        }
        guard let path = mapping["folder"]?.text("the path of a folder") else { return nil }
        return .folder(path: resolve(path))
    }

    private var secrets: SecretReader {
        SecretReader(
            problems: problems, resolve: resolve,
            contents: { path, value in contents(of: path, at: value.place, key: value.path) },
            environment: environment)
    }

    // MARK: trust

    private typealias Finders = [TenantID: (tenant: TenantConfiguration, finder: PersonFinder)]

    private func trusts(_ value: YAMLValue?, _ finders: Finders) -> [TrustConfiguration] {
        guard let value else { return [] }
        var trusts: [TrustConfiguration] = []
        for element in value.elements("trusts") {
            guard let trust = trust(element, finders) else { continue }
            if trusts.contains(where: { $0.source == trust.source && $0.target == trust.target }) {
                element.report("There is a trust between these two tenants already.", "Make one of the two.")
            } else {
                trusts.append(trust)
            }
        }
        return trusts
    }

    private func trust(_ value: YAMLValue, _ finders: Finders) -> TrustConfiguration? {
        guard
            let mapping = value.mapping(
                knows: ["source", "target", "endpoint", "scope", "identityMap", "inbound", "outbound"], of: "a trust")
        else { return nil }
        let source = mapping.required("source", example: "source: the id of the tenant that people leave")
            .flatMap { side($0, finders) }
        let target = mapping.required("target", example: "target: the id of the tenant that people go to")
            .flatMap { side($0, finders) }
        let endpoint = mapping.required("endpoint", example: "endpoint: from-contoso")?.text("the endpoint's name")
        if let source, source == target {
            value.report("Source and target are the same tenant.", "Name two tenants.")
            return nil
        }
        guard let source, let target, let endpoint, let from = finders[source], let to = finders[target] else {
            return nil
        }
        let resolver = ReferenceResolver(source: from.finder, target: to.finder, problems: problems)
        let isKnown = from.tenant.directory == nil && to.tenant.directory == nil
        let scope = mapping["scope"].map { leavers($0, of: from.tenant, resolver) } ?? .everybody
        var identities = TrustConfiguration.Identities.byAddress
        if mapping["identityMap"]?.node.scalar?.string == "managed" {
            identities = .managed
        } else if let pairs = table(
            mapping["identityMap"],
            { bytes, file in TrustFiles.identities(in: bytes, file: file, problems: problems) })
        {
            identities = isKnown ? .pairs(resolver.pairs(pairs)) : .named(pairs)
        }
        let (inbound, outbound) = consents(mapping)
        return TrustConfiguration(
            source: source, target: target, endpoint: endpoint, scope: scope, inbound: inbound, outbound: outbound,
            identities: identities)
    }

    /// A file, or `{ ldap: GROUP }`. Whatever cannot be read lets nobody leave; it has been reported.
    private func leavers(
        _ value: YAMLValue, of source: TenantConfiguration, _ resolver: ReferenceResolver
    ) -> TrustConfiguration.Scope {
        if value.node.mapping != nil {
            let group = value.mapping(knows: ["ldap"], of: "scope")?
                .required("ldap", example: "ldap: \"cn=leaving,ou=groups,dc=contoso,dc=example\"")?
                .text("a group, a distinguished name")
            guard source.directory != nil else {
                value.report(
                    "\(source.name) has no directory with groups.", "Write a CSV file, or give it a directory.")
                return .people([])
            }
            return group.map { .group($0) } ?? .people([])
        }
        let named = table(value) { bytes, file in TrustFiles.scope(in: bytes, file: file, problems: problems) } ?? []
        return source.directory == nil ? .people(resolver.scope(named)) : .named(named)
    }

    /// The halves of both sides. A trust that names neither is agreed to by both.
    private func consents(_ trust: YAMLMapping) -> (inbound: Trust.Consent, outbound: Trust.Consent) {
        guard trust["inbound"] != nil || trust["outbound"] != nil else { return (.given, .given) }
        func consent(_ key: String) -> Trust.Consent {
            guard let value = trust[key] else { return .missing }
            guard let half = value.mapping(knows: ["enabled"], of: "\(key), one side's half of the trust"),
                let enabled = half.required("enabled", example: "enabled: true")?.boolean()
            else { return .missing }
            return enabled ? .given : .disabled
        }
        return (consent("inbound"), consent("outbound"))
    }

    private func side(_ value: YAMLValue, _ finders: Finders) -> TenantID? {
        guard let id = tenantID(value) else { return nil }
        guard finders[id] != nil else {
            value.report("No tenant above has this id.", "Write the id of one of the tenants.")
            return nil
        }
        return id
    }

    private func table<Result>(_ value: YAMLValue?, _ body: ([UInt8], String) -> Result) -> Result? {
        guard let value, let path = value.text("the path of a CSV file"),
            let bytes = contents(of: resolve(path), at: value.place, key: value.path)
        else { return nil }
        return body(bytes, resolve(path))
    }

    // MARK: files

    /// Relative paths are relative to the configuration file.
    private func resolve(_ path: String) -> String { Self.resolve(path, relativeTo: file) }

    static func resolve(_ path: String, relativeTo file: String) -> String {
        if path.hasPrefix("/") { return path }
        guard let slash = file.lastIndex(of: "/") else { return path }
        return String(file[...slash]) + (path.hasPrefix("./") ? String(path.dropFirst(2)) : path)
    }

    private func contents(of path: String, at place: SourcePlace, key: String) -> [UInt8]? {
        do {
            return try readFile(path)
        } catch {
            problems.report(
                "Cannot read \(path): \(error).", remedy: "Check the path and the rights of the file.", at: place,
                key: key)
            return nil
        }
    }
}
