import FerryAPI
import FerryCore
import FerryEngine
import Logging

/// Stands at the door of every request: lets it through or makes it wait, and remembers whom it did not let through.
struct Doorkeeper: Sendable {
    private let meter: RateMeter
    private let failures: FailureMeter
    let refusals: RefusalLog
    private let now: @Sendable () -> Instant

    init(limits: RateLimits, commands: any CommandHandling, effects: Effects, logger: Logger) {
        let uptime = makeUptime(effects.clock)
        meter = RateMeter(limits, uptime: uptime)
        failures = FailureMeter(limits, uptime: uptime)
        refusals = RefusalLog(commands, uptime: uptime, logger: logger)
        now = effects.now
    }

    /// What is known of a request when it is refused.
    struct Visitor: Sendable {
        /// `nil` until the token was found good.
        var principal: Principal?
        var operation = AuditOperation.none
        /// Changes something, as far as the method tells.
        var isWrite = false
        var job: JobReference?
        var verdict: RateMeter.Verdict?
    }

    /// Finds out who calls. An address that failed too often is not heard before its time, unless the token is one that
    /// was verified before: a script with an old token shall not lock out the others behind the same address.
    func identify(
        _ authorization: String?, from origin: Origin, by authenticator: Authenticator
    ) async throws(Failure) -> Principal {
        if !failures.isQuiet, !authenticator.remembers(authorization), let address = origin.address,
            let seconds = failures.secondsToWait(address)
        {
            throw .throttled(retryAfterSeconds: seconds)
        }
        do throws(Failure) {
            return try await authenticator.principal(authorization: authorization)
        } catch {
            if case .unauthenticated = error, let address = origin.address { failures.failed(address) }
            throw error
        }
    }

    /// Spends one request of the caller's budgets. Throws `Failure.throttled` when there is none.
    func admit(_ principal: Principal, isWrite: Bool, _ visitor: inout Visitor) throws(Failure) {
        visitor.verdict = meter.admit(principal, isWrite: isWrite)
        if let seconds = visitor.verdict?.retryAfterSeconds { throw .throttled(retryAfterSeconds: seconds) }
    }

    /// Takes a refusal for the audit trail: every one of a write, and of a read those that say who may not.
    func refused(_ failure: Failure, _ visitor: Visitor, from origin: Origin, requestID: GUID) {
        let answer = failure.answer
        guard visitor.isWrite || [401, 403, 429].contains(answer.status) else { return }
        let principal = visitor.principal
        var job: JobID?
        var detail = ""
        if case .key(let key)? = visitor.job, let id = JobID(key) {
            job = id
        } else if case .key(let name)? = visitor.job {
            detail = String(name.prefix(APILimits.auditDetail))
        } else if case .displayName(let name)? = visitor.job {
            detail = String(name.prefix(APILimits.auditDetail))
        }
        refusals.note(
            AuditEntry(
                tenant: principal?.tenant ?? AuditEntry.installation, at: now(), subject: principal?.subject ?? "",
                name: principal?.name ?? "", application: principal?.application ?? "", origin: origin.text,
                operation: visitor.operation, job: job, detail: detail, status: answer.status,
                code: answer.details.first?.code ?? answer.code, requestID: requestID))
    }
}
