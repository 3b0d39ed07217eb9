import FerryTestKit
import Foundation
import Testing

/// Short runs of what `script/simulate` does for long, in processes of their own: a simulation repeats itself only where
/// hashing does.
@Suite("The simulated orchestrator", .serialized) struct SimulationTests {
    private func simulate(_ arguments: [String]) async throws -> (status: Int32, text: String) {
        let bench = try Program.built("ferry-bench")
        return try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    with: Result {
                        let program = try Program(
                            [bench, "simulate"] + arguments, environment: ["SWIFT_DETERMINISTIC_HASHING": "1"],
                            isOurs: false)
                        return (program.waitForExit(), program.text())
                    })
            }
        }
    }

    @Test("brings everybody to a lawful end, whatever happens, and repeats itself exactly")
    func lives() async throws {
        let result = try await simulate(["--seeds", "8", "--first", "\(RunSeed.value)", "--twice"])
        #expect(result.status == 0, "\(result.text)")
        #expect(result.text.contains("8 lives, 0 bad"))
    }

    /// The quick ones; `script/simulate --bugs` looks for all of them.
    @Test("notices a bug at a door", arguments: [Sabotage.freezesNothing, .redirectsNothing, .overlooksOtherJobs])
    func findsBugs(sabotage: Sabotage) async throws {
        let result = try await simulate(["--seeds", "60", "--sabotage", sabotage.rawValue])
        #expect(result.status == 0 && result.text.contains("is found by seed"), "\(result.text)")
    }
}
