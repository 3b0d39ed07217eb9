import ArgumentParser
import FerryCore
import FerrySQLite
import FerryStore
import FerryTestKit

/// A store in which many jobs lie, as after years of use.
struct SeedJobs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Put completed jobs of one person each into a store.")

    @Option(help: "The store's file; made if it is absent.") var store: String
    @Option(help: "How many jobs.") var jobs: Int
    @Option(help: "Tenant that owns the jobs.") var tenant: String

    func run() async throws {
        guard let tenant = TenantID(tenant) else { throw ValidationError("--tenant wants a GUID") }
        let store = try await SQLiteStore.open(path: store, now: { Instant.wallClock })
        let first = Instant(seconds: 1_700_000_000)
        for start in stride(from: 0, to: jobs, by: 1000) {
            try await store.transact { [jobs] (tx) throws(StoreError) in
                for number in start..<min(start + 1000, jobs) {
                    try tx.insert(Self.job(number, in: tenant, at: first + .seconds(number)))
                }
            }
        }
        await store.close()
    }

    private static func job(_ number: Int, in tenant: TenantID, at instant: Instant) -> Job {
        Job(
            id: JobID(GUID(high: 0x3000_0000_CCCC_4000, low: 0x8000_0000_0000_0000 | UInt64(number))),
            targetTenant: tenant, sourceTenant: StaticDirectory.source, displayName: "wave-\(number)",
            exchangeSettings: ExchangeSettings(
                sourceEndpoint: StaticDirectory.endpoint, targetDeliveryDomain: "south.example"),
            workloads: Workload.allCases, people: [StaticDirectory.targetPerson(number % 5000 + 1).id],
            createdBy: "admin@south.example", created: instant, updated: instant, completeAfter: instant,
            status: .completed, type: .migrate, message: "Every user in this batch was migrated without failures.",
            validated: instant, attempt: 1, isValidationOnly: false, version: 1)
    }
}
