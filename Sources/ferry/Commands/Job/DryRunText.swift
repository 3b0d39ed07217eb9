/// What a dry run saw, for a terminal.
enum DryRunText {
    /// Examples of what would be skipped, and people who are not mapped, that are shown; the forms that are written into
    /// files have all.
    private static let examples = 10

    static func lines(_ body: DryRunBody, style: Style) -> [String] {
        var lines = [
            "\(style(.bold, body.displayName))  dry run \(body.state): \(Quantity.count(body.total.items)) items, "
                + "\(Quantity.bytes(body.total.bytes)); \(Quantity.count(body.total.dueItems)) to be copied, "
                + "\(Quantity.count(body.total.copiedItems)) copied already, "
                + "\(Quantity.count(body.total.skippedItems)) would be skipped",
            "Estimated time of the copy: \(Quantity.duration(seconds: body.estimatedSeconds ?? 0))", "",
        ]
        lines += people(body, style)
        if !body.skipped.isEmpty { lines += [""] + skipped(body, style) }
        if !body.unmappedPeople.isEmpty {
            lines += ["", style(.bold, "Mentioned and not mapped:")]
            lines += body.unmappedPeople.prefix(examples).map {
                "  \($0.address) (\(Quantity.count($0.count)) objects)"
            }
            if body.unmappedPeople.count > examples { lines.append("  \(body.unmappedPeople.count - examples) more") }
        }
        return lines
    }

    private static func people(_ body: DryRunBody, _ style: Style) -> [String] {
        var table = Table([
            .init("PERSON"), .init("WORKLOAD"), .init("ITEMS", .right), .init("SIZE", .right), .init("DUE", .right),
            .init("COPIED", .right), .init("SKIPPED", .right), .init("TIME", .right), .init("GRADE"), .init("FOUND"),
        ])
        for user in body.users {
            for workload in user.workloads {
                func sum(_ amount: KeyPath<DryRunBody.Amounts, Int64>) -> Int64 {
                    workload.services.reduce(0) { $0 + $1[keyPath: amount] }
                }
                var found = workload.findings.map { "\($0.code): \($0.message)" }
                if workload.renamedContainers > 0 { found.append("\(workload.renamedContainers) folders renamed") }
                table.append([
                    user.userPrincipalName ?? user.id, workload.workload, Quantity.count(sum(\.items)),
                    Quantity.bytes(sum(\.bytes)), Quantity.count(sum(\.dueItems)), Quantity.count(sum(\.copiedItems)),
                    Quantity.count(sum(\.skippedItems)),
                    workload.estimatedSeconds.map { Quantity.duration(seconds: $0) } ?? "", workload.grade,
                    found.joined(separator: "; "),
                ])
            }
        }
        return table.lines(style: style)
    }

    private static func skipped(_ body: DryRunBody, _ style: Style) -> [String] {
        var table = Table([
            .init("WOULD BE SKIPPED"), .init("ITEMS", .right), .init("SIZE", .right), .init("WHAT TO DO"),
        ])
        for skip in body.skipped {
            table.append([skip.code, Quantity.count(skip.items), Quantity.bytes(skip.bytes), skip.remedy])
        }
        let names = Dictionary(
            body.users.map { ($0.id, $0.userPrincipalName ?? $0.id) }, uniquingKeysWith: { first, _ in first })
        let places = body.places.prefix(examples).map { place in
            "  \(names[place.user] ?? place.user): \(place.container)\(place.item.isEmpty ? "" : "/" + place.item): "
                + place.message
        }
        let hasMore = body.placesAreCut || body.places.count > examples
        return table.lines(style: style) + places + (hasMore ? ["  more with --csv or --html"] : [])
    }
}
