import ArgumentParser

struct ListJobs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the jobs of the token's tenant, newest first.",
        discussion: """
            Shows one page; --all goes on to the last one. With --json each page is printed as it came, one per line.

            Examples:
              ferry job list --filter "status eq 'completed'"
              ferry job list --all --json
            """)

    @OptionGroup var options: ServerOptions

    @Option(help: "OData filter, such as: status eq 'failed'")
    var filter: String?

    @Option(help: "Jobs on a page.")
    var top: Int?

    @Flag(help: "All pages.")
    var all = false

    func run() async throws {
        let path = APIClient.jobs + Query.text(filter: filter, top: top)
        var table = Table([
            .init("NAME"), .init("STATUS"), .init("PEOPLE", .right), .init("WORKLOADS"), .init("DATE"), .init("ID"),
        ])
        let terminal = Terminal.output
        try await options.client().pages(of: path, as: JobBody.self, follow: all) { jobs, answer in
            if options.json {
                terminal.print(String(decoding: answer.body, as: UTF8.self))
                return
            }
            for job in jobs {
                table.append([
                    job.displayName, terminal.style(JobCard.colour(of: job.status), job.status),
                    String(job.resources.count), job.workloads.joined(separator: ","), job.completeAfterDateTime,
                    job.id,
                ])
            }
        }
        if options.json { return }
        for line in table.lines(style: terminal.style) { terminal.print(line) }
    }
}

/// Query options of a collection.
enum Query {
    static func text(filter: String?, top: Int?) -> String {
        var parts: [String] = []
        if let filter { parts.append("$filter=\(APIClient.escaped(filter))") }
        if let top { parts.append("$top=\(top)") }
        return parts.isEmpty ? "" : "?" + parts.joined(separator: "&")
    }
}
