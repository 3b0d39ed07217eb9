import FerryCore

/// The types of the Graph contract as data (reference 2 and 10): what `$metadata` shows, what the members of `$select`
/// and the annotations `@odata.type` are called, and what any other description of the API is made from.
package enum Schema {
    /// Namespace of every type.
    package static let namespace = "microsoft.graph"

    /// Names of types, without the namespace.
    package enum Name {
        package static let entity = "entity"
        package static let job = "crossTenantMigrationJob"
        package static let task = "crossTenantMigrationTask"
        package static let serviceStatusDetails = "crossTenantMigrationServiceStatusDetails"
        package static let error = "error"
        package static let exchangeSettings = "exchangeOnlineCrossTenantMigrationSettings"
        package static let cancelResponse = "crossTenantMigrationCancelResponse"
        package static let migrationsRoot = "migrationsRoot"
        package static let solutionsRoot = "solutionsRoot"
        package static let jobType = "crossTenantMigrationJobType"
        package static let jobStatus = "crossTenantMigrationJobStatus"
        package static let serviceStatus = "crossTenantMigrationServiceStatus"
    }

    /// The name with its namespace, as `@odata.context` and enum literals write it.
    package static func qualified(_ name: String) -> String { "\(namespace).\(name)" }

    /// The name as `@odata.type` writes it.
    package static func annotation(_ name: String) -> String { "#\(namespace).\(name)" }

    package static let enumerations: [SchemaEnumeration] = [
        SchemaEnumeration(
            name: Name.jobType, members: JobType.allCases.map(\.wireName) + [WireText.unknownFutureValue],
            summary: "Whether a job only checks or moves."),
        SchemaEnumeration(
            name: Name.jobStatus, members: JobStatus.allCases.map(\.wireName) + [WireText.unknownFutureValue],
            summary: "State of a job."),
        SchemaEnumeration(
            name: Name.serviceStatus, members: RunStatus.allCases.map(\.wireName) + [WireText.unknownFutureValue],
            summary: "State of one workload of one user."),
    ]

    /// Entity types and complex types; a base stands before what extends it.
    package static let structures: [SchemaStructure] = [
        entity, error, exchangeSettings, cancelResponse, serviceStatusDetails, task, job, migrationsRoot, solutionsRoot,
    ]

    /// The type of that name; `nil` for names that the schema does not have.
    package static func structure(_ name: String) -> SchemaStructure? { structures.first { $0.name == name } }

    /// All properties of a type, those of its base first.
    package static func properties(of structure: SchemaStructure) -> [SchemaProperty] {
        (structure.base.flatMap(Self.structure).map(properties) ?? []) + structure.properties
    }

    // MARK: the types

    package static let entity = SchemaStructure(
        Name.entity, isEntity: true, isAbstract: true,
        properties: [SchemaProperty("id", .text, "Key of the entity.")], "What has a key.")

    package static let job = SchemaStructure(
        Name.job, isEntity: true, base: Name.entity,
        properties: [
            SchemaProperty(
                "displayName", .text, writer: .create, isRequired: true,
                "Name of the job, 1 to 256 characters, unique in the target tenant without regard to case."),
            SchemaProperty("status", .enumeration(Name.jobStatus), "State of the job."),
            SchemaProperty("jobType", .enumeration(Name.jobType), "Whether the job has been told to move people."),
            SchemaProperty("message", .text, isNullable: true, "What the state means, for people."),
            SchemaProperty(
                "completeAfterDateTime", .dateTime, writer: .createAndUpdate, isRequired: true,
                "Earliest moment at which people are switched over to the target."),
            SchemaProperty(
                "sourceTenantId", .guid, writer: .create, isRequired: true, "Tenant that the data comes from."),
            SchemaProperty("targetTenantId", .guid, "Tenant that the data goes to: the one of the caller's token."),
            SchemaProperty(
                "resourceType", .text, writer: .create, isRequired: true, "What is moved; only Users exists."),
            SchemaProperty(
                "resources", .guid, isCollection: true, writer: .create, isRequired: true,
                "Object ids of the users in the target tenant, at most 2,000."),
            SchemaProperty(
                "workloads", .text, isCollection: true, writer: .create,
                "What of each user is moved: Exchange, ODSP, Teams, Meeting; all of them when empty or left out."),
            SchemaProperty("createdBy", .text, "User principal name of the creator; an id where there is none."),
            SchemaProperty("createdDateTime", .dateTime, "When the job was created."),
            SchemaProperty("lastUpdatedDateTime", .dateTime, "When the job last changed."),
            SchemaProperty(
                "exchangeSettings", .complex(Name.exchangeSettings), isNullable: true, writer: .create,
                "How mailboxes are reached; required when Exchange is among the workloads."),
        ],
        navigations: [
            SchemaNavigation(
                name: "users", target: Name.task, isCollection: true, summary: "The users of the job and their states.")
        ],
        alternateKeys: ["displayName"], "The users that move together from one tenant into another.")

    package static let task = SchemaStructure(
        Name.task, isEntity: true, base: Name.entity,
        properties: [
            SchemaProperty("taskType", .text, "What is moved; only Users exists."),
            SchemaProperty("lastUpdatedDateTime", .dateTime, "When something about the user last changed."),
            SchemaProperty(
                "currentStatus", .complex(Name.serviceStatusDetails), isCollection: true,
                "One element per workload of the job."),
        ],
        "One user of a job; its key is the object id of the user in the target tenant.")

    package static let serviceStatusDetails = SchemaStructure(
        Name.serviceStatusDetails, isEntity: false,
        properties: [
            SchemaProperty("service", .text, "The workload: Exchange, ODSP, Teams or Meeting."),
            SchemaProperty("status", .enumeration(Name.serviceStatus), "State of the workload."),
            SchemaProperty("message", .text, "What the state means, for people; empty when there is nothing to say."),
            SchemaProperty("errors", .complex(Name.error), isCollection: true, "What is wrong; empty when nothing is."),
        ],
        "One workload of one user.")

    package static let error = SchemaStructure(
        Name.error, isEntity: false,
        properties: [
            SchemaProperty("code", .text, isNullable: true, "What is wrong, for programs."),
            SchemaProperty("message", .text, isNullable: true, "What is wrong and how to mend it, for people."),
        ],
        "Something wrong with one workload of one user.")

    package static let exchangeSettings = SchemaStructure(
        Name.exchangeSettings, isEntity: false,
        properties: [
            SchemaProperty(
                "targetDeliveryDomain", .text, writer: .create, isRequired: true,
                "Domain of the target to which the source forwards after the cutover."),
            SchemaProperty(
                "sourceEndpoint", .text, writer: .create, isRequired: true,
                "Name of the configured connection to the source."),
        ],
        "How mailboxes are reached.")

    package static let cancelResponse = SchemaStructure(
        Name.cancelResponse, isEntity: false,
        properties: [
            SchemaProperty("status", .text, isNullable: true, "pendingCancel for a job, Accepted for one user."),
            SchemaProperty("message", .text, isNullable: true, "What was accepted, for people."),
        ],
        "The answer to a request to cancel.")

    package static let migrationsRoot = SchemaStructure(
        Name.migrationsRoot, isEntity: true, base: Name.entity,
        navigations: [
            SchemaNavigation(
                name: "crossTenantMigrationJobs", target: Name.job, isCollection: true,
                summary: "The jobs of the caller's tenant.")
        ],
        "The way to the jobs.")

    package static let solutionsRoot = SchemaStructure(
        Name.solutionsRoot, isEntity: true,
        navigations: [
            SchemaNavigation(
                name: "migrations", target: Name.migrationsRoot, isCollection: false,
                summary: "Everything about migration."
            )
        ],
        "The singleton at the root of the paths.")

    /// The one singleton of the entity container: its name and the name of its type.
    package static let singleton = (name: "solutions", type: Name.solutionsRoot)

    // MARK: the actions

    package static let actions: [SchemaAction] = [
        SchemaAction(
            "cancel", on: Name.job, result: .complex(Name.cancelResponse), "Stops a job before its point of no return."),
        SchemaAction(
            "cancel", on: Name.task, result: .complex(Name.cancelResponse), "Takes one user out of a job."),
        SchemaAction(
            "migrate", on: Name.job, result: .entity(Name.job), "Moves the users of a job that passed its checks."),
        SchemaAction("validate", on: Name.job, result: .entity(Name.job), "Checks the users of a job."),
        SchemaAction(
            "validate", on: Name.job, isBoundToCollection: true,
            parameters: creationParameters, result: .entity(Name.job),
            "Creates a job that only checks (the older form)."),
    ]

    /// The older form takes what a create takes, all of it nullable, and declares the date as a text.
    private static var creationParameters: [SchemaProperty] {
        job.properties.filter { $0.writer != .server }.map { property in
            SchemaProperty(
                property.name, property.type == .dateTime ? .text : property.type, isCollection: property.isCollection,
                isNullable: !property.isCollection, writer: .create, isRequired: property.isRequired, property.summary)
        }
    }
}
