import ArgumentParser

struct ManifestJob: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "manifest", abstract: "Fetch the signed manifest of a finished job.",
        discussion: """
            The manifest says of every item what both sides had when the user was cut over, signed by the server. Keep it, \
            and the server's public key, where nobody changes them. `ferry verify --manifest` checks it.

            Example: ferry job manifest wave-1 --output wave-1.jsonl
            """)

    @OptionGroup var options: ServerOptions
    @OptionGroup var argument: JobArgument

    @Option(help: "File to write; standard output without it.")
    var output: String?

    func run() async throws {
        let path = "/ferry/jobs/\(APIClient.escaped(argument.job))/manifest"
        let client = try options.client()
        guard let output else {
            try await client.download(path) { Terminal.output.write(String(decoding: $0, as: UTF8.self)) }
            return
        }
        // Beside the place first: what is there is whole.
        let file = try FileWriter(output + ".part")
        try await client.download(path) { try file.write($0) }
        try file.finish(as: output)
    }
}
