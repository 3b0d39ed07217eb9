import FerryCore
import ServiceLifecycle

/// Asks the servers of a directory again, each at its interval, and all of them when somebody says that something changed.
struct DirectoryWatch: Service {
    /// At most, after a server did not answer.
    private static let retry = Duration.seconds(60)

    let directory: LiveDirectory
    /// An element each time somebody wants them asked now.
    let hints: AsyncStream<Void>
    let clock: any Clock<Duration>

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask(name: "directory hints") {
                    for await _ in hints {
                        for server in directory.servers { await directory.refresh(server) }
                    }
                }
                for server in directory.servers {
                    group.addTask(name: "directory of \(server.name)") { await watch(server) }
                }
            }
        }
    }

    private func watch(_ server: LiveDirectory.Server) async {
        var pause = server.source.refresh
        while !Task.isCancelled {
            do { try await clock.sleep(for: pause) } catch { return }
            let answered = await directory.refresh(server)
            pause = answered ? server.source.refresh : min(server.source.refresh, Self.retry)
        }
    }
}
