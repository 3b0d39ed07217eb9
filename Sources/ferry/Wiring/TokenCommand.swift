import ArgumentParser
import FerryCore
import FerryEngine
import FerryLDAP
import FerryServer

struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Make a signed bearer token of the embedded issuer.",
        discussion: """
            The token belongs to the tenant that people move *to*: its jobs are what the token sees. The server records \
            in the audit trail that it was made, by whom and until when it holds.

            Examples:
              export FERRY_TOKEN=$(ferry token --config ferry.yaml --tenant Fabrikam --user admin@fabrikam.example)
              ferry token --tenant Fabrikam --user auditor@fabrikam.example --scope CrossTenantContentMigration.Read.All
              ferry token --tenant Fabrikam --application nightly-mover --lifetime 12h
            """)

    @OptionGroup var file: ConfigurationOption

    @Option(help: "Id or name of the tenant. Default: the target of the only trust.")
    var tenant: String?

    @Option(help: "Sign-in name of the person.")
    var user: String?

    @Option(help: "An application instead of a person.")
    var application: String?

    @Option(
        name: .customLong("role"),
        help:
            "GlobalAdministrator, MigrationAdministrator (default) or a role template id; may be repeated."
    )
    var roles: [String] = []

    @Option(
        name: .customLong("scope"),
        help: "Permission; may be repeated. Default: \(Permission.readWrite.rawValue).")
    var scopes: [String] = []

    @Option(help: "How long it is valid, such as 15m, 1h or 30d.")
    var lifetime = "1h"

    func validate() throws {
        guard (user == nil) != (application == nil) else {
            throw ValidationError("Give either --user or --application.")
        }
        guard let duration = Duration(spelled: lifetime), duration > .zero else {
            throw ValidationError("\(lifetime.quoted) is no time span. Write 15m, 1h or 30d.")
        }
    }

    func run() async throws {
        let configuration = try file.load()
        let tenant = try find(in: configuration)
        guard let issuer = try Installation.issuer(of: configuration) else {
            throw Complaint(
                "The configuration accepts no tokens of the embedded issuer. Add embedded to issuers, or get a token "
                    + "from one of those that it lists.", status: .configuration)
        }
        let permissions = scopes.isEmpty ? [Permission.readWrite.rawValue] : scopes
        let rights: TokenRequest.Rights
        if let user {
            rights = .delegated(userPrincipalName: user, scopes: permissions, roles: try roleIDs())
        } else {
            rights = .application(permissions: permissions)
        }
        var people = tenant.people
        if user != nil, let source = tenant.directory {
            // Nobody who needs a token has to wait for a directory to be mended: then the person has no id that is known.
            people = (try? await LDAPDirectory(source.settings).roster(groups: []).people) ?? []
        }
        let person = user.flatMap { PersonFinder(people).person($0) }
        let request = TokenRequest(
            tenant: tenant.id, rights: rights, objectID: person?.guid ?? SystemEffects.makeGUID(),
            applicationID: application ?? "ferry", lifetime: Duration(spelled: lifetime) ?? .seconds(3600))
        var effects = Installation.effects
        let (id, now) = (effects.makeGUID(), effects.now())
        effects.makeGUID = { id }
        effects.now = { now }
        let text = try issuer.issue(request, effects: effects)
        try TokenJournal(configuration.store).add(
            TokenJournal.Note(
                id: id.description, tenant: tenant.id.description,
                subject: application ?? request.objectID.description, name: user ?? application ?? "",
                application: request.applicationID, issued: now.microseconds,
                detail: "by \(TokenJournal.account), until \((now + request.lifetime).wireText)"))
        Terminal.output.print(text)
    }

    private func find(in configuration: Configuration) throws -> TenantConfiguration {
        let names = configuration.tenants.map(\.name).joined(separator: ", ")
        if let tenant {
            let found = configuration.tenants.first {
                $0.id == TenantID(tenant) || $0.name.lowercased() == tenant.lowercased()
            }
            guard let found else {
                throw Complaint("There is no tenant \(tenant.quoted). Tenants are \(names).", status: .configuration)
            }
            return found
        }
        let targets = Set(configuration.trusts.map(\.target))
        guard targets.count == 1, let found = configuration.tenants.first(where: { targets.contains($0.id) }) else {
            throw Complaint("Which tenant? Give --tenant; tenants are \(names).", status: .usage)
        }
        return found
    }

    private func roleIDs() throws -> [String] {
        try (roles.isEmpty ? ["MigrationAdministrator"] : roles).map { role in
            switch role.lowercased() {
            case "migrationadministrator": AuthenticationSettings.migrationAdministrator
            case "globaladministrator": AuthenticationSettings.globalAdministrator
            default:
                if let id = GUID(role) {
                    id.description
                } else {
                    throw Complaint(
                        "\(role.quoted) is no role: GlobalAdministrator, MigrationAdministrator or a template id.",
                        status: .usage)
                }
            }
        }
    }
}
