package import Logging
import NIOPosix
import ServiceLifecycle

/// Takes a new certificate into use when its files change, or when somebody says that they did. New connections get it;
/// nothing is restarted. A pair that cannot be used changes nothing but the log.
package struct CertificateWatch: Service {
    private let certificate: ServerCertificate
    private let hints: AsyncStream<Void>
    private let interval: Duration
    private let clock: any Clock<Duration>
    private let logger: Logger

    /// - Parameters:
    ///   - hints: an element each time somebody wants the files read now.
    ///   - interval: time between two looks at the files.
    package init(
        _ certificate: ServerCertificate, hints: AsyncStream<Void>, interval: Duration = .seconds(10),
        clock: any Clock<Duration>, logger: Logger
    ) {
        self.certificate = certificate
        self.hints = hints
        self.interval = interval
        self.clock = clock
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask(name: "certificate hints") {
                    for await _ in hints { await look(asked: true) }
                }
                group.addTask(name: "certificate files") {
                    // What was said about a broken pair once is not said again every few seconds.
                    var said: CertificateError?
                    while !Task.isCancelled {
                        do { try await clock.sleep(for: interval) } catch { return }
                        said = await look(asked: false, saidBefore: said)
                    }
                }
            }
        }
    }

    /// Gives what is wrong with the files now.
    @discardableResult
    private func look(asked: Bool, saidBefore: CertificateError? = nil) async -> CertificateError? {
        let outcome = try? await NIOThreadPool.singleton.runIfActive { [certificate] in
            Result { () throws(CertificateError) in try certificate.reload() }
        }
        switch outcome {
        case .success(let isNew):
            if isNew || asked {
                logger.notice(
                    isNew ? "TLS certificate taken into use" : "TLS certificate is unchanged",
                    metadata: ["file": "\(certificate.files.certificate)", "expires": "\(certificate.expiry)"])
            }
            return nil
        case .failure(let error):
            if error != saidBefore {
                logger.error(
                    "TLS certificate not replaced, the old one stays in use", metadata: ["reason": "\(error)"])
            }
            return error
        case nil: return saidBefore
        }
    }
}
