import ArgumentParser

struct ListJobUsers: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "users", abstract: "List the people of a job with the state of each workload, and what is wrong.",
        discussion: """
            Behind a state is the grade of what was judged, and whether it waits for ferry job approve; with --json they are
            the annotation @ferry.consistency, by id.

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
        let consistency = try await PeopleConsistency.read(argument.job, from: client)
        var tasks: [TaskBody] = []
        func take(_ page: [TaskBody], _ answer: APIClient.Answer) throws {
            tasks += page
            guard options.json else { return }
            let judged = consistency?.only(page.map(\.id)) ?? [:]
            terminal.print(
                judged.isEmpty
                    ? String(decoding: answer.body, as: UTF8.self) : try Ours.annotated(answer.body, with: judged))
        }
        if let user {
            let answer = try await client.get("\(path)/\(APIClient.escaped(user))")
            try take([client.decode(answer)], answer)
        } else {
            try await client.pages(
                of: path + Query.text(filter: filter, top: top), as: TaskBody.self, follow: all, each: take)
        }
        if options.json { return }
        for line in Self.lines(tasks, consistency, style: terminal.style) { terminal.print(line) }
    }

    /// A table of states, then everything that is wrong, person by person.
    static func lines(
        _ tasks: [TaskBody], _ consistency: PeopleConsistency? = nil, style: Style
    ) -> [String] {
        let services = tasks.first?.currentStatus.map(\.service) ?? []
        var table = Table([.init("USER")] + services.map { .init($0.uppercased()) } + [.init("UPDATED")])
        for task in tasks {
            let states = services.map { service in
                task.currentStatus.first { $0.service == service }
                    .map { state in
                        let grade = consistency?[task.id, service].map { " " + PeopleConsistency.text($0) } ?? ""
                        return style(JobCard.colour(of: state.status), state.status) + grade
                    } ?? ""
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
