import Hummingbird
import NIOCore

/// What Hummingbird knows of a request besides the request.
struct ServerContext: InitializableFromSource {
    let channel: any Channel

    init(source: ApplicationRequestContextSource) { channel = source.channel }

    /// Closes the connection once the client had time to read the answer: for clients that are still sending what
    /// nobody will read. Closing at once would make the kernel throw the answer away.
    func closeSoon() {
        let channel = channel
        channel.eventLoop.scheduleTask(in: .seconds(2)) { channel.close(promise: nil) }
    }
}
