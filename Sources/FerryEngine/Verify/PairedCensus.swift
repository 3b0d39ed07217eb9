import FerryCore

/// What two sides have in one pair of containers, to be held against each other.
struct PairedCensus: Sendable {
    var service: ServiceKind
    /// As it is to be reported.
    var path: [String]
    /// What there should be.
    var source: Census
    /// What there is.
    var target: Census
    /// The container itself is there at the target.
    var isThere: Bool
    /// Others than Ferry put items there as a matter of course.
    var isShared = false
    /// Both are of the same side, at two times.
    var isOneSide = false
    /// What is at the target only counts even where nothing of the source is to be there; otherwise that is none of our
    /// business.
    var isExclusive = false
    var wording = DifferenceReport.Wording.sides
}

extension TransferVerification {
    /// Compares a pair and adds what comes out.
    /// - Parameters:
    ///   - limit: how many differences are spelled out in all.
    ///   - names: gives the names behind the hashes of a side, as many as are known.
    mutating func add<E: Error>(
        _ pair: PairedCensus, limit: Int,
        names: (_ source: Set<UInt64>, _ target: Set<UInt64>) async throws(E) -> [UInt64: String]
    ) async throws(E) {
        let comparison = CensusComparison(
            source: pair.source, target: pair.target, isShared: pair.isShared, isOneSide: pair.isOneSide)
        var container = ContainerResult(service: pair.service, path: pair.path)
        container.sourceItems = Int64(pair.source.records.count + pair.source.unlisted.count)
        container.targetItems = Int64(pair.target.records.count)
        container.identical = comparison.identical
        container.missing = Int64(comparison.missing.count)
        container.differing = Int64(comparison.otherContent.count + comparison.otherMetadata.count)
        container.skipped = comparison.skipped
        container.elsewhere = comparison.elsewhere
        container.foreign = comparison.foreign
        for problem in pair.source.unlisted {
            switch problem.excuse {
            case .none: container.missing += 1
            case .skipped: container.skipped += 1
            case .elsewhere: container.elsewhere += 1
            }
        }
        let isFilled = container.sourceItems > container.skipped + container.elsewhere
        let unexpected = pair.isExclusive || isFilled ? comparison.unexpected : []
        container.unexpected = Int64(unexpected.count)
        containers.append(container)
        bytesHashed += pair.source.bytesHashed + pair.target.bytesHashed

        var report = DifferenceReport(service: pair.service, path: pair.path, limit: limit, wording: pair.wording)
        if !pair.isThere { report.containerIsMissing() }
        if comparison.hasOtherOrder { report.orderDiffers() }
        for problem in pair.source.unlisted where problem.excuse == .none { report.isUnreadable(problem.name) }
        report.missing = comparison.missing
        report.otherMetadata = comparison.otherMetadata.map(\.source)
        report.otherContent = comparison.otherContent.map(\.source)
        report.unexpected = unexpected
        let room = max(0, limit - differences.count)
        let wanted = report.namesWanted(room)
        let found =
            wanted.source.isEmpty && wanted.target.isEmpty ? [:] : try await names(wanted.source, wanted.target)
        differences.append(contentsOf: report.differences(found).prefix(room))
        differenceCount += report.count
    }
}
