import FerryCore

/// Puts what a comparison found into words.
struct DifferenceReport {
    /// What is said of each kind of difference.
    struct Wording: Sendable {
        var containerMissing: String
        var orderDiffers: String
        var unreadable: String
        var missing: String
        var otherContent: String
        var otherMetadata: String
        var unexpected: String
    }

    private let service: ServiceKind
    private let path: [String]
    private let limit: Int
    private let wording: Wording
    private var aboutContainer: [TransferVerification.Difference] = []
    private var unreadable: Int64 = 0
    var missing: [Census.Record] = []
    var otherMetadata: [Census.Record] = []
    var otherContent: [Census.Record] = []
    var unexpected: [Census.Record] = []

    init(service: ServiceKind, path: [String], limit: Int, wording: Wording) {
        self.service = service
        self.path = path
        self.limit = limit
        self.wording = wording
    }

    var count: Int64 {
        unreadable + Int64(missing.count + otherMetadata.count + otherContent.count + unexpected.count)
    }

    mutating func containerIsMissing() {
        unreadable += 1
        note(.verifyMissing, "", wording.containerMissing)
    }

    mutating func orderDiffers() {
        unreadable += 1
        note(.verifyDiffers, "", wording.orderDiffers)
    }

    mutating func isUnreadable(_ name: String) {
        unreadable += 1
        note(.verifyMissing, name, wording.unreadable)
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
        add(missing, .verifyMissing, wording.missing)
        add(otherContent, .verifyDiffers, wording.otherContent)
        add(otherMetadata, .verifyDiffers, wording.otherMetadata)
        add(unexpected, .verifyUnexpected, wording.unexpected)
        return differences
    }

    private mutating func note(_ code: ErrorCode, _ item: String, _ message: String) {
        if aboutContainer.count < limit { aboutContainer.append(difference(code, item, message)) }
    }

    private func difference(_ code: ErrorCode, _ item: String, _ message: String) -> TransferVerification.Difference {
        TransferVerification.Difference(code: code, service: service, path: path, item: item, message: message)
    }
}

extension DifferenceReport.Wording {
    /// Of two sides that were just read.
    static let sides = Self(
        containerMissing: "The container is not there at the target.",
        orderDiffers: "All events are there, but they stand in another order at the target.",
        unreadable: "The source could not give it, so it cannot be compared.",
        missing: "The item is at the source and not at the target.",
        otherContent: "The item has other content at the target than it should have.",
        otherMetadata: "The content is the same on both sides, its flags, names or times are not.",
        unexpected: "The item is at the target and not at the source.")

    /// Of the two sides as a manifest has them.
    static let recorded = Self(
        containerMissing: "The container was not there at the target.",
        orderDiffers: "All events were there, but they stood in another order at the target.",
        unreadable: "The source could not give it, so it was not compared.",
        missing: "The item was at the source and not at the target.",
        otherContent: "The item had other content at the target than it should have had.",
        otherMetadata: "The content was the same on both sides, its flags, names or times were not.",
        unexpected: "The item was at the target and not at the source.")

    /// Of one side as a manifest has it, and as it is now.
    static let sinceThen = Self(
        containerMissing: "The container is gone since the manifest was made.",
        orderDiffers: "All events are there, but they stand in another order than when the manifest was made.",
        unreadable: "It could not be read when the manifest was made.",
        missing: "The item is gone since the manifest was made.",
        otherContent: "The item has other content than when the manifest was made.",
        otherMetadata: "The content is as it was when the manifest was made, the flags, names or times are not.",
        unexpected: "The item was not there when the manifest was made.")
}
