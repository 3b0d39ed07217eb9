import NIOPosix
import Synchronization

/// A directory that is asked over LDAP. libldap blocks, so it is called on threads of its own, where it holds up neither
/// tasks nor disks.
package struct LDAPDirectory: Sendable {
    package let settings: LDAPSettings
    private static let threads: NIOThreadPool = {
        let pool = NIOThreadPool(numberOfThreads: 2)
        pool.start()
        return pool
    }()

    package init(_ settings: LDAPSettings) { self.settings = settings }

    /// Everybody, and who is in the groups. A task that is cancelled does not wait for the server.
    /// - Parameter groups: distinguished names.
    package func roster(groups: Set<String>) async throws(LDAPFailure) -> LDAPRoster {
        let stopped = LDAPFailure(.stopped, "\(settings.url): the search was broken off.", "")
        let call = Call()
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                call.begin(continuation)
                Self.threads.submit { _ in
                    do throws(LDAPFailure) {
                        call.end(.success(try read(groups, while: { call.isWanted }, else: stopped)))
                    } catch {
                        call.end(.failure(error))
                    }
                }
            }
        } onCancel: {
            call.end(.failure(stopped))
        }
        return try result.get()
    }

    private func read(
        _ groups: Set<String>, while isWanted: () -> Bool, else stopped: LDAPFailure
    ) throws(LDAPFailure) -> LDAPRoster {
        guard isWanted() else { throw stopped }
        let connection = try LDAPConnection(settings)
        var maker = PeopleMaker(settings.attributes)
        try connection.search(settings.base, settings.scope, settings.filter, settings.attributes.all) {
            (entry) throws(LDAPFailure) in
            guard isWanted() else { throw stopped }
            maker.add(entry)
        }
        var roster = LDAPRoster()
        let index: MemberIndex
        (roster.people, roster.findings, index) = maker.finish()
        for group in groups {
            guard isWanted() else { throw stopped }
            roster.groups[group] = try GroupWalk(connection: connection, people: index).members(of: group)
        }
        return roster
    }

    /// One call that a task waits for until it is answered or cancelled, whichever comes first.
    private final class Call: Sendable {
        private enum State {
            case new
            case waiting(CheckedContinuation<Result<LDAPRoster, LDAPFailure>, Never>)
            case over(Result<LDAPRoster, LDAPFailure>)
        }

        private let state = Mutex(State.new)

        var isWanted: Bool {
            state.withLock { state in
                if case .over = state { false } else { true }
            }
        }

        func begin(_ continuation: CheckedContinuation<Result<LDAPRoster, LDAPFailure>, Never>) {
            let early = state.withLock { state -> Result<LDAPRoster, LDAPFailure>? in
                if case .over(let result) = state { return result }
                state = .waiting(continuation)
                return nil
            }
            if let early { continuation.resume(returning: early) }
        }

        func end(_ result: Result<LDAPRoster, LDAPFailure>) {
            let waiter = state.withLock { state -> CheckedContinuation<Result<LDAPRoster, LDAPFailure>, Never>? in
                defer { if case .over = state {} else { state = .over(result) } }
                if case .waiting(let continuation) = state { return continuation }
                return nil
            }
            waiter?.resume(returning: result)
        }
    }
}
