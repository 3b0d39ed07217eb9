import FerryAPI
import FerryCore
import Testing

/// The lines of checklist "Validate", "Migrate", "Cancel" and "Delete" of reference 11 that the API decides alone.
struct StateTests {
    static let states = JobStatus.allCases.filter { ![.approved, .adminActionRequired].contains($0) }

    @Test("C32 C33 Validate: 200 from submitted and validateFailed, 409 from each other state", arguments: states)
    func validate(_ status: JobStatus) async throws {
        try await World.run { world, client in
            let id = try await client.create("wave-1")
            try await world.set(id, to: status, validated: World.start)
            let reply = try await client.send("POST \(World.v1)/\(id)/validate")
            let isAllowed = status == .submitted || status == .validateFailed
            #expect(reply.status == (isAllowed ? 200 : 409))
            #expect(reply.details == (isAllowed ? [] : ["invalidJobStatus"]))
        }
    }

    @Test(
        "C38 C39 Migrate: 200 from validatePassed, failed and completedWithErrors, 409 from each other state",
        arguments: states
    )
    func migrate(_ status: JobStatus) async throws {
        try await World.run { world, client in
            let id = try await client.create("wave-1")
            try await world.set(id, to: status, validated: World.start)
            let reply = try await client.send("POST \(World.v1)/\(id)/migrate")
            let isAllowed = [.validatePassed, .failed, .completedWithErrors].contains(status)
            #expect(reply.status == (isAllowed ? 200 : 409))
            #expect(reply.details == (isAllowed ? [] : ["invalidJobStatus"]))
        }
    }

    @Test("C40 Migrate: 409 validationExpired after 7 days, then validate is allowed")
    func expiredValidation() async throws {
        try await World.run { world, client in
            let id = try await client.create("wave-1")
            try await world.set(id, to: .validatePassed, validated: World.start)
            world.pass(.seconds(7 * 86_400 + 1))
            let reply = try await client.send("POST \(World.v1)/\(id)/migrate")
            #expect(reply.status == 409)
            #expect(reply.details == ["validationExpired"])
            #expect(try await client.send("POST \(World.v1)/\(id)/validate").status == 200)
        }
    }

    @Test("C45 C46 Cancel: 202 in every state of the table, 409 in cuttingOver and the final ones", arguments: states)
    func cancel(_ status: JobStatus) async throws {
        try await World.run { world, client in
            let id = try await client.create("wave-1")
            try await world.set(id, to: status)
            let reply = try await client.send("POST \(World.v1)/\(id)/cancel")
            let isAllowed = [
                .submitted, .validateSubmitted, .validateProcessing, .validateInProgress, .validatePassed,
                .validateFailed, .processing, .inProgress,
            ].contains(status)
            #expect(reply.status == (isAllowed ? 202 : 409))
            #expect(reply.details == (isAllowed ? [] : ["cancelNotPossible"]))
        }
    }

    @Test("C47 Cancel: 409 once completeAfterDateTime has passed")
    func lateCancel() async throws {
        try await World.run { world, client in
            let id = try await client.create("wave-1")
            try await world.set(id, to: .inProgress)
            world.pass(.seconds(20 * 86_400))
            let reply = try await client.send("POST \(World.v1)/\(id)/cancel")
            #expect(reply.status == 409)
            #expect(reply.details == ["cancelNotPossible"])
        }
    }

    @Test("C50 C51 Delete: 409 while it can still change, 202 when final", arguments: states)
    func delete(_ status: JobStatus) async throws {
        try await World.run { world, client in
            let id = try await client.create("wave-1")
            try await world.set(id, to: status)
            let reply = try await client.send("DELETE \(World.v1)/\(id)")
            let isAllowed = [.completed, .completedWithErrors, .failed, .cancelled].contains(status)
            #expect(reply.status == (isAllowed ? 202 : 409))
            #expect(reply.details == (isAllowed ? [] : ["resourceTypeMismatch"]))
        }
    }

    @Test("Users: state, message and errors of each service are shown")
    func userStates() async throws {
        try await World.run { world, client in
            let id = try await client.create("wave-1")
            try await world.set(id, to: .validatePassed, runs: .valid)
            let reply = try await client.send("GET \(World.v1)/\(id)/users/\(World.person(0))?$select=currentStatus")
            guard case .array(let services) = reply.json["currentStatus"] else { throw Complaint(text: reply.text) }
            #expect(
                services.first
                    == .object([
                        JSONMember(name: "service", value: .string("ODSP")),
                        JSONMember(name: "status", value: .string("valid")),
                        JSONMember(name: "message", value: .string("")),
                        JSONMember(name: "errors", value: .array([])),
                    ]))
        }
    }
}
