import ArgumentParser
import Glibc

/// A Maildir of messages that are all of one size and all different, the same for the same arguments.
struct MakeMailbox: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Make a Maildir with messages of a size.")

    @Option(help: "How many messages.") var messages: Int
    @Option(help: "Bytes of each message, at least 256.") var bytes: Int = 10_240
    @Argument(help: "The Maildir, made if it is absent.") var directory: String

    func run() throws {
        for folder in ["", "/cur", "/new", "/tmp"] { try makeDirectory(directory + folder) }
        for number in 0..<messages {
            // Delivered one a minute; most are read, as in a mailbox that somebody uses.
            let seconds = 1_500_000_000 + number * 60
            let flags = number % 10 == 0 ? "" : number % 7 == 0 ? "RS" : "S"
            try Self.write(
                message(number, seconds: seconds),
                to: "\(directory)/cur/\(seconds).M\(number)P1.bench,S=\(bytes):2,\(flags)", modified: seconds)
        }
    }

    private func message(_ number: Int, seconds: Int) -> [UInt8] {
        var text = Array(
            """
            From: Sender \(number % 97) <sender\(number % 97)@north.example>\r
            To: person1@north.example\r
            Subject: Message \(number)\r
            Message-ID: <\(number).\(seconds)@bench.example>\r
            MIME-Version: 1.0\r
            Content-Type: text/plain; charset=utf-8\r
            \r\n
            """.utf8)
        var state = UInt64(number) &* 0x9E37_79B9_7F4A_7C15 | 1
        while text.count < bytes - 2 {
            let column = text.count % 78
            if column == 76 && text.count < bytes - 4 {
                text += [13, 10]
            } else {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                text.append(UInt8(ascii: "a") + UInt8(state >> 59) % 26)
            }
        }
        return text + [13, 10]
    }

    static func write(_ content: [UInt8], to path: String, modified seconds: Int) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw ValidationError("cannot write \(path)") }
        defer { close(descriptor) }
        guard Glibc.write(descriptor, content, content.count) == content.count else {
            throw ValidationError("cannot write \(path)")
        }
        futimens(descriptor, [timespec(tv_sec: seconds, tv_nsec: 0), timespec(tv_sec: seconds, tv_nsec: 0)])
    }
}

/// Makes a directory; one that is there already is fine.
func makeDirectory(_ path: String) throws {
    guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw ValidationError("cannot make the directory \(path)") }
}

/// A file without holes, to be carried as one item.
struct MakeFile: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Make one file of a size, without holes.")

    @Option(help: "Size in bytes.") var bytes: Int
    @Argument(help: "The file.") var file: String

    func run() throws {
        let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw ValidationError("cannot write \(file)") }
        defer { close(descriptor) }
        let block = (0..<(1 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        var left = bytes
        while left > 0 {
            let count = Glibc.write(descriptor, block, min(left, block.count))
            guard count > 0 else { throw ValidationError("cannot write \(file)") }
            left -= count
        }
    }
}
