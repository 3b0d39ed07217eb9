import ArgumentParser
import NIOSSL

/// Which server a verb speaks to, and as whom.
struct ServerOptions: ParsableArguments {
    @Option(help: "Address of the server. Default: FERRY_SERVER, else http://127.0.0.1:8080.")
    var server: String?

    @Option(help: "Bearer token; `ferry token` makes one. Default: FERRY_TOKEN.")
    var token: String?

    @Option(help: "PEM file with the certificates to trust besides the system's. Default: FERRY_CA.")
    var ca: String?

    @Flag(help: "Print what the server answered, byte for byte.")
    var json = false

    func client() throws -> APIClient {
        guard let token = token ?? environment("FERRY_TOKEN") else {
            throw ValidationError("There is no token. Give --token, or set FERRY_TOKEN; `ferry token --help` says how.")
        }
        return try client(token: token)
    }

    /// The given token of another tenant, or that of the environment.
    func backToken(_ token: String?) -> String? { token ?? environment("FERRY_BACK_TOKEN") }

    func client(token: String) throws -> APIClient {
        APIClient(
            server: server ?? environment("FERRY_SERVER") ?? "http://127.0.0.1:8080", token: token,
            tls: try (ca ?? environment("FERRY_CA")).map(Self.trust))
    }

    /// The system's trust and that in the file.
    private static func trust(_ file: String) throws -> TLSConfiguration {
        let bytes = try LocalFile.contents(of: file)
        guard let certificates = try? NIOSSLCertificate.fromPEMBytes(bytes), !certificates.isEmpty else {
            throw ValidationError("\(file) holds no certificate in PEM form. Give --ca the file of the authority.")
        }
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.additionalTrustRoots = [.certificates(certificates)]
        return configuration
    }
}

/// The job that a verb is about.
struct JobArgument: ParsableArguments {
    @Argument(help: "Id or display name of the job.")
    var job: String
}
