/// Runs a scenario again and again and kills it at each durable boundary in turn: the proof of law 1.
///
/// A world is what survives a crash: stores and tenants. A life works on a world through wrapped stores and connectors
/// until it is done or dead, and must not leave anything running when it returns.
package struct CrashSweep<World: Sendable>: Sendable {
    /// Makes a world in its first state.
    package var makeWorld: @Sendable () async throws -> World
    /// Lives once. Errors count as its death when the crash points say so, and are thrown on otherwise.
    package var live: @Sendable (World, CrashPoints) async throws -> Void
    /// Judges a finished world; `story` says how it came about, for messages.
    package var judge: @Sendable (_ world: World, _ story: String) async throws -> Void
    /// Lives allowed after the first crash.
    package var lives = 8

    package init(
        makeWorld: @escaping @Sendable () async throws -> World,
        live: @escaping @Sendable (World, CrashPoints) async throws -> Void,
        judge: @escaping @Sendable (_ world: World, _ story: String) async throws -> Void
    ) {
        self.makeWorld = makeWorld
        self.live = live
        self.judge = judge
    }

    /// A world that did not finish within its lives, or a life that failed without dying.
    package struct Failure: Error, CustomStringConvertible {
        package var story: String
        package var reason: String
        package var description: String { "\(story): \(reason)" }
    }

    /// Kills at boundary 1, 2, 3 … until a life gets through unharmed; with a seed, kills each second life too, at a
    /// boundary drawn by chance. Every world then lives on until it is finished and is judged.
    ///
    /// Returns the number of boundaries of a whole life.
    @discardableResult
    package func run(killingTwiceWith seed: UInt64? = nil, stride: Int = 1) async throws -> Int {
        var random = SeededRandom(seed: seed ?? 0)
        var fatal = 1
        while true {
            let world = try await makeWorld()
            var story = "killed at \(fatal)"
            let first = CrashPoints(dyingAt: fatal)
            try await attempt(world, first, story)
            guard first.isDead else {
                try await judge(world, "never killed")
                return first.passed
            }
            var isFinished = false
            for life in 2...lives where !isFinished {
                let next = life == 2 && seed != nil ? Int.random(in: 1...fatal, using: &random) : nil
                if let next { story += ", then at \(next)" }
                let points = CrashPoints(dyingAt: next)
                try await attempt(world, points, story)
                isFinished = !points.isDead
            }
            guard isFinished else { throw Failure(story: story, reason: "not finished after \(lives) lives") }
            try await judge(world, story)
            fatal += stride
        }
    }

    private func attempt(_ world: World, _ points: CrashPoints, _ story: String) async throws {
        do {
            try await live(world, points)
        } catch {
            if !points.isDead { throw Failure(story: story, reason: "failed alive: \(error)") }
        }
    }
}
