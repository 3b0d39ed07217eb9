/// What moving one workload of one person would come to, as a dry run saw it. Stored as it is encoded here.
package struct Forecast: Sendable, Hashable, Codable {
    /// How many items, and of what size together.
    package struct Amount: Sendable, Hashable, Codable {
        package var items: Int64 = 0
        /// Of contents, as the source has them.
        package var bytes: Int64 = 0

        package init(items: Int64 = 0, bytes: Int64 = 0) {
            self.items = items
            self.bytes = bytes
        }

        package mutating func add(_ bytes: Int64) {
            items += 1
            self.bytes += bytes
        }

        package static func + (left: Amount, right: Amount) -> Amount {
            Amount(items: left.items + right.items, bytes: left.bytes + right.bytes)
        }
    }

    /// One service of the workload. Every listed item counts in exactly one of the other amounts.
    package struct Share: Sendable, Hashable, Codable {
        package var service: ServiceKind
        package var containers: Int64 = 0
        package var listed = Amount()
        /// At the target already, as it is at the source.
        package var copied = Amount()
        /// Would be written to the target.
        package var due = Amount()
        /// Another workload of the person takes care of it.
        package var elsewhere = Amount()
        package var skipped = Amount()
        /// Free room at the target, where that says it.
        package var roomBytes: Int64?

        package init(_ service: ServiceKind) { self.service = service }

        /// Sums up; the room is not summed.
        package mutating func add(_ other: Share) {
            containers += other.containers
            listed = listed + other.listed
            copied = copied + other.copied
            due = due + other.due
            elsewhere = elsewhere + other.elsewhere
            skipped = skipped + other.skipped
        }
    }

    /// How many items would be skipped for one reason.
    package struct Skip: Sendable, Hashable, Codable {
        package var code: ErrorCode
        package var count: Int64
        package var bytes: Int64

        package init(code: ErrorCode, count: Int64 = 0, bytes: Int64 = 0) {
            self.code = code
            self.count = count
            self.bytes = bytes
        }

        package mutating func add(_ other: Skip) {
            count += other.count
            bytes += other.bytes
        }
    }

    /// One thing that would be skipped or called otherwise, and where it is.
    package struct Place: Sendable, Hashable, Codable {
        package var service: ServiceKind
        /// Names from the top level down, with `/` between them.
        package var container: String
        /// The source's name of the item; empty for the container as a whole.
        package var item: String
        package var code: ErrorCode
        package var message: String
        package var bytes: Int64

        package init(
            service: ServiceKind, container: String, item: String, code: ErrorCode, message: String, bytes: Int64
        ) {
            self.service = service
            self.container = container
            self.item = item
            self.code = code
            self.message = message
            self.bytes = bytes
        }
    }

    /// A container that the target would give another name.
    package struct Renaming: Sendable, Hashable, Codable {
        package var service: ServiceKind
        package var container: String
        package var target: String

        package init(service: ServiceKind, container: String, target: String) {
            self.service = service
            self.container = container
            self.target = target
        }
    }

    /// Somebody of the source tenant whom contents name and whom nobody at the target is mapped to.
    package struct Mention: Sendable, Hashable, Codable {
        /// Lower case.
        package var address: String
        /// Objects that name the person.
        package var count: Int64

        package init(address: String, count: Int64) {
            self.address = address
            self.count = count
        }
    }

    /// Entries of a list that are kept; what is beyond is counted only.
    package static let longestList = 50

    package var shares: [Share] = []
    /// By code, in the order in which they were met.
    package private(set) var skips: [Skip] = []
    /// At most `longestList` of each code.
    package private(set) var places: [Place] = []
    package private(set) var renamings: [Renaming] = []
    package private(set) var renamed: Int64 = 0
    package private(set) var mentions: [Mention] = []
    /// Unmapped people beyond those in `mentions` were met; how many is not known.
    package private(set) var hasMoreMentions = false
    /// Why it says nothing or not everything; empty when all was looked at.
    package var findings: [Finding] = []
    /// Time that the first copy would take; `nil` when nothing could be looked at.
    package var seconds: Double?
    /// What the time is based on.
    package var pace = Pace.assumed(for: .mailbox)
    /// Work of this kind shares an endpoint, whose name this is, with at most `parallel` runs at once.
    package var lane = ""
    package var parallel = 1

    package init() {}

    /// Everything over all services.
    package func total(_ amount: KeyPath<Share, Amount>) -> Amount {
        shares.reduce(Amount()) { $0 + $1[keyPath: amount] }
    }

    package mutating func skip(_ place: Place) {
        if let index = skips.firstIndex(where: { $0.code == place.code }) {
            skips[index].count += 1
            skips[index].bytes += place.bytes
            guard skips[index].count <= Self.longestList else { return }
        } else {
            skips.append(Skip(code: place.code, count: 1, bytes: place.bytes))
        }
        places.append(place)
    }

    /// Forgets places beyond the first `count`.
    package mutating func keepPlaces(_ count: Int) {
        if places.count > count { places.removeLast(places.count - count) }
    }

    /// More of a kind that was met before: what lies in a container that is skipped as a whole.
    package mutating func skipMore(_ code: ErrorCode, _ amount: Amount) {
        guard let index = skips.firstIndex(where: { $0.code == code }) else { return }
        skips[index].count += amount.items
        skips[index].bytes += amount.bytes
    }

    package mutating func rename(_ renaming: Renaming) {
        renamed += 1
        if renamings.count < Self.longestList { renamings.append(renaming) }
    }

    /// One object names these people.
    package mutating func mention(_ addresses: Set<String>) {
        for address in addresses.sorted() {
            if let index = mentions.firstIndex(where: { $0.address == address }) {
                mentions[index].count += 1
            } else if mentions.count < Self.longestList {
                mentions.append(Mention(address: address, count: 1))
            } else {
                hasMoreMentions = true
            }
        }
    }

    /// The grade that the run would get if nothing else happened (orchestration 9.4).
    package func verdict(for workload: Workload) -> ConsistencyVerdict {
        var losses = Losses(attempted: total(\.listed).items - total(\.elsewhere).items)
        for skip in skips { losses.add(.skipped, skip.code, count: skip.count) }
        return losses.verdict(for: workload)
    }
}

/// How fast data move, by which the time of a copy is estimated.
package struct Pace: Sendable, Hashable, Codable {
    /// Of one run.
    package var itemsPerSecond: Double
    package var bytesPerSecond: Double
    /// Runs between the two tenants that it was measured on; 0 for an assumption.
    package var runs: Int

    package init(itemsPerSecond: Double, bytesPerSecond: Double, runs: Int) {
        self.itemsPerSecond = itemsPerSecond
        self.bytesPerSecond = bytesPerSecond
        self.runs = runs
    }

    /// For two tenants between which nobody has moved yet. Assumed, not measured.
    package static func assumed(for workload: Workload) -> Pace {
        switch workload {
        case .mailbox: Pace(itemsPerSecond: 100, bytesPerSecond: 5_000_000, runs: 0)
        case .chats: Pace(itemsPerSecond: 200, bytesPerSecond: 2_000_000, runs: 0)
        case .meetings: Pace(itemsPerSecond: 50, bytesPerSecond: 1_000_000, runs: 0)
        case .files: Pace(itemsPerSecond: 50, bytesPerSecond: 10_000_000, runs: 0)
        }
    }

    /// From what runs did together; `nil` when they did too little to tell (under a second of work, or no item).
    package init?(measured progress: RunProgress, runs: Int) {
        guard runs > 0, progress.items > 0, progress.activeMicroseconds >= 1_000_000 else { return nil }
        let seconds = Double(progress.activeMicroseconds) / 1_000_000
        self.init(
            itemsPerSecond: Double(progress.items) / seconds,
            bytesPerSecond: max(1, Double(progress.bytes)) / seconds, runs: runs)
    }

    /// Whatever is slower decides: the number of items, or their bytes.
    package func seconds(for amount: Forecast.Amount) -> Double {
        max(Double(amount.items) / itemsPerSecond, Double(amount.bytes) / bytesPerSecond)
    }
}

extension Forecast {
    /// Time that the copies of all take, runs of one lane side by side as far as its endpoints allow, lanes side by side.
    package static func seconds(ofAll forecasts: some Sequence<Forecast>) -> Double {
        var lanes: [String: (longest: Double, sum: Double, parallel: Int)] = [:]
        for forecast in forecasts {
            guard let seconds = forecast.seconds else { continue }
            var lane = lanes[forecast.lane] ?? (0, 0, max(1, forecast.parallel))
            lane.longest = max(lane.longest, seconds)
            lane.sum += seconds
            lanes[forecast.lane] = lane
        }
        return lanes.values.map { max($0.longest, $0.sum / Double($0.parallel)) }.max() ?? 0
    }
}
