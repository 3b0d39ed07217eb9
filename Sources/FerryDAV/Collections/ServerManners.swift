import Synchronization

/// What has been learned about a server that says nothing of it itself; the same for all people.
final class ServerManners: Sendable {
    private let state: Mutex<Bool?>

    /// - Parameter sendsMany: `false` has every object sent by itself, whatever the server takes.
    init(sendsMany: Bool) { state = Mutex(sendsMany ? nil : false) }

    /// Whether a PUT to a collection gives it all its objects at once; `nil` while nobody has tried.
    var takesWhole: Bool? { state.withLock { $0 } }

    func note(takesWhole: Bool) { state.withLock { $0 = $0 ?? takesWhole } }
}
