import ArgumentParser
import Hummingbird
import Logging

/// What the API is compared to: the same web framework with nothing behind it.
struct BareServer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve /json, a job encoded per request, and /bytes, a file's bytes as they are.")

    @Option(help: "Loopback port.") var port: Int
    @Option(help: "What /bytes answers with.") var body: String

    func run() async throws {
        let text = body
        let router = Router()
        router.get("/json") { _, _ in BareJob() }
        router.get("/bytes") { _, _ in
            Response(
                status: .ok, headers: [.contentType: "application/json"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
        }
        var logger = Logger(label: "bare")
        logger.logLevel = .error
        try await Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: port)), logger: logger
        ).runService()
    }
}

/// The members of a job as GET answers them, with values of the usual lengths.
private struct BareJob: ResponseEncodable {
    struct Exchange: Codable {
        var targetDeliveryDomain = "south.example"
        var sourceEndpoint = "EXOHandler"
    }
    enum CodingKeys: String, CodingKey {
        case context = "@odata.context"
        case id, displayName, status, jobType, message, completeAfterDateTime, sourceTenantId, targetTenantId
        case resourceType, resources, workloads, createdBy, createdDateTime, lastUpdatedDateTime, exchangeSettings
    }
    var context = "http://127.0.0.1/v1.0/$metadata#solutions/migrations/crossTenantMigrationJobs/$entity"
    var id = "30000000-cccc-4000-8000-000000000001"
    var displayName = "wave-1"
    var status = "submitted"
    var jobType = "validate"
    var message = ""
    var completeAfterDateTime = "2031-03-01T06:00:00Z"
    var sourceTenantId = "11111111-1111-1111-1111-111111111111"
    var targetTenantId = "22222222-2222-2222-2222-222222222222"
    var resourceType = "Users"
    var resources = ["00000000-0000-000b-0000-000000000001"]
    var workloads = ["Exchange", "Meeting", "Teams", "ODSP"]
    var createdBy = "admin@south.example"
    var createdDateTime = "2031-02-10T08:15:30.123456Z"
    var lastUpdatedDateTime = "2031-02-10T08:15:30.123456Z"
    var exchangeSettings = Exchange()
}
