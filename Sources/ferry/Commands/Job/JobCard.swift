/// A job for people.
enum JobCard {
    /// Prints what the server answered: byte for byte with `--json`, but for the annotation, and as a card otherwise.
    static func show(
        _ answer: APIClient.Answer, _ consistency: JobConsistency? = nil, options: ServerOptions
    ) throws {
        let terminal = Terminal.output
        if options.json {
            terminal.print(
                try consistency.map { try Ours.annotated(answer.body, with: $0) }
                    ?? String(decoding: answer.body, as: UTF8.self))
            return
        }
        let job: JobBody = try options.client().decode(answer)
        for line in lines(job, consistency, style: terminal.style) { terminal.print(line) }
    }

    static func lines(_ job: JobBody, _ consistency: JobConsistency? = nil, style: Style) -> [String] {
        var fields: [(String, String)] = [
            ("id", job.id), ("status", style(colour(of: job.status), job.status)), ("type", job.jobType),
        ]
        if let message = job.message, !message.isEmpty { fields.append(("message", message)) }
        fields += [
            ("date", job.completeAfterDateTime), ("source", job.sourceTenantId), ("target", job.targetTenantId),
            ("people", people(job.resources.count)), ("workloads", job.workloads.joined(separator: ", ")),
        ]
        if let consistency {
            fields.append(("grades", consistency.text(of: job.workloads)))
            if consistency.peopleWaiting > 0 {
                let waiting = people(consistency.peopleWaiting)
                fields.append(("waiting", style(.red, "\(waiting), for ferry job approve")))
            }
        }
        if let settings = job.exchangeSettings {
            fields.append(("endpoint", settings.sourceEndpoint ?? ""))
            fields.append(("delivery", settings.targetDeliveryDomain ?? ""))
        }
        fields.append(("created", job.createdDateTime + (job.createdBy.map { " by \($0)" } ?? "")))
        fields.append(("updated", job.lastUpdatedDateTime))
        return [style(.bold, job.displayName)]
            + fields.map { "  " + style(.dim, TextWidth.pad($0.0, to: 10)) + $0.1 }
    }

    static func people(_ count: Int) -> String { count == 1 ? "1 person" : "\(count) people" }

    static func colour(of status: String) -> Style.Colour {
        switch status {
        case "completed", "validatePassed": .green
        case "failed", "validateFailed", "completedWithErrors", "adminActionRequired", "invalid", "error": .red
        case "cancelled", "pendingCancel", "deleted", "pendingDelete": .yellow
        default: .cyan
        }
    }
}
