import Glibc

/// One of the standard streams: what it can show, and writing to it without a buffer that a crash would lose.
struct Terminal: Sendable {
    let descriptor: Int32
    /// A person looks at it, not a pipe or a file.
    let isInteractive: Bool
    /// The locale can show more than ASCII.
    let isUnicode: Bool
    let style: Style

    static let output = Terminal(descriptor: STDOUT_FILENO)
    static let errors = Terminal(descriptor: STDERR_FILENO)

    private init(descriptor: Int32) {
        self.descriptor = descriptor
        let isTerminal = isatty(descriptor) == 1
        isInteractive = isTerminal && environment("TERM") != "dumb"
        // The first of these that is set and not empty decides (POSIX XBD 8.2).
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap(environment).first ?? ""
        isUnicode = locale.uppercased().contains("UTF-8") || locale.uppercased().contains("UTF8")
        // https://no-color.org: any value that is not empty turns colours off.
        style = Style(isEnabled: isInteractive && environment("NO_COLOR") == nil)
    }

    /// Columns now; 80 where nobody knows, wider for pipes so that nothing is cut.
    var columns: Int {
        var size = winsize()
        if ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 { return Int(size.ws_col) }
        return environment("COLUMNS").flatMap(Int.init) ?? (isInteractive ? 80 : 120)
    }

    func print(_ line: String = "") { write(line + "\n") }

    /// Writes everything, in one system call where the kernel takes it. Gives up silently when nobody reads any more.
    func write(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            var offset = 0
            while offset < bytes.count {
                let count = Glibc.write(descriptor, bytes.baseAddress.map { $0 + offset }, bytes.count - offset)
                if count > 0 {
                    offset += count
                } else if errno != EINTR && errno != EAGAIN {
                    return
                }
            }
        }
    }
}

/// A variable of the environment; `nil` when it is not set or empty.
func environment(_ name: String) -> String? {
    guard let value = getenv(name) else { return nil }
    let text = String(cString: value)
    return text.isEmpty ? nil : text
}
