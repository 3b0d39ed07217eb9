/// A job as the API gives it; only what the displays need.
struct JobBody: Decodable, Sendable {
    struct Exchange: Decodable, Sendable {
        var sourceEndpoint: String?
        var targetDeliveryDomain: String?
    }

    var id: String
    var displayName: String
    var status: String
    var jobType: String
    var message: String?
    var completeAfterDateTime: String
    var sourceTenantId: String
    var targetTenantId: String
    var resources: [String]
    var workloads: [String]
    var createdBy: String?
    var createdDateTime: String
    var lastUpdatedDateTime: String
    var exchangeSettings: Exchange?
}

/// One person of a job as the API gives it.
struct TaskBody: Decodable, Sendable {
    struct ServiceStatus: Decodable, Sendable {
        struct Problem: Decodable, Sendable {
            var code: String?
            var message: String?
        }

        var service: String
        var status: String
        var message: String?
        var errors: [Problem]?
    }

    var id: String
    var lastUpdatedDateTime: String
    var currentStatus: [ServiceStatus]
}

/// One page of a collection.
struct CollectionBody<Element: Decodable & Sendable>: Decodable, Sendable {
    var value: [Element]
    var nextLink: String?

    enum CodingKeys: String, CodingKey {
        case value
        case nextLink = "@odata.nextLink"
    }
}

/// What cancel answers.
struct CancelBody: Decodable, Sendable {
    var status: String?
    var message: String?
}

/// What a create sends; absent members are left out (Graph reference 4.1).
struct CreateBody: Encodable, Sendable {
    struct Exchange: Encodable, Sendable {
        var sourceEndpoint: String?
        var targetDeliveryDomain: String?
    }

    var displayName: String
    var completeAfterDateTime: String
    var sourceTenantId: String?
    var exchangeSettings: Exchange?
    var resources: [String]
    var resourceType = "Users"
    var workloads: [String]?
}

/// `GET /ferry/jobs/{job}/dryRun`; only what the displays need.
struct DryRunBody: Decodable, Sendable {
    struct Amounts: Decodable, Sendable {
        var items: Int64
        var bytes: Int64
        var copiedItems: Int64
        var dueItems: Int64
        var dueBytes: Int64
        var skippedItems: Int64
    }

    struct Skip: Decodable, Sendable {
        var code: String
        var items: Int64
        var bytes: Int64
        var remedy: String
    }

    struct User: Decodable, Sendable {
        struct WorkloadBody: Decodable, Sendable {
            struct Problem: Decodable, Sendable {
                var code: String
                var message: String
            }

            var workload: String
            /// One for each service.
            var services: [Amounts]
            var estimatedSeconds: Double?
            var grade: String
            var renamedContainers: Int64
            var findings: [Problem]
        }

        var id: String
        var userPrincipalName: String?
        var workloads: [WorkloadBody]
    }

    struct Place: Decodable, Sendable {
        var user: String
        var container: String
        var item: String
        var code: String
        var message: String
    }

    struct Mention: Decodable, Sendable {
        var address: String
        var count: Int64
    }

    var jobId: String
    var displayName: String
    var state: String
    var forecasts: Int
    var forecastsExpected: Int?
    var total: Amounts
    var estimatedSeconds: Double?
    var skipped: [Skip]
    var users: [User]
    var places: [Place]
    var placesAreCut: Bool
    var unmappedPeople: [Mention]
}

/// `GET /ferry/jobs/{job}/report`; only what is shown of people.
struct ReportBody: Decodable, Sendable {
    struct User: Decodable, Sendable {
        var id: String
        var workloads: [Verdict]
    }

    struct Verdict: Codable, Sendable {
        var workload: String
        /// `nil` until how much arrives was judged.
        var grade: String?
        var lost: Int64
        var waitsForApproval: Bool
    }

    var users: [User]
}

/// `GET /ferry/jobs/{job}/reversal`.
struct ReversalBody: Decodable, Sendable {
    struct User: Decodable, Sendable {
        /// Who has moved, as the job names them.
        var user: String
        /// Who they were, and will be again.
        var resource: String
    }

    var sourceTenantId: String
    var targetTenantId: String
    var sourceEndpoint: String
    var targetDeliveryDomain: String
    var workloads: [String]
    var users: [User]
    var missing: [String]
}

/// `GET /ferry/jobs/{job}/progress`.
struct ProgressBody: Decodable, Sendable {
    struct Job: Decodable, Sendable {
        var id: String
        var displayName: String
        var status: String
        var people: Int
        var peopleCompleted: Int
        var peopleCancelled: Int
        var peopleFailed: Int
        var peopleWaiting: Int
    }

    struct WorkloadBody: Decodable, Sendable {
        var workload: String
        /// Runs per state; states without runs are absent.
        var states: [String: Int]
        /// Runs per consistency grade, those that were judged.
        var grades: [String: Int]
        var items: Int64
        var bytes: Int64
        /// `nil` until everybody's data has been listed once.
        var itemsExpected: Int64?
        var bytesExpected: Int64?
        var skipped: Int64
        var failed: Int64
        var passes: Int64
        /// Summed over the runs, which go on side by side.
        var activeSeconds: Double
        /// Of the run that was frozen longest.
        var frozenSeconds: Double
    }

    var job: Job
    /// When the server read it; RFC 3339.
    var asOf: String
    /// RFC 3339; `nil` while nobody can tell.
    var estimatedEnd: String?
    var workloads: [WorkloadBody]
}
