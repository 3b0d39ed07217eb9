import FerryConnector
import FerryCore
package import FerryStore
package import Logging

/// Compares both sides of a transfer from the ground up (law 6): lists them again, reads every content and compares
/// digests. Of what the copier wrote down it believes only why an item is *not* at the target.
package struct Verifier: Sendable {
    private let store: any Store
    private let settings: CopySettings
    private let differenceLimit: Int
    private let logger: Logger

    /// `differenceLimit` is how many differences are spelled out; all of them are counted.
    package init(
        store: any Store, settings: CopySettings = CopySettings(), differenceLimit: Int = 1000, logger: Logger
    ) {
        self.store = store
        self.settings = settings
        self.differenceLimit = differenceLimit
        self.logger = logger
    }

    /// Compares all legs. Changes nothing on either side; people who work meanwhile show up as differences.
    package func verify(_ transfer: Transfer) async throws(WorkError) -> TransferVerification {
        var result = TransferVerification()
        for leg in transfer.legs { try await verify(leg, of: transfer, into: &result) }
        logger.debug(
            "Both sides are compared",
            metadata: [
                "job": "\(transfer.run.job)", "person": "\(transfer.run.person)",
                "workload": "\(transfer.run.workload.rawValue)", "differences": "\(result.differenceCount)",
                "bytes": "\(result.bytesHashed)",
            ])
        return result
    }

    private func verify(
        _ leg: Transfer.Leg, of transfer: Transfer, into result: inout TransferVerification
    ) async throws(WorkError) {
        guard let source = try await open(leg.source, leg.sourceAccount) else { return }
        let target: (any SourceSession)?
        do throws(WorkError) {
            target = try await open(leg.target, leg.targetAccount)
        } catch {
            await source.close()
            throw error
        }
        let failure = await compare(source, target, leg, transfer, &result)
        await source.close()
        await target?.close()
        if let failure { throw failure }
    }

    /// `nil` when the person has nothing at the service.
    private func open(_ connector: any Connector, _ account: Account) async throws(WorkError) -> (any SourceSession)? {
        do throws(ConnectorError) {
            return try await connector.source(for: account)
        } catch {
            if error.code == .sourceNotFound { return nil }
            throw .connector(error)
        }
    }

    private func compare(
        _ source: any SourceSession, _ target: (any SourceSession)?, _ leg: Transfer.Leg, _ transfer: Transfer,
        _ result: inout TransferVerification
    ) async -> WorkError? {
        do throws(WorkError) {
            let here = try await containers(source)
            var opposite: [Container] = []
            if let target { opposite = try await containers(target) }
            let there = Dictionary(grouping: opposite, by: \.path)
            let sources = Dictionary(grouping: here) { leg.target.counterpart(of: $0, among: opposite) }
            var seen: Set<[String]> = []
            for container in here {
                let path = leg.target.counterpart(of: container, among: opposite)
                guard seen.insert(path).inserted else { continue }
                let pair = ContainerPair(
                    leg: leg, transfer: transfer, path: container.path, source: sources[path] ?? [],
                    target: there[path] ?? [])
                try await compare(pair, source, target, &result)
            }
            return nil
        } catch {
            return error
        }
    }

    private func containers(_ session: any SourceSession) async throws(WorkError) -> [Container] {
        do throws(ConnectorError) { return try await session.containers() } catch { throw .connector(error) }
    }

    /// All containers that belong to one path of the target; more than one where a service lets people give a name
    /// twice, or where the target has one place for them.
    private struct ContainerPair: Sendable {
        var leg: Transfer.Leg
        var transfer: Transfer
        /// Of the first of the source's.
        var path: [String]
        var source: [Container]
        var target: [Container]
    }

    private func compare(
        _ pair: ContainerPair, _ source: any SourceSession, _ target: (any SourceSession)?,
        _ result: inout TransferVerification
    ) async throws(WorkError) {
        let rewriter = Rewriter(pair.transfer)
        let (store, transfer, service) = (store, pair.transfer, pair.leg.service)
        let reading = CensusTaker(
            session: source,
            side: .source { (container) async throws(WorkError) in
                do throws(StoreError) {
                    return try await store.reader.ledger(transfer.route, LegPass.id(of: container, transfer, service))
                } catch {
                    throw .store(error)
                }
            }, rewriter: rewriter, objectLimit: settings.maximumObjectBytes)
        let checking = target.map {
            CensusTaker(
                session: $0, side: .target(owner: pair.leg.targetAccount.person), rewriter: rewriter,
                objectLimit: settings.maximumObjectBytes)
        }
        async let left = reading.take(pair.source)
        async let right = checking?.take(pair.target) ?? .success(Census())
        let (here, there) = (try await left.get(), try await right.get())
        let comparison = CensusComparison(source: here, target: there, isShared: service == .mail)

        var container = TransferVerification.ContainerResult(service: service, path: pair.path)
        container.sourceItems = Int64(here.records.count + here.unlisted.count)
        container.targetItems = Int64(there.records.count)
        container.identical = comparison.identical
        container.missing = Int64(comparison.missing.count)
        container.differing = Int64(comparison.otherContent.count + comparison.otherMetadata.count)
        container.skipped = comparison.skipped
        container.elsewhere = comparison.elsewhere
        container.foreign = comparison.foreign
        for problem in here.unlisted {
            switch problem.excuse {
            case .none: container.missing += 1
            case .skipped: container.skipped += 1
            case .elsewhere: container.elsewhere += 1
            }
        }
        // What stands in a container that nothing was moved into is none of our business.
        let isFilled = container.sourceItems > container.skipped + container.elsewhere
        container.unexpected = isFilled ? Int64(comparison.unexpected.count) : 0
        result.containers.append(container)
        result.bytesHashed += here.bytesHashed + there.bytesHashed

        var report = DifferenceReport(service: service, path: pair.path, limit: differenceLimit)
        if pair.target.isEmpty { report.containerIsMissing() }
        if comparison.hasOtherOrder { report.orderDiffers() }
        for problem in here.unlisted where problem.excuse == .none { report.isUnreadable(problem.name) }
        report.missing = comparison.missing
        report.otherMetadata = comparison.otherMetadata.map(\.source)
        report.otherContent = comparison.otherContent.map(\.source)
        report.unexpected = isFilled ? comparison.unexpected : []
        let room = max(0, differenceLimit - result.differences.count)
        let wanted = report.namesWanted(room)
        let names = try await reading.names(wanted.source, in: pair.source)
            .merging(try await checking?.names(wanted.target, in: pair.target) ?? [:]) { first, _ in first }
        result.differences.append(contentsOf: report.differences(names).prefix(room))
        result.differenceCount += report.count
    }
}
