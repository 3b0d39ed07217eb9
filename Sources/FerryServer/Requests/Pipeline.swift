import FerryAPI
import FerryCore
import FerryEngine
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// What every request goes through, whether it came alone or inside a `$batch`: routing by `FerryAPI`, authentication,
/// rights, the body, the operation, one line of log. It knows nothing of connections.
struct Pipeline: Sendable {
    private let settings: ServerSettings
    private let operations: Operations
    private let authenticator: Authenticator
    private let doorkeeper: Doorkeeper
    private let readiness: Readiness
    private let outages: @Sendable () -> [String]
    private let effects: Effects
    private let logger: Logger
    /// Time since the pipeline was made, by the monotonic clock.
    private let uptime: @Sendable () -> Duration

    init(
        settings: ServerSettings, operations: Operations, authenticator: Authenticator, doorkeeper: Doorkeeper,
        readiness: @escaping Readiness, outages: @escaping @Sendable () -> [String], effects: Effects, logger: Logger
    ) {
        self.settings = settings
        self.operations = operations
        self.authenticator = authenticator
        self.doorkeeper = doorkeeper
        self.readiness = readiness
        self.outages = outages
        self.effects = effects
        self.logger = logger
        uptime = Self.stopwatch(effects.clock)
    }

    /// What is learnt of a request on the way, for the log and for the audit trail.
    private typealias Visit = Doorkeeper.Visitor

    /// The answer to one message. Failures are answers, too.
    func answer(_ message: Message, _ exchange: Exchange) async -> Answer {
        let started = uptime()
        var visit = Visit()
        var answer: Answer
        do {
            answer = try await self.answer(message, exchange, &visit)
        } catch {
            answer = failed(error, exchange)
            doorkeeper.refused(error, visit, from: message.origin, requestID: exchange.requestID)
        }
        if let verdict = visit.verdict, verdict.isWorthTelling { answer.headers += verdict.headers }
        record(message, exchange, visit, answer, took: uptime() - started)
        return answer
    }

    private func answer(
        _ message: Message, _ exchange: Exchange, _ visit: inout Visit
    ) async throws(Failure) -> Answer {
        let target = try RequestTarget(message.target)
        let method = FerryAPI.Method(token: message.method)
        if let resource = PublicResource(segments: target.segments) { return try await open(resource, method) }
        let documents = IssuerDocuments(authenticator: authenticator)
        if let document = try await documents.answer(target.segments, method) { return document }
        if method == .options { return try options(target) }
        // Whoever has no token learns nothing of paths, so what is wrong with the path is said after that.
        let understood = Self.understood(target, method)
        visit.isWrite = method != .get && method != .head
        if case .success((_, let operation)) = understood {
            visit.operation = operation.name
            visit.isWrite = operation.access == .write
            visit.job = operation.job
        }
        let isPublic =
            if case .success(let request) = understood { request.operation.access == .anonymous } else { false }
        let principal =
            isPublic
            ? Self.nobody
            : try await doorkeeper.identify(message.headers[.authorization], from: message.origin, by: authenticator)
        if !isPublic {
            visit.principal = principal
            // A batch costs what its steps cost; a path that leads nowhere costs its sender, too.
            if visit.operation != "batch" { try doorkeeper.admit(principal, isWrite: visit.isWrite, &visit) }
        }
        let (route, operation) = try understood.get()
        switch operation.access {
        case .anonymous, .authenticated: break
        case .read: guard principal.canRead else { throw .forbidden }
        case .write: guard principal.canWrite else { throw .forbidden }
        }
        let body = operation.takesBody ? try await body(of: message) : []
        let call = Call(
            requestID: exchange.requestID, principal: principal, rawQuery: target.rawQuery,
            accept: message.headers[.accept],
            contentType: message.headers[.contentType], preferences: Preferences(message.headers[values: .prefer]),
            links: Links(base: exchange.base, version: route.version ?? .v1), body: body,
            // A step that brings no id of its own has the one of its batch, which is not the step's alone.
            clientRequestID: message.isInBatch && message.headers[.clientRequestID] == nil
                ? nil : exchange.clientRequestID,
            origin: visit.isWrite ? message.origin.text : "")
        if operation == .batch {
            do throws(Failure) {
                return try await batch(call, message, exchange)
            } catch {
                // A batch that comes to no step would else be free, however often it is sent.
                try doorkeeper.admit(principal, isWrite: false, &visit)
                throw error
            }
        }
        return try await operations.carryOut(operation, call)
    }

    private typealias Understood = (route: FerryAPI.Route, operation: FerryAPI.Operation)

    private static func understood(
        _ target: RequestTarget, _ method: FerryAPI.Method
    ) -> Result<Understood, Failure> {
        do {
            let route = try FerryAPI.Route(segments: target.segments)
            return .success((route, try route.resource.operation(for: method)))
        } catch {
            return .failure(error)
        }
    }

    /// Who calls what needs no token: belongs to no tenant and may do nothing.
    private static let nobody = Principal(
        tenant: TenantID(GUID(high: 0, low: 0)), subject: "", name: "", canRead: false, canWrite: false)

    /// A new request id.
    func makeID() -> GUID { effects.makeGUID() }

    /// What is answered without a token.
    private func open(_ resource: PublicResource, _ method: FerryAPI.Method) async throws(Failure) -> Answer {
        if method == .options { return options([.get]) }
        guard method == .get else { throw .methodNotAllowed(allow: [.get]) }
        switch resource {
        case .health: return .text(.ok, "ok\n", isGraph: false)
        case .readiness:
            let problems = await readiness().compactMap { check in check.problem.map { "\(check.name): \($0)\n" } }
            // One of several issuers in trouble is told, but takes nobody else's traffic away.
            let outages =
                authenticator.outages.map { "issuer \($0.issuer): \($0.problem)\n" }.joined()
                + outages().map { "\($0)\n" }.joined()
            return problems.isEmpty && authenticator.canWork
                ? .text(.ok, "ready\n" + outages, isGraph: false)
                : .text(.serviceUnavailable, problems.joined() + outages, isGraph: false)
        case .openAPI:
            return Answer(
                status: .ok, body: .bytes(OpenAPIDocument.bytes), contentType: OpenAPIDocument.contentType,
                isGraph: false)
        }
    }

    /// 204 with the methods of the path (reference 7.10).
    private func options(_ target: RequestTarget) throws(Failure) -> Answer {
        options(try Route(segments: target.segments).resource.operations.map(\.method))
    }

    private func options(_ methods: [FerryAPI.Method]) -> Answer {
        var answer = Answer.empty(.noContent)
        answer.headers = [(.allow, FerryAPI.Method.list(methods + [.options]))]
        return answer
    }

    // MARK: bodies

    private func body(of message: Message) async throws(Failure) -> [UInt8] {
        switch message.body {
        case .whole(let bytes): bytes
        case .arriving(let stream): try await body(arriving: stream, message.headers)
        }
    }

    /// The whole body. Throws `Failure.bodyTooLarge`, and `Failure.tooSlow` when it does not arrive in time.
    private func body(arriving stream: RequestBody, _ headers: HTTPFields) async throws(Failure) -> [UInt8] {
        let announced = headers[.contentLength].flatMap { Int($0) }
        if announced == 0 { return [] }
        // Nothing is unpacked, so nothing can grow while it is (RFC 9110 section 15.5.16).
        if let coding = headers[.contentEncoding], coding.lowercased() != "identity" {
            throw .unsupportedContentCoding
        }
        let limit = settings.maximumBodyBytes
        if let announced, announced > limit { throw .bodyTooLarge(limit: limit) }
        let (clock, timeout) = (effects.clock, settings.requestTimeout)
        let outcome = await withTaskGroup(of: Result<[UInt8], Failure>.self) { group in
            group.addTask(name: "request body") {
                do {
                    return .success(Array(buffer: try await stream.collect(upTo: limit)))
                } catch is NIOTooManyBytesError {
                    return .failure(.bodyTooLarge(limit: limit))
                } catch {
                    return .failure(.badRequest("The body ended before its announced length.", target: nil))
                }
            }
            group.addTask(name: "request deadline") {
                try? await clock.sleep(for: timeout)
                return .failure(.tooSlow)
            }
            let first = await group.next() ?? .failure(.fault)
            group.cancelAll()
            return first
        }
        return try outcome.get()
    }

    // MARK: failures and the log

    func failed(_ failure: Failure, _ exchange: Exchange) -> Answer {
        let row = failure.answer
        var answer = Answer(status: .init(code: row.status), isRead: false)
        answer.body = .bytes(
            ErrorBody.bytes(
                row, requestID: exchange.requestID, clientRequestID: exchange.clientRequestID, date: effects.now()))
        if let allow = row.allow { answer.headers.append((.allow, FerryAPI.Method.list(allow))) }
        if let seconds = row.retryAfterSeconds { answer.headers.append((.retryAfter, "\(seconds)")) }
        if case .unauthenticated = failure {
            answer.headers.append((.wwwAuthenticate, authenticator.challenge(base: exchange.base)))
        }
        answer.leavesBodyUnread = failure == .tooSlow || answer.status == .contentTooLarge
        return answer
    }

    /// Reads that went well are debug, everything else is worth a line. No tokens, bodies or query values.
    private func record(
        _ message: Message, _ exchange: Exchange, _ visit: Visit, _ answer: Answer, took: Duration
    ) {
        let level: Logger.Level =
            switch answer.status.code {
            case 500...: .error
            case 400...: .info
            default: visit.isWrite ? .info : .debug
            }
        logger.log(
            level: level, "Request answered",
            metadata: [
                "request-id": "\(exchange.requestID)", "method": "\(message.method.prefix(16))",
                "operation": "\(visit.operation)", "status": "\(answer.status.code)",
                "tenant": "\(visit.principal?.tenant.description ?? "none")",
                "milliseconds": "\(took.wholeMicroseconds / 1_000)",
            ])
    }

    private static func stopwatch<C: Clock<Duration>>(_ clock: C) -> @Sendable () -> Duration {
        let start = clock.now
        return { start.duration(to: clock.now) }
    }
}
