import ArgumentParser
import FerryAPI
import FerryConnector
import FerryCore
import FerryEngine
import FerryStore
import FoundationEssentials
import Logging

struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Compare both sides of a job, item by item, trusting nothing that the copier wrote.",
        discussion: """
            Lists source and target again and compares counts, sizes and hashes of everything that the job has \
            completed. Needs no server and may run beside one; changes nothing. Exit code 0 when both sides are the \
            same, 1 when not.

            Example: ferry verify --config ferry.yaml wave-1
            """)

    @OptionGroup var file: ConfigurationOption
    @OptionGroup var log: LogOption

    @Argument(help: "Id or display name of the job.")
    var job: String

    @Flag(help: "Print the result as JSON.")
    var json = false

    func run() async throws {
        let installation = try await Installation(
            try file.load(), purpose: .reading, logLevel: log.level(default: .warning))
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
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
            output.print(String(decoding: try encoder.encode(VerificationBody(verification)), as: UTF8.self))
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

    private func verify(_ installation: Installation) async throws -> JobVerification {
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
                samples: result.differences.map {
                    Difference(
                        code: $0.code.rawValue, service: $0.service.rawValue, path: $0.path, item: $0.item,
                        message: $0.message)
                })
        }
        notCompared = verification.unverifiable.map { run, finding in
            NotCompared(
                user: run.person.description, workload: run.workload.wireName, message: finding.message)
        }
    }
}
