import FerryTestKit
import Foundation
import Testing

/// Everything that drives the real program from outside with Python: the official SDK, the validator of the OpenAPI
/// description, schemathesis, the examples and the README. The tests lie in `Tests/python`; one process runs all of
/// them, because importing the SDK alone takes seconds.
struct PythonTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    private static let python = root.appending(path: ".build/venv/bin/python").path
    /// Built with the tests, so it lies beside them.
    private static let program = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        .appending(path: "ferry").path
    private static var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: python) }

    @Test(.timeLimit(.minutes(45)))
    func `clients that exist, the examples and the README work against the real program`() async throws {
        guard Self.isInstalled else {
            print("SKIPPED: the tests in Tests/python need .build/venv, which `script/bootstrap test` makes.")
            try Test.cancel("There is no .build/venv; `script/bootstrap test` makes it.")
        }
        #expect(FileManager.default.isExecutableFile(atPath: Self.program), "\(Self.program) is not built")
        let log = FileManager.default.temporaryDirectory.appending(path: "ferry-python-\(UUID().uuidString).log")
        try Data().write(to: log)
        defer { try? FileManager.default.removeItem(at: log) }
        let status = try await Self.run(output: try FileHandle(forWritingTo: log))
        let output = String(decoding: try Data(contentsOf: log), as: UTF8.self)
        #expect(status == 0, "pytest ended with \(status):\n\(output)")
        // What was skipped and why, and how much really ran.
        let lines = output.split(separator: "\n")
        print((lines.filter { $0.hasPrefix("SKIPPED") } + lines.suffix(1)).joined(separator: "\n"))
        #expect(output.contains(" passed"))
    }

    /// Runs pytest to its end, bounded by `timeout`, and gives its exit code.
    private static func run(output: FileHandle) async throws -> Int32 {
        let process = try ChildProcess(
            [
                "env", "-C", root.path, "timeout", "--kill-after=10", "840", python, "-m", "pytest", "-q", "-rs",
                "Tests/python",
            ], environment: ["FERRY_BINARY": program, "PYTHONDONTWRITEBYTECODE": "1"],
            output: output.fileDescriptor, errors: output.fileDescriptor)
        return await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: process.waitForExit()) }
        }
    }
}
