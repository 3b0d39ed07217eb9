import Hummingbird
import NIOCore

/// What Hummingbird knows of a request besides the request.
struct ServerContext: InitializableFromSource {
    let channel: any Channel

    init(source: ApplicationRequestContextSource) { channel = source.channel }

    /// The connection carries other requests at the same time: this is a stream of HTTP/2, not a connection of HTTP/1.1,
    /// whose parent listens and has none itself.
    var isMultiplexed: Bool { channel.parent?.parent != nil }

    /// Closes the connection once the client had time to read the answer: for clients that are still sending what
    /// nobody will read. Closing at once would make the kernel throw the answer away.
    func closeSoon() {
        let channel = channel
        channel.eventLoop.scheduleTask(in: .seconds(2)) { channel.close(promise: nil) }
    }
}
