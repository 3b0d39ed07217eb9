package import FerryCore

/// What happened to one item, without the store's row around it.
package struct ItemFindingView: Sendable, Hashable {
    /// Rises within a job; the next page begins after it.
    package var sequence: Int64
    package var person: PersonID
    package var workload: Workload
    package var container: String
    package var item: String
    package var outcome: ItemOutcome
    package var code: ErrorCode
    package var message: String
    package var at: Instant

    package init(
        sequence: Int64, person: PersonID, workload: Workload, container: String, item: String, outcome: ItemOutcome,
        code: ErrorCode, message: String, at: Instant
    ) {
        self.sequence = sequence
        self.person = person
        self.workload = workload
        self.container = container
        self.item = item
        self.outcome = outcome
        self.code = code
        self.message = message
        self.at = at
    }

    /// A page of them: `{"value":[…],"next":…}`; `next` is the `after` of the following page, null on the last one.
    package static func page(_ findings: [ItemFindingView], hasMore: Bool) -> [UInt8] {
        var json = JSONWriter(capacity: 256 + 512 * findings.count)
        json.object { json in
            json.key("value")
            json.array { json in for finding in findings { finding.write(into: &json) } }
            json.member("next", ifKnown: hasMore ? findings.last?.sequence : nil)
        }
        return json.bytes
    }

    func write(into json: inout JSONWriter) {
        json.object { json in
            json.member("sequence", sequence)
            json.member("user", person.guid)
            json.member("workload", workload.wireName)
            json.member("container", container)
            json.member("item", item)
            json.member("outcome", outcome.wireName)
            json.member("code", code.rawValue)
            json.member("message", message)
            json.member("at", at)
        }
    }
}

/// The options of `GET /ferry/jobs/{job}/items?after=N&limit=M`.
package struct ItemPageOptions: Sendable, Hashable {
    /// Sequence number of the last finding that is known; 0 from the beginning.
    package var after: Int64 = 0
    /// 1 to `APILimits.itemPageSize`.
    package var limit = APILimits.itemPageSize

    package init(rawQuery: some StringProtocol) throws(Failure) {
        for pair in try QueryPairs.parse(rawQuery) {
            switch pair.name.lowercased() {
            case "after": after = try Self.number(pair, in: 0...Int64.max)
            case "limit": limit = Int(min(try Self.number(pair, in: 1...Int64.max), Int64(APILimits.itemPageSize)))
            default: continue
            }
        }
    }

    private static func number(
        _ pair: (name: String, value: String), in range: ClosedRange<Int64>
    ) throws(Failure) -> Int64 {
        guard let number = Int64(pair.value), range.contains(number) else {
            throw .badRequest("\(pair.name) must be a whole number from \(range.lowerBound) on.", target: pair.name)
        }
        return number
    }
}
