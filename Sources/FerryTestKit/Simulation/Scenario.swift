import FerryCore

/// What a seed decides before a simulation begins: who moves, between which kinds of tenants, and how much goes wrong.
package struct Scenario: Sendable, CustomStringConvertible {
    package let seed: UInt64
    /// People on each side.
    let people: Int
    /// Servers that share the store.
    let nodes: Int
    let source: FakeTenant.Settings
    let target: FakeTenant.Settings
    /// Part of all calls of peers that go wrong in a way that a retry mends.
    let faults: Double
    /// Times that servers are killed.
    let kills: Int
    /// Things that administrators do before they only want everybody to arrive.
    let acts: Int
    /// Changes that people make at the source.
    let edits: Int
    /// Times that the clock jumps, either way.
    let jumps: Int
    /// Peers ask for pauses.
    let throttles: Bool
    /// Servers of the source go on taking mail in for a frozen mailbox.
    let deliversLate: Bool
    /// How long anything may go wrong. After that peers are well, servers stay up, and administrators are helpful.
    let unrest: Duration

    package init(seed: UInt64) {
        var random = SeededRandom(seed: seed &* 0x9E37_79B9 &+ 17)
        self.seed = seed
        people = Int.random(in: 1...4, using: &random)
        nodes = Int.random(in: 1...2, using: &random)
        var source = FakeTenant.Settings()
        source.pageItems = Int.random(in: 1...6, using: &random)
        source.latency = .milliseconds([0, 5, 300].randomElement(using: &random) ?? 0)
        // Some say what has changed, others have to be listed; some cannot be frozen.
        source.tellsChanges = Bool.random(using: &random)
        source.canFreeze = Int.random(in: 0..<5, using: &random) > 0
        self.source = source
        var target = FakeTenant.Settings()
        target.isIdempotent = Bool.random(using: &random)
        target.canUpdate = Bool.random(using: &random)
        target.batchItems = Int.random(in: 1...5, using: &random)
        target.latency = .milliseconds([0, 20, 2000].randomElement(using: &random) ?? 0)
        self.target = target
        faults = [0, 0.02, 0.1].randomElement(using: &random) ?? 0
        kills = Int.random(in: 0...4, using: &random)
        acts = Int.random(in: 0...12, using: &random)
        edits = Int.random(in: 0...25, using: &random)
        unrest = .seconds(1800 * Int.random(in: 1...24, using: &random))
        jumps = [0, 0, 3].randomElement(using: &random) ?? 0
        throttles = Bool.random(using: &random)
        deliversLate = Bool.random(using: &random)
    }

    package var description: String {
        "seed \(seed): \(people) people, \(nodes) nodes, \(target.isIdempotent ? "idempotent" : "append-only") target, "
            + "\(source.tellsChanges ? "" : "silent ")\(source.canFreeze ? "" : "unfreezable ")source"
            + "\(deliversLate ? " with late mail" : ""), \(faults) of calls fail\(throttles ? " or are throttled" : ""), "
            + "\(jumps) jumps of the clock, \(kills) kills, \(acts) acts of administrators, \(edits) changes by people, "
            + "\(unrest / .seconds(60)) minutes of unrest"
    }
}
