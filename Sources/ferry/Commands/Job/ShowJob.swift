import ArgumentParser

struct ShowJob: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one job.",
        discussion: """
            "grades" says how much of what was judged arrives, and how many people wait for ferry job approve. With --json
            prints the body that GET returned, with the grades as the annotation @ferry.consistency once there are some.

            Example: ferry job show wave-1
            """)

    @OptionGroup var options: ServerOptions
    @OptionGroup var argument: JobArgument

    func run() async throws {
        let client = try options.client()
        let answer = try await client.get(APIClient.job(argument.job))
        try JobCard.show(answer, try await JobConsistency.read(argument.job, from: client), options: options)
    }
}
