/// Where the mail of the demo's two tenants lies.
enum DemoMail: Hashable, Sendable {
    /// In folders that Ferry reads and writes itself.
    case folder
    /// The same folders, behind a Dovecot for each tenant.
    case imap(source: Int, target: Int)

    /// The user of both Dovecots who may enter every mailbox.
    static let masterUser = "mover"
    /// Holds that user's password; beside the configuration.
    static let secretFile = "mover.secret"

    /// The value of `mail:` in a tenant's services.
    func service(of tenant: String, isSource: Bool) -> String {
        switch self {
        case .folder: "{ folder: \(tenant)/mail }"
        case .imap(let source, let target):
            "{ imap: { host: 127.0.0.1, port: \(isSource ? source : target), tls: none,"
                + " master: { user: \(Self.masterUser), password: { file: \(Self.secretFile) } } } }"
        }
    }
}
