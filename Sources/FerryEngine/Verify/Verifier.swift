import FerryConnector
package import FerryCore
package import FerryStore
package import Logging

/// Compares both sides of a transfer from the ground up (law 6): lists them again, reads every content and compares
/// digests. Of what the copier wrote down it believes only why an item is *not* at the target.
package struct Verifier: Sendable {
    private let store: any Store
    private let settings: CopySettings
    private let differenceLimit: Int
    private let records: Records?
    private let logger: Logger

    /// Where a comparison is written down that lets a cutover go on.
    package struct Records: Sendable {
        package var archive: any ManifestArchive
        /// Wall clock, UTC.
        package var now: @Sendable () -> Instant

        package init(archive: any ManifestArchive, now: @escaping @Sendable () -> Instant) {
            self.archive = archive
            self.now = now
        }
    }

    /// `differenceLimit` is how many differences are spelled out; all of them are counted.
    package init(
        store: any Store, settings: CopySettings = CopySettings(), differenceLimit: Int = 1000,
        records: Records? = nil, logger: Logger
    ) {
        self.store = store
        self.settings = settings
        self.differenceLimit = differenceLimit
        self.records = records
        self.logger = logger
    }

    /// Compares all legs. Changes nothing on either side; people who work meanwhile show up as differences.
    ///
    /// What was seen is durable in the archive when it returns, if the cutover may go on with it.
    /// - Parameters:
    ///   - places: looks at no others; such a comparison is not written down. `nil`: everything.
    ///   - isRehearsal: nothing is written down.
    package func verify(
        _ transfer: Transfer, only places: Set<ContainerPlace>? = nil, isRehearsal: Bool = false
    ) async throws(WorkError) -> TransferVerification {
        guard let records, places == nil, !isRehearsal else { return try await compare(transfer, nil, only: places) }
        let recorder: RunRecorder
        do throws(StoreError) {
            recorder = try await RunRecorder(transfer, in: records.archive)
        } catch {
            throw .store(error)
        }
        let result: TransferVerification
        do throws(WorkError) {
            result = try await compare(transfer, recorder)
        } catch {
            await recorder.discard()
            throw error
        }
        do throws(StoreError) {
            // A cutover also goes through with messages that the target's server has altered.
            if result.isIdentical || result.alteredMessages > 0 {
                try await recorder.keep(result, at: records.now())
            }
        } catch {
            await recorder.discard()
            throw .store(error)
        }
        await recorder.discard()
        return result
    }

    private func compare(
        _ transfer: Transfer, _ recorder: RunRecorder?, only places: Set<ContainerPlace>? = nil
    ) async throws(WorkError) -> TransferVerification {
        var result = TransferVerification()
        for leg in transfer.legs where places?.contains(where: { $0.service == leg.service }) ?? true {
            try await verify(leg, of: transfer, recorder, only: places, into: &result)
        }
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
        _ leg: Transfer.Leg, of transfer: Transfer, _ recorder: RunRecorder?, only places: Set<ContainerPlace>?,
        into result: inout TransferVerification
    ) async throws(WorkError) {
        if leg.target.rewritesObjects { result.rewriting.insert(leg.service) }
        guard let source = try await open(leg.source, leg.sourceAccount) else { return }
        let target: (any SourceSession)?
        do throws(WorkError) {
            target = try await open(leg.target, leg.targetAccount)
        } catch {
            await source.close()
            throw error
        }
        let failure = await compare(source, target, leg, transfer, recorder, only: places, &result)
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
        _ recorder: RunRecorder?, only places: Set<ContainerPlace>?, _ result: inout TransferVerification
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
                    leg: leg, transfer: transfer, path: container.path, counterpart: path,
                    source: sources[path] ?? [], target: there[path] ?? [])
                let isWanted = places.map { places in
                    pair.source.contains { places.contains(ContainerPlace(service: leg.service, path: $0.path)) }
                }
                guard isWanted ?? true else { continue }
                try await compare(pair, source, target, recorder, &result)
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
        /// At the target.
        var counterpart: [String]
        var source: [Container]
        var target: [Container]

        func record(_ recorder: SideRecorder?) -> CensusTaker.Record? {
            recorder.map { CensusTaker.Record(recorder: $0, service: leg.service, counterpart: counterpart) }
        }
    }

    private func compare(
        _ pair: ContainerPair, _ source: any SourceSession, _ target: (any SourceSession)?, _ recorder: RunRecorder?,
        _ result: inout TransferVerification
    ) async throws(WorkError) {
        let rewriter = Rewriter(pair.transfer)
        let (store, transfer, service) = (store, pair.transfer, pair.leg.service)
        let comparesFileMetadata = pair.leg.source.keepsFileMetadata && pair.leg.target.keepsFileMetadata
        var reading = CensusTaker(
            session: source,
            side: .source { (container) async throws(WorkError) in
                do throws(StoreError) {
                    return try await store.reader.ledger(transfer.route, LegPass.id(of: container, transfer, service))
                } catch {
                    throw .store(error)
                }
            }, rewriter: rewriter, objectLimit: settings.maximumObjectBytes,
            record: pair.record(recorder?.source))
        let comparesMeaning = pair.leg.source.rewritesObjects || pair.leg.target.rewritesObjects
        reading.comparesFileMetadata = comparesFileMetadata
        reading.comparesMeaning = comparesMeaning
        let checking = target.map {
            var taker = CensusTaker(
                session: $0, side: .target(owner: pair.leg.targetAccount.person), rewriter: rewriter,
                objectLimit: settings.maximumObjectBytes, record: pair.record(recorder?.target))
            taker.comparesFileMetadata = comparesFileMetadata
            taker.comparesMeaning = comparesMeaning
            return taker
        }
        async let left = reading.take(pair.source)
        async let right = checking?.take(pair.target) ?? .success(Census())
        let (here, there) = (try await left.get(), try await right.get())
        try await result.add(
            PairedCensus(
                service: service, path: pair.path, source: here, target: there, isThere: !pair.target.isEmpty,
                isShared: service == .mail),
            limit: differenceLimit
        ) { (source, target) async throws(WorkError) in
            try await reading.names(source, in: pair.source)
                .merging(try await checking?.names(target, in: pair.target) ?? [:]) { first, _ in first }
        }
    }
}
