import ArgumentParser

struct ReportJob: AsyncParsableCommand {
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case json, csv, html
    }

    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Write what a job moved and what it could not move.",
        discussion: """
            Examples:
              ferry job report wave-1 --format html --output wave-1.html
              ferry job report wave-1 --format csv > wave-1.csv
            """)

    @OptionGroup var options: ServerOptions
    @OptionGroup var argument: JobArgument

    @Option(help: "json, csv or html.")
    var format: Format = .json

    @Option(help: "File to write; standard output without it.")
    var output: String?

    func run() async throws {
        let path = "/ferry/jobs/\(APIClient.escaped(argument.job))/report?format=\(format.rawValue)"
        let answer = try await options.client().get(path)
        if let output {
            try LocalFile.write(answer.body, to: output)
        } else {
            Terminal.output.write(String(decoding: answer.body, as: UTF8.self))
            if answer.body.last != UInt8(ascii: "\n") { Terminal.output.print() }
        }
    }
}
