import ArgumentParser

/// Which server a verb speaks to, and as whom.
struct ServerOptions: ParsableArguments {
    @Option(help: "Address of the server. Default: FERRY_SERVER, else http://127.0.0.1:8080.")
    var server: String?

    @Option(help: "Bearer token; `ferry token` makes one. Default: FERRY_TOKEN.")
    var token: String?

    @Flag(help: "Print what the server answered, byte for byte.")
    var json = false

    func client() throws -> APIClient {
        guard let token = token ?? environment("FERRY_TOKEN") else {
            throw ValidationError("There is no token. Give --token, or set FERRY_TOKEN; `ferry token --help` says how.")
        }
        return APIClient(server: server ?? environment("FERRY_SERVER") ?? "http://127.0.0.1:8080", token: token)
    }
}

/// The job that a verb is about.
struct JobArgument: ParsableArguments {
    @Argument(help: "Id or display name of the job.")
    var job: String
}
