import ArgumentParser

struct ListJobUsers: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "users", abstract: "List the people of a job with the state of each workload, and what is wrong.",
        discussion: """
            Examples:
              ferry job users wave-1 --all
              ferry job users wave-1 --filter "currentStatus/any(s:s/status eq 'invalid')"
              ferry job users wave-1 --user 20000000-bbbb-4000-8000-00000000000a --json
            """)

    @OptionGroup var options: ServerOptions
    @OptionGroup var argument: JobArgument

    @Option(help: "Only this user.")
    var user: String?

    @Option(help: "OData filter.")
    var filter: String?

    @Option(help: "People on a page.")
    var top: Int?

    @Flag(help: "All pages.")
    var all = false

    func run() async throws {
        let client = try options.client()
        let path = APIClient.job(argument.job) + "/users"
        let terminal = Terminal.output
        var tasks: [TaskBody] = []
        if let user {
            let answer = try await client.get("\(path)/\(APIClient.escaped(user))")
            if options.json {
                terminal.print(String(decoding: answer.body, as: UTF8.self))
                return
            }
            tasks = [try client.decode(answer)]
        } else {
            try await client.pages(
                of: path + Query.text(filter: filter, top: top), as: TaskBody.self, follow: all
            ) { page, answer in
                if options.json { terminal.print(String(decoding: answer.body, as: UTF8.self)) }
                tasks += page
            }
        }
        if options.json { return }
        for line in Self.lines(tasks, style: terminal.style) { terminal.print(line) }
    }

    /// A table of states, then everything that is wrong, person by person.
    static func lines(_ tasks: [TaskBody], style: Style) -> [String] {
        let services = tasks.first?.currentStatus.map(\.service) ?? []
        var table = Table([.init("USER")] + services.map { .init($0.uppercased()) } + [.init("UPDATED")])
        for task in tasks {
            let states = services.map { service in
                task.currentStatus.first { $0.service == service }
                    .map { style(JobCard.colour(of: $0.status), $0.status) } ?? ""
            }
            table.append([task.id] + states + [task.lastUpdatedDateTime])
        }
        var lines = table.lines(style: style)
        for task in tasks {
            for status in task.currentStatus {
                for problem in status.errors ?? [] {
                    lines.append(
                        "\(task.id) \(status.service): \(style(.red, problem.code ?? "")) \(problem.message ?? "")")
                }
            }
        }
        return lines
    }
}
