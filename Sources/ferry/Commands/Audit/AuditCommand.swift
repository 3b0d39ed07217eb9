import ArgumentParser
import FerryAPI
import FerryCore
import FerryFormats

struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Read and verify the audit trail: who did what, when, from where.",
        discussion: """
            Every tenant has a chain of records of its own, each one bound to the one before by a SHA-256. Read it from a \
            server (--server, --token, or FERRY_SERVER, FERRY_TOKEN), or from the store's file with --config.

            Keep a head elsewhere now and then. With it, `verify` also shows an end that was cut off and a chain that was \
            written anew:
              ferry audit head --config ferry.yaml >> /somewhere/else/heads.txt
              ferry audit verify --config ferry.yaml --anchors /somewhere/else/heads.txt

            \(ExitReason.help)
            """,
        subcommands: [ListAudit.self, VerifyAudit.self, HeadAudit.self])
}

struct ListAudit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Show records, oldest first; the newest 50 unless told otherwise.",
        discussion: """
            Examples:
              ferry audit list
              ferry audit list --from 2031-02-10 --to 2031-02-11 --json
              ferry audit list --config ferry.yaml --tenant Fabrikam --job 30000000-cccc-4000-8000-000000000001
            """)

    @OptionGroup var options: AuditOptions

    @Option(help: "Records of this time or later: RFC 3339 or a day.")
    var from: String?

    @Option(help: "Records before this time.")
    var to: String?

    @Option(help: "Records about this job; its id.")
    var job: String?

    @Option(help: "This many of the newest records.")
    var last: Int?

    @Flag(help: "One record per line as JSON, with everything that its digest covers.")
    var json = false

    func validate() throws {
        for date in [from, to].compactMap({ $0 }) where JobDate.instant(date, now: SystemEffects.now()) == nil {
            throw ValidationError("\(date.quoted) is no date. Write 2031-02-10T08:15:30Z or 2031-02-10.")
        }
        if let job, JobID(job) == nil { throw ValidationError("\(job.quoted) is no id of a job.") }
        if let last, last < 1 { throw ValidationError("--last begins with 1.") }
        if last != nil, from != nil || to != nil || job != nil {
            throw ValidationError("--last goes alone; --from, --to and --job choose by themselves.")
        }
    }

    func run() async throws {
        let terminal = Terminal.output
        let now = SystemEffects.now()
        try await options.read { source in
            for head in try await source.heads() {
                var query = AuditQuery(tenant: head.tenant)
                query.from = from.flatMap { JobDate.instant($0, now: now) }
                query.to = to.flatMap { JobDate.instant($0, now: now) }
                query.job = job.flatMap { JobID($0) }
                if from == nil, to == nil, job == nil { query.after = max(0, head.sequence - Int64(last ?? 50)) }
                var table = AuditText.table
                try await source.records(query) { records in
                    for record in records {
                        if json {
                            terminal.print(AuditText.json(record))
                        } else {
                            table.append(AuditText.row(record))
                        }
                    }
                }
                if json { continue }
                terminal.print(
                    terminal.style(.bold, source.name(of: head.tenant)) + ": \(Quantity.count(head.sequence)) records")
                for line in table.lines(style: terminal.style) { terminal.print(line) }
            }
        }
    }
}

struct HeadAudit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "head", abstract: "Print the end of each chain, to be kept where nobody changes it.",
        discussion: """
            One line per chain: tenant, number of the last record and its digest, separated by colons. Whoever keeps \
            such a line can prove later that nothing up to that record was removed or changed.
            """)

    @OptionGroup var options: AuditOptions

    func run() async throws {
        try await options.read { source in
            for head in try await source.heads() where head.sequence > 0 { Terminal.output.print(head.description) }
        }
    }
}

struct VerifyAudit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Recompute every chain and name the first record that is wrong.",
        discussion: """
            Without anchors it shows records that were changed, removed from the middle, moved or put in; with heads that \
            were kept elsewhere (`ferry audit head`) also an end that was cut off, and a chain that was written anew. \
            Exit code 0 when all is well, 1 when not.
            """)

    @OptionGroup var options: AuditOptions

    @Option(help: "A head that was kept; may be repeated.")
    var anchor: [String] = []

    @Option(help: "File of heads, one a line; empty lines and those with # are passed over. - is standard input.")
    var anchors: String?

    @Flag(help: "Print the result as JSON.")
    var json = false

    func validate() throws {
        for text in anchor where AuditHead(text) == nil {
            throw ValidationError("\(text.quoted) is no head. `ferry audit head` prints one.")
        }
    }

    func run() async throws {
        let anchors = try anchor.compactMap { AuditHead($0) } + file()
        let verdicts = try await options.read { source in
            var heads = try await source.heads()
            // A chain that an anchor names and that is gone is as much a finding as one that was cut.
            if case .store(_, nil, _) = source {
                for tenant in Set(anchors.map(\.tenant)) where !heads.contains(where: { $0.tenant == tenant }) {
                    heads.append(.beginning(of: tenant))
                }
            }
            var verdicts: [AuditVerdict] = []
            for head in heads {
                var verifier = AuditVerifier(tenant: head.tenant, anchors: anchors)
                var flaw: AuditVerifier.Flaw?
                do {
                    try await source.records(AuditQuery(tenant: head.tenant)) { records in
                        for record in records { try verifier.check(record) }
                    }
                    try verifier.end()
                } catch let error as AuditVerifier.Flaw {
                    flaw = error
                }
                verdicts.append(AuditVerdict(name: source.name(of: head.tenant), head: verifier.head, flaw: flaw))
            }
            return verdicts
        }
        let terminal = Terminal.output
        for verdict in verdicts { terminal.print(json ? verdict.json : verdict.line(style: terminal.style)) }
        if verdicts.contains(where: { $0.flaw != nil }) { throw ExitCode(ExitReason.failed.rawValue) }
    }

    private func file() throws -> [AuditHead] {
        guard let anchors else { return [] }
        let text: String
        do throws(SystemFailure) {
            text = String(decoding: try LocalFile.contents(of: anchors), as: UTF8.self)
        } catch {
            throw Complaint("Cannot read the anchors: \(error)", status: .usage)
        }
        var heads: [AuditHead] = []
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = String(line).trimmed
            if line.isEmpty || line.hasPrefix("#") { continue }
            guard let head = AuditHead(line) else {
                throw Complaint("\(anchors), line \(number + 1): this is no head of a chain.", status: .usage)
            }
            heads.append(head)
        }
        return heads
    }
}
