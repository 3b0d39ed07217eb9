import FerryConnector
import FerryCore
import NIOCore

/// Sends everything that arrives for a person on, by a Sieve script (RFC 5228 section 4.2) that is put in place over
/// ManageSieve.
///
/// The person's own scripts stay as they are; the one that was active is named in a comment of Ferry's, which is stored
/// before it becomes active. So either verb may be repeated after a crash at any point, and removing it restores what was
/// active. A script that the person activates meanwhile stays active.
struct SieveRedirection: Sendable {
    static let scriptName = "ferry-redirect"

    let endpoint: IMAPEndpoint
    let credentials: IMAPCredentials
    let options: SessionOptions
    let group: any EventLoopGroup

    func redirect(to address: String) async throws(ConnectorError) {
        guard let script = RedirectScript(address: address) else {
            throw ConnectorError(
                .targetNameRefused, .failRun,
                "The person's new address cannot be written into a redirection: it is not a plain mail address.")
        }
        try await run { session throws(IMAPError) in
            let present = try await session.scripts()
            let active = present.first(where: \.isActive)?.name
            let stored = try await own(session, present)
            var script = script
            // While Ferry's is the active one, its comment knows what was before.
            script.previous = active == Self.scriptName ? stored?.previous : active
            if stored != script { try await session.put(script.text, as: Self.scriptName) }
            if active != Self.scriptName { _ = try await session.activate(Self.scriptName) }
            guard script.previous == nil else { return }
            // A script that ManageSieve did not manage is put aside by Dovecot, under a name of its own.
            let known = Set(present.map(\.name) + [Self.scriptName])
            let new = try await session.scripts().filter { !known.contains($0.name) }
            if new.count == 1 {
                script.previous = new[0].name
                try await session.put(script.text, as: Self.scriptName)
            }
        }
    }

    func remove() async throws(ConnectorError) {
        try await run { session throws(IMAPError) in
            let present = try await session.scripts()
            guard let stored = try await own(session, present) else { return }
            if present.contains(where: { $0.isActive && $0.name == Self.scriptName }) {
                let isBack = try await session.activate(stored.previous)
                // What was active has been deleted since.
                if !isBack { _ = try await session.activate(nil) }
            }
            try await session.delete(Self.scriptName)
        }
    }

    /// Ferry's script; `nil` where there is none.
    private func own(
        _ session: SieveSession, _ present: [SieveSession.Script]
    ) async throws(IMAPError) -> RedirectScript? {
        guard present.contains(where: { $0.name == Self.scriptName }),
            let text = try await session.content(of: Self.scriptName)
        else { return nil }
        guard let script = RedirectScript(text) else {
            throw IMAPError(
                .refused, "There is a script '\(Self.scriptName)' that Ferry has not written. Rename it, then retry.")
        }
        return script
    }

    private func run(
        _ body: (SieveSession) async throws(IMAPError) -> Void
    ) async throws(ConnectorError) {
        do throws(IMAPError) {
            let session = try await SieveSession.connect(
                to: endpoint, as: credentials, options: options, on: group)
            do throws(IMAPError) { try await body(session) } catch {
                await session.close()
                throw error
            }
            await session.close()
        } catch {
            guard error.kind == .refused else { throw IMAPSide.source.connection(error) }
            throw ConnectorError(
                .sourceForbidden, .hold, "Mail cannot be redirected: \(error.message)", underlying: error)
        }
    }
}

/// The script that Ferry leaves.
struct RedirectScript: Sendable, Hashable {
    private static let signature =
        "# Left by Ferry: this account has moved. Ferry takes this script away when the move is undone."
    private static let before = "# Active before: "

    /// Where mail goes.
    let address: String
    /// The script that was active before; `nil` where none was.
    var previous: String?

    /// `nil` for what is not one plain address.
    init?(address: String) {
        let parts = address.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty, address.utf8.count <= 320,
            address.unicodeScalars.allSatisfy({ scalar in
                scalar.value > 0x20 && !(0x7F...0x9F).contains(scalar.value)
                    && !",;\\\"<>()".unicodeScalars.contains(scalar)
            })
        else { return nil }
        self.address = address
    }

    /// `nil` for what `text` did not make.
    init?(_ text: String) {
        let lines = text.split(omittingEmptySubsequences: true) { $0.isNewline }.map(String.init)
        guard lines.first == Self.signature, let command = lines.last, command.hasPrefix("redirect \""),
            command.hasSuffix("\";")
        else { return nil }
        self.init(address: String(command.dropFirst(10).dropLast(2)))
        // Names have no line breaks (RFC 5804 section 1.6).
        previous = lines.first { $0.hasPrefix(Self.before) }.map { String($0.dropFirst(Self.before.count)) }
    }

    var text: String {
        var lines = [Self.signature]
        if let previous { lines.append(Self.before + previous) }
        lines.append("redirect \"\(address)\";")
        return lines.map { $0 + "\r\n" }.joined()
    }
}
