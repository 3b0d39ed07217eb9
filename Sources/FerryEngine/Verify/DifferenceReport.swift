import FerryCore

/// Puts what a comparison found into words.
struct DifferenceReport {
    private let service: ServiceKind
    private let path: [String]
    private let limit: Int
    private var aboutContainer: [TransferVerification.Difference] = []
    private var unreadable: Int64 = 0
    var missing: [Census.Record] = []
    var otherMetadata: [Census.Record] = []
    var otherContent: [Census.Record] = []
    var unexpected: [Census.Record] = []

    init(service: ServiceKind, path: [String], limit: Int) {
        self.service = service
        self.path = path
        self.limit = limit
    }

    var count: Int64 {
        unreadable + Int64(missing.count + otherMetadata.count + otherContent.count + unexpected.count)
    }

    mutating func containerIsMissing() {
        unreadable += 1
        note(.verifyMissing, "", "The container is not there at the target.")
    }

    mutating func orderDiffers() {
        unreadable += 1
        note(.verifyDiffers, "", "All events are there, but they stand in another order at the target.")
    }

    mutating func isUnreadable(_ name: String) {
        unreadable += 1
        note(.verifyMissing, name, "The source could not give it, so it cannot be compared.")
    }

    /// Hashes of the names that the first differences need, by side.
    func namesWanted(_ room: Int) -> (source: Set<UInt64>, target: Set<UInt64>) {
        let source = (missing + otherMetadata + otherContent).prefix(room)
        return (Set(source.map(\.name)), Set(unexpected.prefix(room).map(\.name)))
    }

    func differences(_ names: [UInt64: String]) -> [TransferVerification.Difference] {
        var differences = aboutContainer
        func add(_ records: [Census.Record], _ code: ErrorCode, _ message: String) {
            for record in records.prefix(max(0, limit - differences.count)) {
                differences.append(difference(code, names[record.name] ?? "", message))
            }
        }
        add(missing, .verifyMissing, "The item is at the source and not at the target.")
        add(otherContent, .verifyDiffers, "The item has other content at the target than it should have.")
        add(otherMetadata, .verifyDiffers, "The content is the same on both sides, its flags, names or times are not.")
        add(unexpected, .verifyUnexpected, "The item is at the target and not at the source.")
        return differences
    }

    private mutating func note(_ code: ErrorCode, _ item: String, _ message: String) {
        if aboutContainer.count < limit { aboutContainer.append(difference(code, item, message)) }
    }

    private func difference(_ code: ErrorCode, _ item: String, _ message: String) -> TransferVerification.Difference {
        TransferVerification.Difference(code: code, service: service, path: path, item: item, message: message)
    }
}
