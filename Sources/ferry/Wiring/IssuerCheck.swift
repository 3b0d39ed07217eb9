import FerryCore
import FerryServer
import Logging

/// Asks every issuer of the configuration for its keys, once, for `ferry check`.
struct IssuerCheck {
    struct Result: Encodable, Hashable, Sendable {
        /// The name, or `embedded`.
        var issuer: String
        /// Keys that can check signatures.
        var keys: Int
        /// Published keys that are of no use here.
        var ignored: Int
        /// What is wrong and how to mend it.
        var problem: String?
    }

    let configuration: Configuration

    /// In the order of the configuration, the embedded issuer last.
    func results() async throws(Complaint) -> [Result] {
        let issuer = try Installation.issuer(of: configuration)
        // The table is the answer; a log would say everything twice.
        let silent = Logger(label: "ferry") { LogfmtHandler(label: $0, level: .critical) }
        let authenticator = Installation.authenticator(of: configuration, embedded: issuer, logger: silent)
        return await authenticator.survey().map { finding in
            Result(
                issuer: finding.issuer, keys: finding.keys, ignored: finding.ignored,
                problem: finding.problem?.description)
        }
    }

    static func lines(_ results: [Result], style: Style) -> [String] {
        var table = Table([.init("ISSUER"), .init("KEYS", .right), .init("IGNORED", .right), .init("RESULT")])
        for result in results {
            table.append([
                result.issuer, String(result.keys), String(result.ignored),
                result.problem == nil ? style(.green, "ok") : style(.red, "problem"),
            ])
        }
        return table.lines(style: style)
            + results.compactMap { result in result.problem.map { "  \(result.issuer): \($0)" } }
    }
}
