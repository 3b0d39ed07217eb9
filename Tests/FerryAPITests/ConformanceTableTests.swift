import Foundation
import Testing

/// `docs/conformance.md` and the tests that carry its numbers.
struct ConformanceTableTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Numbers behind a C, as whole words.
    private static func numbers(in text: Substring) -> [Int] {
        text.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.compactMap { word in
            word.first == "C" ? Int(word.dropFirst()) : nil
        }
    }

    @Test("Each line of the checklist stands in the name of a test, and no test names a line that is not there")
    func everyLineHasATest() throws {
        let document = try String(contentsOf: Self.root.appending(path: "docs/conformance.md"), encoding: .utf8)
        let listed = document.split(separator: "\n").filter { $0.hasPrefix("| C") }.compactMap { line in
            Self.numbers(in: line.dropFirst().prefix { $0 != "|" }).first
        }
        #expect(listed == Array(1...70))
        var carried: Set<Int> = []
        for folder in ["FerryServerTests", "FerryEngineTests", "python"] {
            let path = Self.root.appending(path: "Tests/\(folder)")
            for file in try FileManager.default.contentsOfDirectory(at: path, includingPropertiesForKeys: nil)
            where ["swift", "py"].contains(file.pathExtension) {
                for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
                    let text = line.drop { $0 == " " }
                    // A test's name is a text, a function's name in backticks, or the first line of a docstring.
                    guard
                        let mark = ["@Test(\"", "\"C", "@Test func `", "func `", "`C", "\"\"\"C"].first(
                            where: text.hasPrefix)
                    else { continue }
                    carried.formUnion(
                        Self.numbers(in: text.dropFirst(mark.hasSuffix("C") ? mark.count - 1 : mark.count)))
                }
            }
        }
        #expect(Set(listed).subtracting(carried).sorted() == [], "lines without a test")
        #expect(carried.subtracting(listed).sorted() == [], "tests of lines that are not there")
    }
}
