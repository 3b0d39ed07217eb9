/// How a session behaves; the defaults suit a copy over the internet.
package struct SessionOptions: Sendable, Hashable {
    /// From the first packet to the end of authentication.
    package var connectTimeout: Duration = .seconds(30)
    /// How long the server may be silent while commands are in flight and Ferry is reading.
    package var responseTimeout: Duration = .seconds(120)
    /// After this long without a command a NOOP is sent, so that the server (30 minutes, RFC 9051 section 5.4) and the
    /// boxes on the way keep the connection. `nil`: never.
    package var keepalive: Duration? = .seconds(300)
    /// Bytes of bodies that wait for their reader before the socket is no longer read. Memory per session stays near
    /// this and one socket read (256 KiB).
    package var readAheadBytes = 1 << 20
    /// Bytes that wait to be sent before `MessageAppender.write` waits.
    package var writeAheadBytes = 512 << 10
    /// Longest command line that is sent, in bytes. Dovecot refuses 200 kB (60 kB is well), Cyrus closes.
    package var commandLineBytes = 16 << 10
    /// Ask for COMPRESS=DEFLATE (RFC 4978) where it is offered. Costs much CPU; pays on slow links.
    package var compress = false
    /// Enable QRESYNC (RFC 7162) where it is offered, so that VANISHED replaces EXPUNGE.
    package var enableQResync = true
    /// Enable UTF8=ACCEPT (RFC 6855) where it is offered.
    package var enableUTF8 = true

    package init() {}
}
