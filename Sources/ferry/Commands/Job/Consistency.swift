import FoundationEssentials

/// How much of a job arrives, beside what Graph's types have room for. A server that is not Ferry has none of it.
struct JobConsistency: Encodable, Sendable {
    /// Runs per grade, by service; services of which nothing was judged are absent.
    var grades: [String: [String: Int]]
    var peopleWaiting: Int

    /// In the order from best to worst.
    static let order = ["perfect", "good", "investigate", "poor"]

    init(_ body: ProgressBody) {
        grades = [:]
        for workload in body.workloads where !workload.grades.isEmpty { grades[workload.workload] = workload.grades }
        peopleWaiting = body.job.peopleWaiting
    }

    /// `nil` where nothing was judged yet.
    static func read(_ job: String, from client: APIClient) async throws -> JobConsistency? {
        guard let answer = try await Ours.get("/ferry/jobs/\(APIClient.escaped(job))/progress", from: client) else {
            return nil
        }
        let consistency = JobConsistency(try client.decode(answer))
        return consistency.grades.isEmpty ? nil : consistency
    }

    /// `Exchange 12 perfect, 1 investigate; Teams 13 good`
    func text(of services: [String]) -> String {
        services.compactMap { service in
            grades[service].map { counts in
                service + " "
                    + Self.order.compactMap { grade in counts[grade].map { "\($0) \(grade)" } }.joined(separator: ", ")
            }
        }.joined(separator: "; ")
    }
}

/// The same of people: a verdict by person and service.
struct PeopleConsistency: Sendable {
    typealias Verdict = ReportBody.Verdict

    var verdicts: [String: [Verdict]]

    /// Only what was judged.
    init(_ body: ReportBody) {
        verdicts = [:]
        for user in body.users {
            let judged = user.workloads.filter { $0.grade != nil }
            if !judged.isEmpty { verdicts[user.id] = judged }
        }
    }

    static func read(_ job: String, from client: APIClient) async throws -> PeopleConsistency? {
        let path = "/ferry/jobs/\(APIClient.escaped(job))/report?format=json&findings=false"
        guard let answer = try await Ours.get(path, from: client) else { return nil }
        let consistency = PeopleConsistency(try client.decode(answer))
        return consistency.verdicts.isEmpty ? nil : consistency
    }

    subscript(user: String, service: String) -> Verdict? { verdicts[user]?.first { $0.workload == service } }

    /// Of these people alone.
    func only(_ users: [String]) -> [String: [Verdict]] { verdicts.filter { users.contains($0.key) } }

    /// What the table says of one service: `finalizing (investigate, 2 lost, waits)`.
    static func text(_ verdict: Verdict) -> String {
        let parts = [
            verdict.grade, verdict.lost > 0 ? "\(verdict.lost) lost" : nil, verdict.waitsForApproval ? "waits" : nil,
        ]
        return "(" + parts.compactMap(\.self).joined(separator: ", ") + ")"
    }
}

/// Ferry's own namespace, which other servers of the same API do not have.
enum Ours {
    /// `nil` where the server knows no such path.
    static func get(_ path: String, from client: APIClient) async throws -> APIClient.Answer? {
        do {
            return try await client.get(path)
        } catch APIFailure.refused(let refusal) where [400, 404].contains(refusal.status) {
            return nil
        } catch APIFailure.unintelligible(_, let status, _) where [400, 404].contains(status) {
            return nil
        }
    }

    /// A JSON object with one more member, an annotation of OData's kind; everything else stays byte for byte.
    static func annotated(_ body: [UInt8], with value: some Encodable) throws -> String {
        guard let end = body.lastIndex(of: UInt8(ascii: "}")) else { return String(decoding: body, as: UTF8.self) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let text = String(decoding: try encoder.encode(value), as: UTF8.self)
        return String(decoding: body[..<end], as: UTF8.self) + ",\"@ferry.consistency\":\(text)"
            + String(decoding: body[end...], as: UTF8.self)
    }
}
