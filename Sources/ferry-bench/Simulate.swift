import ArgumentParser
import FerrySQLite
import FerryStore
import FerryTestKit
import Foundation
import Glibc

/// The orchestrator in a simulation, seed after seed.
struct Simulate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the orchestrator through simulated lives, each decided by a seed.",
        discussion: """
            A seed says who moves, what fails, when servers are killed and what administrators do. The same seed gives
            the same life if the environment has SWIFT_DETERMINISTIC_HASHING=1.
            """)

    @Option(help: "How many seeds.") var seeds: Int = 100
    @Option(help: "The first one.") var first: UInt64 = 1
    @Option(
        help:
            "A bug to put in; ends well when a seed finds it. One of: \(Sabotage.allCases.map(\.rawValue).joined(separator: ", "))."
    )
    var sabotage: String?
    @Flag(help: "Live every seed twice and compare.") var twice = false
    @Flag(help: "Tell of every seed.") var verbose = false
    @Flag(help: "Name the bugs that can be put in, and do nothing.") var listBugs = false

    func validate() throws {
        if let sabotage, Sabotage(rawValue: sabotage) == nil {
            throw ValidationError("There is no bug named '\(sabotage)'.")
        }
    }

    func run() async throws {
        if listBugs { return print(Sabotage.allCases.map(\.rawValue).joined(separator: "\n")) }
        let began = ContinuousClock().now
        var (lives, commits, lasted, bad) = (0, 0, Duration.zero, 0)
        for seed in first..<first + UInt64(max(0, seeds)) {
            // Whoever waits for a long run sees each line as it comes.
            defer { fflush(nil) }
            let scenario = Scenario(seed: seed)
            let outcome = try await live(scenario)
            lives += 1
            commits += outcome.commits
            lasted += outcome.lasted
            if verbose {
                print(scenario)
                print("  \(outcome.lasted) in \(outcome.steps) steps, \(outcome.commits) commits: \(outcome.jobs)")
            }
            if twice, try await live(scenario).fingerprint != outcome.fingerprint {
                bad += 1
                print("seed \(seed) lived another life the second time")
            }
            guard !outcome.violations.isEmpty else { continue }
            if let sabotage {
                print("\(sabotage) is found by seed \(seed): \(outcome.violations[0])")
                return
            }
            bad += 1
            print(scenario)
            for violation in outcome.violations { print("  \(violation)") }
        }
        if let sabotage {
            print("\(sabotage) is not found by \(seeds) seeds")
            throw ExitCode.failure
        }
        let days = Int(lasted / .seconds(86_400))
        let seconds = String(format: "%.1f", (ContinuousClock().now - began) / .seconds(1))
        print("\(lives) lives, \(bad) bad; \(commits) commits and \(days) simulated days in \(seconds) s")
        if bad > 0 { throw ExitCode.failure }
    }

    /// On a thread of its own, which it blocks, with a store in memory that keeps nothing.
    private func live(_ scenario: Scenario) async throws -> Simulation.Outcome {
        let shared = "/dev/shm"
        let parent =
            FileManager.default.fileExists(atPath: shared)
            ? URL(filePath: shared) : FileManager.default.temporaryDirectory
        let folder = parent.appending(path: "ferry-simulation-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let bug = sabotage.flatMap(Sabotage.init(rawValue:))
        return await withCheckedContinuation { continuation in
            let thread = Thread {
                continuation.resume(
                    returning: Simulation(scenario, sabotage: bug).run { (now) throws(StoreError) in
                        try await SQLiteStore.open(path: folder.appending(path: "ferry.sqlite").path, now: now)
                    })
            }
            thread.stackSize = 8 << 20
            thread.start()
        }
    }
}
