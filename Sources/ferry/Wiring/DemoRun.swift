import FerryCore
import FerryEngine
import FerryFormats
import FerryServer
import FerryStore
import FoundationEssentials
import ServiceLifecycle

/// The demo's main part: a server, a client in the same process that takes a job through its whole life, and what
/// there is to see in the end.
struct DemoRun: Sendable {
    let site: DemoSite
    let installation: Installation
    let issuer: EmbeddedIssuer
    let keepsRunning: Bool

    static let jobName = "Contoso to Fabrikam"
    /// From the creation to the job's date. The date is brought forward once the job migrates, so that no machine is too
    /// slow to create it in time.
    private static let lead = Duration.seconds(3_600)
    /// Calls of migrate until the demo gives up.
    private static let tries = 3

    /// Throws a complaint when anything is not as it should be.
    func run() async throws {
        let (ports, bound) = AsyncStream.makeStream(of: Int.self, bufferingPolicy: .bufferingNewest(1))
        let services = installation.makeServices(issuer: issuer) { bound.yield($0) }
        let verdict = try await withThrowingTaskGroup(of: Bool?.self) { group -> Bool? in
            group.addTask(name: "services") {
                defer { bound.finish() }
                try await services.run()
                return nil
            }
            group.addTask(name: "client") {
                guard let port = await ports.first(where: { _ in true }) else { return nil }
                return try await story(port: port)
            }
            // Whichever ends first ends the other: the client when it is done, the services when they were told to
            // stop.
            guard let first = try await group.next() ?? nil else {
                group.cancelAll()
                // How the client breaks off says nothing; that it was told to does.
                while await group.nextResult() != nil {}
                return nil
            }
            if !keepsRunning { await services.triggerGracefulShutdown() }
            while try await group.next() != nil {}
            return first
        }
        guard let verdict else {
            throw Complaint("Interrupted. Go on with: ferry demo --directory \(site.root) --resume")
        }
        guard verdict else { throw Complaint("The demo did not end as it should; see above.") }
    }

    // MARK: the story

    private func story(port: Int) async throws -> Bool {
        let output = Terminal.output
        let address = Installation.address(host: "127.0.0.1", port: port)
        let client = APIClient(server: address, token: try token())
        output.print("The server listens on \(address)")
        let watch = JobWatch(
            client: client, clock: ContinuousClock(), now: SystemEffects.now, interval: .milliseconds(250))
        let began = SystemEffects.now()
        let isNew = try await find(APIClient.job(Self.jobName), client) == nil
        let job = try await complete(client, watch)
        // What an earlier process moved was not timed here.
        let seconds = isNew ? (SystemEffects.now() - began).inSeconds : nil
        let verification = try await verify(job.id)
        let reportPath = "\(site.root)/report.html"
        let report = try await client.get("/ferry/jobs/\(job.id)/report?format=html")
        try LocalFile.write(report.body, to: reportPath)
        if job.status == "completed" { try await manifest(of: job.id) }
        try await show(job, client: client, seconds: seconds, verification: verification, reportPath: reportPath)
        if keepsRunning {
            output.print()
            output.print("The server runs on at \(address); stop it with Ctrl-C. To look around:")
            output.print("  export FERRY_SERVER=\(address) FERRY_TOKEN=\(try token())")
            output.print("  ferry job list")
            let secret = "\(site.root)/\(DemoPlaces.secretFile)"
            let ports = site.tenants.places.ports
            if let mail = ports[.dovecot] {
                output.print(
                    "Mail     127.0.0.1 port \(mail.source) and \(mail.target); log in as LOGIN*\(DemoPlaces.masterUser) with the"
                        + " password in \(secret)")
            }
            if let calendars = ports[.radicale] {
                output.print(
                    "Calendar http://127.0.0.1:\(calendars.source)/ and :\(calendars.target)/; log in as \(DemoPlaces.masterUser) with"
                        + " the password in \(secret)")
            }
            if let files = ports[.apache] {
                output.print(
                    "Files    http://127.0.0.1:\(files.source)/ and :\(files.target)/, WebDAV; the bearer token is in \(secret)"
                )
            }
        }
        return job.status == "completed" && verification.isIdentical && !verification.transfers.isEmpty
    }

    private func token() throws -> String {
        try issuer.issue(
            TokenRequest(
                tenant: site.tenants.targetID,
                rights: .delegated(
                    userPrincipalName: "mover@\(Cast.targetDomain)", scopes: [Permission.readWrite.rawValue],
                    roles: [AuthenticationSettings.migrationAdministrator]),
                objectID: SystemEffects.makeGUID(), lifetime: .seconds(86400)), effects: Installation.effects)
    }

    /// Takes the job from wherever it stands to a final state: what the status says is what comes next.
    private func complete(_ client: APIClient, _ watch: JobWatch) async throws -> JobBody {
        let path = APIClient.job(Self.jobName)
        var display = LiveDisplay(on: .output)
        defer { display.finish() }
        var triesLeft = Self.tries
        var last: JobBody?
        while true {
            guard let job = try await find(path, client) else {
                try await create(client)
                continue
            }
            let isFirst = last == nil
            last = job
            switch job.status {
            case "submitted":
                _ = try await client.post(path + "/validate")
            case "validateFailed":
                display.finish()
                try await showProblems(path, client)
                return job
            case "validatePassed":
                triesLeft -= 1
                _ = try await client.post(path + "/migrate")
                continue
            case "processing", "inProgress":
                try await bringForward(job, path, client)
            case "failed" where triesLeft > 0, "completedWithErrors" where triesLeft > 0:
                // A rerun tries again once what an earlier one left undone.
                guard isFirst else {
                    display.finish()
                    try await showProblems(path, client)
                    return job
                }
                triesLeft -= 1
                _ = try await client.post(path + "/migrate")
            case _ where JobWatch.finalStates.contains(job.status) || job.status == "adminActionRequired":
                return job
            default:
                break
            }
            // What was asked for is durable, so the status has changed already.
            _ = try await watch.follow(job.id, until: JobWatch.restingStates.contains) { display.show($0) }
        }
    }

    private func find(_ path: String, _ client: APIClient) async throws -> JobBody? {
        do {
            return try await client.decode(client.get(path))
        } catch APIFailure.refused(let refusal) where refusal.status == 404 {
            return nil
        }
    }

    private func create(_ client: APIClient) async throws {
        let body = CreateBody(
            displayName: Self.jobName,
            completeAfterDateTime: RFC3339.format(SystemEffects.now() + Self.lead),
            sourceTenantId: site.tenants.sourceID.description,
            exchangeSettings: .init(sourceEndpoint: DemoTenants.endpoint, targetDeliveryDomain: Cast.targetDomain),
            resources: site.tenants.cast.map(\.target.id.description),
            workloads: ["Exchange", "ODSP", "Teams", "Meeting"])
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes]
        _ = try await client.post(APIClient.jobs, body: Array(try encoder.encode(body)))
    }

    /// A date that has passed means now: everybody cuts over as soon as their first copy is complete.
    private func bringForward(_ job: JobBody, _ path: String, _ client: APIClient) async throws {
        let now = SystemEffects.now()
        guard let date = RFC3339.parse(job.completeAfterDateTime), date > now else { return }
        let body = try JSONEncoder().encode(["completeAfterDateTime": RFC3339.format(now)])
        _ = try await client.patch(path, body: Array(body))
    }

    private func showProblems(_ path: String, _ client: APIClient) async throws {
        var tasks: [TaskBody] = []
        try await client.pages(of: path + "/users", as: TaskBody.self, follow: true) { page, _ in
            tasks += page.filter { $0.currentStatus.contains { !($0.errors ?? []).isEmpty } }
        }
        for line in ListJobUsers.lines(tasks, style: Terminal.output.style) { Terminal.output.print(line) }
    }

    private func verify(_ id: String) async throws -> JobVerification {
        guard let job = try await installation.store.reader.job(.key(id), in: site.tenants.targetID) else {
            throw Complaint("The store does not know the job \(id) any more.")
        }
        return try await installation.verify(job)
    }

    /// Waits for the manifest, which is made right after the job ended.
    private func manifest(of id: String) async throws {
        guard let job = JobID(id), let manifests = installation.manifests else { return }
        for _ in 0..<200 {
            if try await manifests.archive.manifest(of: job) != nil { return }
            try await Task.sleep(for: .milliseconds(100), clock: ContinuousClock())
        }
        throw Complaint("The job has ended, and its manifest does not come.")
    }

    // MARK: the end

    private func show(
        _ job: JobBody, client: APIClient, seconds: Double?, verification: JobVerification, reportPath: String
    ) async throws {
        let output = Terminal.output
        let answer = try await client.get(APIClient.job(job.id))
        output.print()
        output.print(output.style(.bold, "The job, as GET \(APIClient.job(job.id)) returns it"))
        output.print(JSONText.indented(answer.body))
        let progress: ProgressBody = try await client.decode(client.get("/ferry/jobs/\(job.id)/progress"))
        output.print()
        output.print(output.style(.bold, "What moved"))
        for line in moved(progress, seconds: seconds).lines(style: output.style) { output.print("  " + line) }
        output.print(
            "  Work is summed over people, who move side by side; together is by the clock, wait for the date included."
        )
        output.print()
        output.print(output.style(.bold, "What the verifier says, after listing and hashing both sides again"))
        let text = VerificationText(verification: verification)
        for line in text.table().lines(style: output.style) + text.differences() { output.print("  " + line) }
        output.print(
            "  "
                + (verification.isIdentical
                    ? output.style(.green, "Both sides are the same: nothing lost, nothing twice.")
                    : output.style(.red, "\(Quantity.count(text.differenceCount)) differences.")))
        output.print()
        let root = LocalFile.absolute(site.root)
        output.print("Report   \(LocalFile.absolute(reportPath))")
        let manifest = "\(root)/manifests/\(job.id).jsonl"
        if LocalFile.exists(manifest) { output.print("Manifest \(manifest)") }
        output.print("Tenants  \(root)/contoso")
        output.print("         \(root)/fabrikam")
        if site.tenants.places.ports.isEmpty {
            output.print("Again    ferry verify --config \(site.root)/ferry.yaml '\(Self.jobName)'")
        } else {
            // The servers end with the demo, and the verifier needs them.
            output.print("Again    ferry demo --directory \(site.root) --resume")
        }
    }

    private func moved(_ progress: ProgressBody, seconds: Double?) -> Table {
        var table = Table([
            .init("WORKLOAD"), .init("ITEMS", .right), .init("BYTES", .right), .init("SKIPPED", .right),
            .init("FAILED", .right),
            .init("PASSES", .right), .init("WORK", .right), .init("ITEMS/S", .right), .init("FROZEN", .right),
        ])
        for workload in progress.workloads {
            table.append([
                workload.workload, Quantity.count(workload.items), Quantity.bytes(workload.bytes),
                Quantity.count(workload.skipped), Quantity.count(workload.failed), Quantity.count(workload.passes),
                Quantity.decimal(workload.activeSeconds) + " s",
                workload.activeSeconds > 0 ? Quantity.decimal(Double(workload.items) / workload.activeSeconds) : "",
                Quantity.decimal(workload.frozenSeconds) + " s",
            ])
        }
        let items = progress.workloads.reduce(0) { $0 + $1.items }
        table.append([
            "together", Quantity.count(items), Quantity.bytes(progress.workloads.reduce(0) { $0 + $1.bytes }),
            Quantity.count(progress.workloads.reduce(0) { $0 + $1.skipped }),
            Quantity.count(progress.workloads.reduce(0) { $0 + $1.failed }), "",
            seconds.map { Quantity.decimal($0) + " s" } ?? "",
            seconds.map { Quantity.decimal(Double(items) / max($0, 0.1)) } ?? "", "",
        ])
        return table
    }
}
