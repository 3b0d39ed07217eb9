import FerryConnector
import FerryCore
import FerryFolder
import Foundation

/// A folder tenant of one test's own with one person, `ada`.
struct FolderTenant: Sendable {
    let folder: TemporaryFolder
    let source: FolderConnector
    let target: FolderConnector
    let account: Account

    init(
        _ service: ServiceKind,
        now: @escaping @Sendable () -> Instant = { Instant(seconds: Int64(Date().timeIntervalSince1970)) }
    ) throws {
        folder = try TemporaryFolder()
        try folder.makeDirectory("source/ada")
        try folder.makeDirectory("target")
        source = FolderConnector(service: service, tenant: "Contoso", root: folder.path + "/source", now: now)
        target = FolderConnector(service: service, tenant: "Fabrikam", root: folder.path + "/target", now: now)
        account = Self.account("ada")
    }

    static func account(_ login: String) -> Account {
        Account(
            tenant: TenantID(GUID(high: 1, low: 1)),
            person: Person(
                id: PersonID(GUID(high: 2, low: 2)), userPrincipalName: "ada@contoso.example", displayName: "Ada",
                mail: "ada@contoso.example"),
            login: login)
    }

    /// Whether only the target account has grown: nothing beside it, nothing at a place that hostile names point to.
    func isOutsideUntouched() throws -> Bool {
        try folder.names() == ["source", "target"] && folder.names("target") == ["ada"]
            && folder.names("source") == ["ada"] && !FileManager.default.fileExists(atPath: "/tmp/ferry-escape")
    }

    /// All items of a container with what could not be listed.
    func listing(
        _ path: [String], of connector: FolderConnector? = nil
    ) async throws -> (headers: [ItemHeader], problems: [ItemPage.Problem]) {
        let session = try await (connector ?? source).source(for: account)
        guard let container = try await session.containers().first(where: { $0.path == path }) else {
            throw CocoaError(.fileNoSuchFile)
        }
        var headers = [ItemHeader]()
        var problems = [ItemPage.Problem]()
        var cursor: Cursor?
        repeat {
            let page = try await session.items(in: container, after: cursor)
            headers += page.headers
            problems += page.problems
            cursor = page.next
        } while cursor != nil
        return (headers, problems)
    }
}

extension ItemHeader {
    var message: MessageMetadata? { if case .message(let message) = metadata { message } else { nil } }
}
