import ArgumentParser

struct ShowJob: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one job.",
        discussion: """
            With --json prints exactly the body that GET returned.

            Example: ferry job show wave-1
            """)

    @OptionGroup var options: ServerOptions
    @OptionGroup var argument: JobArgument

    func run() async throws {
        try JobCard.show(try await options.client().get(APIClient.job(argument.job)), options: options)
    }
}
