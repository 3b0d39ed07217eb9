import Glibc

/// One line of JSON on standard output: what a verb measured. Members keep their order.
struct Measurement {
    private var members: [String] = []

    mutating func add(_ name: String, _ value: Int64) { members.append("\"\(name)\":\(value)") }
    mutating func add(_ name: String, seconds: Duration) {
        let (whole, attoseconds) = seconds.components
        members.append("\"\(name)\":\(Double(whole) + Double(attoseconds) / 1e18)")
    }

    /// Adds the process's peak of resident memory so far, in kibibytes, and prints the line.
    consuming func finish() {
        add("peakKiB", Self.peak())
        print("{\(members.joined(separator: ","))}")
    }

    /// VmHWM of proc(5). getrusage(2) would do, but for what the process was before it became this program.
    private static func peak() -> Int64 {
        guard let file = fopen("/proc/self/status", "r") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, Int32(line.count), file) != nil {
            let words = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                .split { $0 == " " || $0 == "\t" }
            if words.first == "VmHWM:", words.count > 1 { return Int64(words[1]) ?? 0 }
        }
        return 0
    }

    /// User and system time of the whole process so far.
    static func processorTime() -> Duration {
        let usage = usage()
        return [usage.ru_utime, usage.ru_stime].reduce(.zero) {
            $0 + .seconds($1.tv_sec) + .microseconds($1.tv_usec)
        }
    }

    private static func usage() -> rusage {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage
    }
}

extension Array where Element: Comparable {
    /// The middle element, the upper one of two; `nil` of nothing.
    var median: Element? { isEmpty ? nil : sorted()[count / 2] }
}
