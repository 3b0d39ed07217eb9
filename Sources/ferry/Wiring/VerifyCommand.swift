import ArgumentParser
import FerryAPI
import FerryConnector
import FerryCore
import FerryEngine
import FerryFormats
import FerryStore
import FoundationEssentials
import Logging

struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Compare both sides of a job, item by item, trusting nothing that the copier wrote.",
        discussion: """
            Of a job: lists source and target again and compares counts, sizes and hashes of everything that the job has \
            completed. Needs no server and may run beside one; changes nothing.

            Of a manifest, which every finished job leaves: checks the signature, every line, and whether both sides were \
            the same; with --config also whether they are now as they were then, and names every item that is not. Needs \
            neither server nor store. The public key is --key, or the one that the configuration names.

            Examples:
              ferry verify --config ferry.yaml wave-1
              ferry verify --manifest wave-1.jsonl --key manifest.key.pub
              ferry verify --manifest wave-1.jsonl --config ferry.yaml --side target --allow-new

            Exit code 0 when all is the same, 1 when not, and when the manifest is not to be believed.
            """)

    @Option(help: "The configuration; ferry.yaml unless a manifest is checked alone.")
    var config: String?

    @OptionGroup var log: LogOption

    @Argument(help: "Id or display name of the job.")
    var job: String?

    @Option(help: "A manifest to check, instead of a job. - is not possible: it is read more than once.")
    var manifest: String?

    @Option(help: "The public key that the manifest is to be signed with.")
    var key: String?

    @Option(help: "Which side to compare with the manifest as it is now: source, target or both.")
    var side = Sides.both

    @Flag(help: "Items that came after the manifest are no difference: people work on.")
    var allowNew = false

    @Flag(help: "Print the result as JSON.")
    var json = false

    enum Sides: String, ExpressibleByArgument, CaseIterable {
        case source, target, both
    }

    func validate() throws {
        switch (job, manifest) {
        case (nil, nil): throw ValidationError("Name a job, or a manifest with --manifest.")
        case (.some, .some): throw ValidationError("Name a job or a manifest, not both.")
        case (.some, nil) where key != nil || side != .both || allowNew:
            throw ValidationError("--key, --side and --allow-new belong to --manifest.")
        case (nil, .some) where key == nil && config == nil:
            throw ValidationError(
                "Give the public key with --key, or --config to read it, and both sides, from there.")
        default: break
        }
    }

    func run() async throws {
        if let manifest { return try await check(manifest) }
        let installation = try await Installation(
            try ConfigurationFile.load(config ?? "ferry.yaml"), purpose: .reading,
            logLevel: log.level(default: .warning))
        let verification: JobVerification
        do {
            verification = try await verify(installation)
        } catch {
            await installation.store.close()
            throw error
        }
        await installation.store.close()
        let text = VerificationText(verification: verification)
        let output = Terminal.output
        if json {
            output.print(try JSONText.encoded(VerificationBody(verification)))
        } else {
            for line in text.table().lines(style: output.style) { output.print(line) }
            for line in text.differences() { output.print(line) }
            output.print(
                verification.transfers.isEmpty
                    ? "Nothing of this job is completed yet."
                    : verification.isIdentical
                        ? output.style(.green, "Both sides are the same.")
                        : output.style(.red, "\(Quantity.count(text.differenceCount)) differences."))
        }
        if !verification.isIdentical || verification.transfers.isEmpty { throw ExitCode(ExitReason.failed.rawValue) }
    }

    // MARK: a manifest

    private func check(_ path: String) async throws {
        let configuration = try config.map { (path) throws(ConfigurationFailure) in try ConfigurationFile.load(path) }
        let publicKey: ManifestPublicKey
        if let key {
            publicKey = try ManifestKeyFile.publicKey(key)
        } else if let place = configuration?.manifests?.key {
            publicKey = try ManifestKeyFile.publicKey(ManifestKeyFile.publicPath(place))
        } else {
            throw Complaint(
                "The configuration makes no manifests, so it has no key for them. Give one with --key.", status: .usage)
        }
        guard let reader = try FileReader(path) else {
            throw Complaint("There is no file \(path).", status: .usage)
        }
        let file: ManifestFile
        do throws(ManifestProblem) {
            file = try await ManifestFile(ManifestFileInput(file: reader), key: publicKey)
        } catch {
            throw Complaint("\(path): \(error)")
        }
        let report = try await compare(file, configuration)
        let output = Terminal.output
        if json {
            output.print(try JSONText.encoded(report.body))
        } else {
            for line in report.lines(style: output.style) { output.print(line) }
        }
        if !report.isGood { throw ExitCode(ExitReason.failed.rawValue) }
    }

    private func compare(_ file: ManifestFile, _ configuration: Configuration?) async throws -> ManifestReport {
        var checker: ManifestChecker?
        if let configuration {
            let logger = Logger(label: "ferry") { LogfmtHandler(label: $0, level: .error) }
            checker = ManifestChecker(
                directory: try await LiveDirectory.openAll(configuration, logger: logger),
                connections: ConnectionTable(configuration, now: SystemEffects.now))
        }
        var comparisons: [ManifestChecker.Comparison] = [.recorded]
        if checker != nil, side != .target { comparisons.append(.source) }
        if checker != nil, side != .source { comparisons.append(.target) }
        var report = ManifestReport(statement: file.statement, comparisons: comparisons, allowsNew: allowNew)
        for section in file.sections {
            for comparison in comparisons {
                do throws(ManifestProblem) {
                    let outcome: ManifestChecker.Outcome =
                        if let checker {
                            try await checker.compare(section, of: file, comparison)
                        } else {
                            .compared(try await ManifestChecker.recorded(section, of: file))
                        }
                    report.add(section.head, comparison, outcome)
                } catch {
                    throw Complaint("\(error)")
                }
            }
        }
        return report
    }

    // MARK: a job

    private func verify(_ installation: Installation) async throws -> JobVerification {
        let job = job ?? ""
        for tenant in installation.configuration.tenants {
            if let found = try await installation.store.reader.job(.key(job), in: tenant.id) {
                return try await installation.verify(found)
            }
        }
        throw Complaint("The store has no job \(job.quoted).", status: .refused)
    }
}

extension Installation {
    /// Runs the verifier; its errors as complaints.
    func verify(_ job: Job) async throws -> JobVerification {
        do throws(WorkError) {
            return try await engine.verify(job)
        } catch {
            switch error {
            case .connector(let error): throw Complaint("\(error.code.rawValue): \(error.context)")
            case .store(let error): throw Complaint("The store: \(Complaint.words(for: error)).")
            case .withdrawn(let finding): throw Complaint("\(finding.code.rawValue): \(finding.message)")
            }
        }
    }
}

/// The verifier's result for machines.
struct VerificationBody: Encodable {
    struct Run: Encodable {
        var user: String
        var workload: String
        var isIdentical: Bool
        var bytesHashed: Int64
        var differences: Int64
        var containers: [Container]
        var samples: [Difference]
    }

    struct Container: Encodable {
        var service: String
        var path: [String]
        var sourceItems: Int64
        var targetItems: Int64
        var identical: Int64
        var missing: Int64
        var unexpected: Int64
        var differing: Int64
        var skipped: Int64
        var elsewhere: Int64
        var foreign: Int64
    }

    struct Difference: Encodable {
        var code: String
        var service: String
        var path: [String]
        var item: String
        var message: String

        init(_ difference: TransferVerification.Difference) {
            code = difference.code.rawValue
            service = difference.service.rawValue
            path = difference.path
            item = difference.item
            message = difference.message
        }
    }

    struct NotCompared: Encodable {
        var user: String
        var workload: String
        var message: String
    }

    var job: String
    var isIdentical: Bool
    var runs: [Run]
    var notCompared: [NotCompared]

    init(_ verification: JobVerification) {
        job = verification.job.description
        isIdentical = verification.isIdentical
        runs = verification.transfers.map { run, result in
            Run(
                user: run.person.description, workload: run.workload.wireName, isIdentical: result.isIdentical,
                bytesHashed: result.bytesHashed, differences: result.differenceCount,
                containers: result.containers.map {
                    Container(
                        service: $0.service.rawValue, path: $0.path, sourceItems: $0.sourceItems,
                        targetItems: $0.targetItems,
                        identical: $0.identical, missing: $0.missing, unexpected: $0.unexpected,
                        differing: $0.differing,
                        skipped: $0.skipped, elsewhere: $0.elsewhere, foreign: $0.foreign)
                },
                samples: result.differences.map(Difference.init))
        }
        notCompared = verification.unverifiable.map { run, finding in
            NotCompared(
                user: run.person.description, workload: run.workload.wireName, message: finding.message)
        }
    }
}
