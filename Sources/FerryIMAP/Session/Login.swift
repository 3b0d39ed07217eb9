import FerryConnector
import NIOCore
import Synchronization

/// The steps from the greeting to a session that is ready.
struct Login {
    let connection: NIOLoopBound<Connection>
    let eventLoop: any EventLoop
    let endpoint: IMAPEndpoint
    let credentials: IMAPCredentials
    let options: SessionOptions

    /// What the server offers in the end, and what it answers to what is asked then.
    struct Result: Sendable {
        var capabilities: Capabilities
        let told = Told()
    }

    /// What was asked for when the login was over. Until the answer is here, what the server offers is taken for switched on;
    /// the answers come before those to anything that is asked later.
    final class Told: Sendable {
        private let state = Mutex<(enabled: Set<String>, identity: [String: String])>(([], [:]))

        var enabled: Set<String> { state.withLock { $0.enabled } }
        var identity: [String: String] { state.withLock { $0.identity } }

        fileprivate func note(enabled names: Set<String>) { state.withLock { $0.enabled = names } }
        fileprivate func note(identity fields: [String: String]) { state.withLock { $0.identity = fields } }
    }

    func run(secure: (@Sendable (Connection) -> Void)?) async throws(IMAPError) -> Result {
        let greeting = try await greeting()
        var capabilities = try await currentCapabilities()
        if let secure {
            guard greeting.condition != .preauth, capabilities.has("STARTTLS") else {
                throw IMAPError(
                    .insecure, "\(endpoint.host) offers no STARTTLS; use implicit TLS or ask its administrator.")
            }
            try await startTLS(secure)
            capabilities = try await currentCapabilities()
        }
        if greeting.condition != .preauth {
            try await authenticate(capabilities)
            capabilities = try await currentCapabilities()
        }
        eventLoop.execute { [connection] in connection.value.becomeReady() }
        return try await prepare(capabilities)
    }

    private func greeting() async throws(IMAPError) -> StatusText {
        let outcome = Outcomes<StatusText>(count: 1)
        eventLoop.execute { [connection] in connection.value.awaitGreeting(outcome) }
        let greeting = try await one(outcome)
        guard greeting.condition == .ok || greeting.condition == .preauth else {
            throw IMAPError(
                .tryLater, "\(endpoint.host) turned the connection away: \(greeting.text)", refusal: Refusal(greeting))
        }
        return greeting
    }

    /// What the server told unasked, else what it answers.
    private func currentCapabilities() async throws(IMAPError) -> Capabilities {
        let told = Outcomes<Capabilities?>(count: 1)
        eventLoop.execute { [connection] in told.set(.success(connection.value.takeCapabilities()), at: 0) }
        if let told = try await one(told) { return told }
        let answer = try await run("CAPABILITY", CommandText("CAPABILITY"), into: Capabilities([])) { value, response in
            guard case .capability(let names) = response else { return false }
            value = Capabilities(names)
            return true
        }
        try check(answer.status, "CAPABILITY")
        return answer.value
    }

    private func startTLS(_ secure: @escaping @Sendable (Connection) -> Void) async throws(IMAPError) {
        let outcome = Outcomes<StatusText>(count: 1)
        eventLoop.execute { [connection] in
            connection.value.submit(
                Collecting("STARTTLS", CommandText("STARTTLS").sealed, into: (), take: { _, _, _ in false }) { answer in
                    // Still inside the read that brought the answer, so nothing sent in the clear gets past this.
                    if case .success(let answer) = answer, answer.status.condition == .ok { secure(connection.value) }
                    outcome.set(answer.map(\.status), at: 0)
                })
        }
        let status = try await one(outcome)
        guard status.condition == .ok else {
            throw IMAPError(.insecure, "\(endpoint.host) refused STARTTLS: \(status.text)", refusal: Refusal(status))
        }
    }

    // MARK: authentication

    private func authenticate(_ capabilities: Capabilities) async throws(IMAPError) {
        switch credentials {
        case .password(let user, let password):
            try await enter(as: user, acting: "", password, capabilities)
        case .master(let user, let master, let separator, let password):
            try await enter(as: user + separator + master, acting: "", password, capabilities)
        case .proxy(let user, let administrator, let password):
            guard capabilities.mechanisms.contains("PLAIN") else {
                throw IMAPError(
                    .unsupported,
                    "\(endpoint.host) does not offer AUTH=PLAIN, which an administrator needs to enter for a user.")
            }
            try await enter(as: administrator, acting: user, password, capabilities)
        case .token(let user, let source):
            let token = try await source.token(for: user, rejected: nil)
            do throws(IMAPError) {
                try await enter(as: user, bearing: token, capabilities)
            } catch {
                guard error.kind == .authenticationFailed else { throw error }
                try await enter(as: user, bearing: source.token(for: user, rejected: token), capabilities)
            }
        }
    }

    private func enter(
        as name: String, acting user: String, _ password: Secret, _ capabilities: Capabilities
    ) async throws(IMAPError) {
        let literals = LiteralStyle(capabilities)
        if capabilities.mechanisms.contains("PLAIN") {
            return try await authenticate(.plain(as: name, acting: user, password), capabilities)
        }
        guard !capabilities.has("LOGINDISABLED") else {
            throw IMAPError(
                .unsupported, "\(endpoint.host) takes no password on this connection; use TLS or a token.")
        }
        var text = CommandText("LOGIN", literals: literals)
        text.string(name)
        text.string(password.value)
        try checkLogin(try await run("LOGIN", text, into: ()).status)
    }

    private func enter(as user: String, bearing token: Secret, _ capabilities: Capabilities) async throws(IMAPError) {
        guard let sasl = SASL.bearer(token, of: user, at: endpoint, among: Set(capabilities.mechanisms)) else {
            throw IMAPError(
                .unsupported, "\(endpoint.host) takes no tokens (neither OAUTHBEARER nor XOAUTH2); use a password.")
        }
        try await authenticate(sasl, capabilities)
    }

    private func authenticate(_ sasl: SASL, _ capabilities: Capabilities) async throws(IMAPError) {
        let encoded = Base64.encode(sasl.response)
        let pieces =
            capabilities.has("SASL-IR")
            ? [ByteBuffer(string: "AUTHENTICATE \(sasl.mechanism) \(encoded)\r\n")]
            : [ByteBuffer(string: "AUTHENTICATE \(sasl.mechanism)\r\n"), ByteBuffer(string: encoded + "\r\n")]
        let outcome = Outcomes<Answer<Void>>(count: 1)
        eventLoop.execute { [connection] in
            let command = Collecting(
                "AUTHENTICATE", pieces, into: (), take: { _, _, _ in false }, done: { outcome.set($0, at: 0) })
            command.lastWord = sasl.lastWord.map { ByteBuffer(string: Base64.encode($0) + "\r\n") }
            connection.value.submit(command)
        }
        try checkLogin(try await one(outcome).status)
    }

    private func checkLogin(_ status: StatusText) throws(IMAPError) {
        guard status.condition != .ok else { return }
        let refusal = Refusal(status)
        if refusal.asksToWait {
            throw IMAPError(.tryLater, "\(endpoint.host) lets nobody in now: \(status.text)", refusal: refusal)
        }
        throw IMAPError(
            .authenticationFailed, "\(endpoint.host) refused the login of \(credentials.user): \(status.text)",
            refusal: refusal)
    }

    // MARK: after authentication

    private func prepare(_ capabilities: Capabilities) async throws(IMAPError) -> Result {
        let result = Result(capabilities: capabilities)
        let told = result.told
        var wanted: [String] = []
        if options.enableQResync, capabilities.qresync { wanted.append("QRESYNC") }
        let wantsUTF8 = options.enableUTF8 && (capabilities.has("UTF8=ACCEPT") || capabilities.has("UTF8=ONLY"))
        if wantsUTF8 { wanted.append("UTF8=ACCEPT") }
        if !wanted.isEmpty, capabilities.has("ENABLE") || capabilities.isRev2 {
            told.note(enabled: Set(wanted))
            let enabling = start("ENABLE", CommandText("ENABLE " + wanted.joined(separator: " ")), into: []) {
                (value: inout Set<String>, response) in
                guard case .enabled(let names) = response else { return false }
                value.formUnion(names)
                told.note(enabled: value)
                return true
            }
            // How names are written depends on it, so nothing can be asked before; else nobody waits.
            if wantsUTF8, try await one(enabling).value.isEmpty { told.note(enabled: []) }
        }
        if capabilities.has("ID") {
            _ = start("ID", CommandText(#"ID ("name" "Ferry")"#), into: [:]) {
                (_: inout [String: String], response) in
                guard case .identity(let fields) = response else { return false }
                told.note(identity: fields)
                return true
            }
        }
        if options.compress, capabilities.has("COMPRESS=DEFLATE") { try await compress() }
        return result
    }

    private func compress() async throws(IMAPError) {
        let outcome = Outcomes<StatusText>(count: 1)
        eventLoop.execute { [connection] in
            connection.value.submit(
                Collecting("COMPRESS", CommandText("COMPRESS DEFLATE").sealed, into: (), take: { _, _, _ in false }) {
                    answer in
                    if case .success(let answer) = answer, answer.status.condition == .ok {
                        connection.value.compress()
                    }
                    outcome.set(answer.map(\.status), at: 0)
                })
        }
        // A NO ([COMPRESSIONACTIVE]: TLS does it already) changes nothing.
        _ = try await one(outcome)
    }

    // MARK: commands

    private func run<Value: Sendable>(
        _ name: String, _ text: CommandText, into value: Value,
        take: @escaping @Sendable (inout Value, Response) -> Bool = { _, _ in false }
    ) async throws(IMAPError) -> Answer<Value> {
        try await one(start(name, text, into: value, take: take))
    }

    private func start<Value: Sendable>(
        _ name: String, _ text: CommandText, into value: Value,
        take: @escaping @Sendable (inout Value, Response) -> Bool
    ) -> Outcomes<Answer<Value>> {
        let outcome = Outcomes<Answer<Value>>(count: 1)
        eventLoop.execute { [connection] in
            connection.value.submit(
                Collecting(
                    name, text.sealed, into: value, take: { value, response, _ in take(&value, response) },
                    done: { outcome.set($0, at: 0) }))
        }
        return outcome
    }

    private func one<Value>(_ outcome: Outcomes<Value>) async throws(IMAPError) -> Value {
        try await outcome.all()[0].get()
    }

    private func check(_ status: StatusText, _ name: String) throws(IMAPError) {
        if status.condition != .ok { throw .refusal(of: name, status) }
    }
}
