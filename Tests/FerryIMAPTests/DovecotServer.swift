import FerryTestKit
import Testing

/// A real Dovecot with links of every kind, by `Tests/servers/dovecot.sh`.
struct DovecotServer {
    let port: Int
    let tlsPort: Int
    /// The authority that signed the server's certificate.
    let authorities: String
    private let process: ServerProcess

    /// Cancels the test, and says so, where Dovecot is not installed.
    static func start() async throws -> DovecotServer {
        var tlsPort = 0
        do {
            let process = try await ServerProcess.start("dovecot") { spare in
                tlsPort = spare
                return ["--tls-port", "\(spare)", "--users", "4"]
            }
            return DovecotServer(
                port: process.port, tlsPort: tlsPort, authorities: process.directory + "/ca.pem", process: process)
        } catch let missing as ServerProcess.Missing {
            try Test.cancel("SKIPPED, no Dovecot here: \(missing)")
        }
    }

    /// Ends the server and removes what it wrote.
    func stop() { process.stop() }
}
