package import FerryCore
import FerryFormats
package import FerryStore
import Testing

extension StoreConformance {
    static let auditBehaviours = [
        Behaviour("gives the records of a chain back as they were appended, and its head") {
            try await $0.keepsRecords()
        },
        Behaviour("keeps the chains of tenants apart") { try await $0.keepsChainsApart() },
        Behaviour("appends a record only after the one before it") { try await $0.appendsInOrder() },
        Behaviour("stores no record of what did not happen") { try await $0.undoesRecords() },
        Behaviour("keeps the chain whole however many append at once") { try await $0.chainsConcurrentCallers() },
        Behaviour("finds records by time and by job, page by page") { try await $0.filtersRecords() },
        Behaviour("takes the record of a token once") { try await $0.takesTokensOnce() },
        Behaviour("knows a creation again by tenant, principal and id, until its time is over") {
            try await $0.remembersCreations()
        },
    ]

    private func keepsRecords() async throws {
        try await withStore { store, _ in
            #expect(try await store.reader.auditHead(of: Samples.target) == nil)
            #expect(try await store.reader.auditTenants() == [])
            let bare = AuditEntry(tenant: Samples.target, at: Samples.start, operation: "createJob")
            let full = AuditEntry(
                tenant: Samples.target, at: Samples.start + .microseconds(7), since: Samples.start, count: 12,
                subject: "s\u{1F6A2}", name: "Überbringer", application: "app", origin: "2001:db8::1",
                operation: "cancelUser", job: Samples.jobID(1), person: Samples.person(2), detail: "'\"\\\n",
                status: 409,
                code: "cancelNotPossible", requestID: GUID(high: .max, low: 1))
            try await store.append([bare, full])
            let records = try await store.reader.auditRecords(AuditQuery(tenant: Samples.target))
            #expect(records.map(\.entry) == [bare, full])
            #expect(records.map(\.sequence) == [1, 2])
            #expect(try await store.reader.auditHead(of: Samples.target) == records.last?.head)
            var verifier = AuditVerifier(tenant: Samples.target)
            for record in records { try verifier.check(record) }
        }
    }

    private func keepsChainsApart() async throws {
        try await withStore { store, _ in
            let tenants = [Samples.target, Samples.stranger, AuditEntry.installation]
            for _ in 1...3 { try await store.append(tenants.map { Self.entry($0) }) }
            #expect(try await store.reader.auditTenants() == tenants.sorted())
            for tenant in tenants {
                let records = try await store.reader.auditRecords(AuditQuery(tenant: tenant))
                #expect(records.map(\.sequence) == [1, 2, 3])
                var verifier = AuditVerifier(tenant: tenant)
                for record in records { try verifier.check(record) }
            }
        }
    }

    private func appendsInOrder() async throws {
        try await withStore { store, _ in
            try await store.append([Self.entry()])
            let head = try #require(try await store.reader.auditHead(of: Samples.target))
            for wrong in [AuditHead.beginning(of: Samples.target), AuditChain.seal(Self.entry(), after: head).head] {
                await #expect(throws: StoreError.conflict) {
                    try await store.transact { (tx) throws(StoreError) in
                        try tx.append(AuditChain.seal(Self.entry(), after: wrong))
                    }
                }
            }
            #expect(try await store.reader.auditHead(of: Samples.target) == head)
        }
    }

    private func undoesRecords() async throws {
        try await withStore { store, _ in
            try await store.append([Self.entry()])
            let head = try await store.reader.auditHead(of: Samples.target)
            await #expect(throws: StoreError.leaseLost) {
                try await store.transact { (tx) throws(StoreError) in
                    try Self.append(Self.entry(), in: tx)
                    try tx.insert(Samples.job(1))
                    throw .leaseLost
                }
            }
            #expect(try await store.reader.auditHead(of: Samples.target) == head)
        }
    }

    private func chainsConcurrentCallers() async throws {
        try await withStore { store, _ in
            await withTaskGroup(of: Void.self) { group in
                for number in 1...64 {
                    group.addTask {
                        do throws(StoreError) {
                            try await store.transact { (tx) throws(StoreError) in
                                try tx.insert(Samples.job(number))
                                try Self.append(Self.entry(job: number), in: tx)
                                if number == 31 { throw .conflict }
                            }
                            #expect(number != 31)
                        } catch {
                            #expect(number == 31 && error == .conflict)
                        }
                    }
                }
            }
            let records = try await store.reader.auditRecords(AuditQuery(tenant: Samples.target))
            var verifier = AuditVerifier(tenant: Samples.target)
            for record in records { try verifier.check(record) }
            // A record for every job that is there, and for none that is not.
            #expect(
                Set(records.compactMap(\.entry.job)) == Set((1...64).filter { $0 != 31 }.map { Samples.jobID($0) }))
            #expect(try await store.reader.count(JobQuery(tenant: Samples.target)) == records.count)
        }
    }

    private func filtersRecords() async throws {
        try await withStore { store, _ in
            try await store.append((0..<10).map { Self.entry(job: $0 % 2, at: Samples.start + .seconds($0)) })
            func sequences(_ change: (inout AuditQuery) -> Void) async throws -> [Int64] {
                var query = AuditQuery(tenant: Samples.target)
                change(&query)
                return try await store.reader.auditRecords(query).map(\.sequence)
            }
            #expect(try await sequences { $0.limit = 3 } == [1, 2, 3])
            #expect(try await sequences { ($0.after, $0.limit) = (8, 3) } == [9, 10])
            #expect(try await sequences { $0.job = Samples.jobID(1) } == [2, 4, 6, 8, 10])
            #expect(try await sequences { ($0.job, $0.after) = (Samples.jobID(1), 6) } == [8, 10])
            #expect(try await sequences { $0.from = Samples.start + .seconds(7) } == [8, 9, 10])
            #expect(try await sequences { $0.to = Samples.start + .seconds(2) } == [1, 2])
            #expect(
                try await sequences {
                    ($0.from, $0.to) = (Samples.start + .seconds(3), Samples.start + .seconds(7))
                    $0.job = Samples.jobID(0)
                } == [5, 7])
        }
    }

    private func takesTokensOnce() async throws {
        try await withStore { store, _ in
            var entry = Self.entry()
            entry.operation = AuditOperation.issueToken
            entry.requestID = GUID(high: 1, low: 1)
            try await store.append([entry])
            let again = entry
            let caught = try await store.transact { (tx) throws(StoreError) -> Bool in
                do throws(StoreError) {
                    try Self.append(again, in: tx)
                    return false
                } catch .conflict {
                    try Self.append(Self.entry(), in: tx)
                    return true
                }
            }
            #expect(caught)
            #expect(try await store.reader.auditHead(of: Samples.target)?.sequence == 2)
        }
    }

    private func remembersCreations() async throws {
        try await withStore { store, _ in
            func find(_ key: RememberedCreation.Key, since: Instant) async throws -> RememberedCreation? {
                try await store.transact { (tx) throws(StoreError) in try tx.creation(key, since: since) }
            }
            let key = RememberedCreation.Key(tenant: Samples.target, subject: "me", id: "r-1")
            let creation = RememberedCreation(
                key: key, fingerprint: Array(0..<32), job: Samples.jobID(1), at: Samples.start)
            let later = RememberedCreation(
                key: RememberedCreation.Key(tenant: Samples.target, subject: "me", id: "r-2"), fingerprint: [],
                job: Samples.jobID(2), at: Samples.start + .seconds(5))
            try await store.transact { (tx) throws(StoreError) in
                try tx.remember(creation)
                try tx.remember(later)
                #expect(try tx.creation(key, since: Samples.start) == creation)
            }
            #expect(try await find(key, since: Samples.start) == creation)
            #expect(try await find(key, since: Samples.start + .microseconds(1)) == nil)
            for other in [
                RememberedCreation.Key(tenant: Samples.stranger, subject: "me", id: "r-1"),
                RememberedCreation.Key(tenant: Samples.target, subject: "you", id: "r-1"),
                RememberedCreation.Key(tenant: Samples.target, subject: "me", id: "R-1"),
            ] {
                #expect(try await find(other, since: .distantPast) == nil)
            }
            var renewed = creation
            renewed.job = Samples.jobID(3)
            let newer = renewed
            try await store.transact { (tx) throws(StoreError) in
                try tx.remember(newer)
                try tx.forgetCreations(before: Samples.start)
            }
            #expect(try await find(key, since: Samples.start) == newer)
            try await store.transact { (tx) throws(StoreError) in
                try tx.forgetCreations(before: Samples.start + .seconds(5))
            }
            #expect(try await find(key, since: .distantPast) == nil)
            #expect(try await find(later.key, since: .distantPast) == later)
        }
    }

    // MARK: parts

    private static func entry(
        _ tenant: TenantID = Samples.target, job: Int? = nil, at: Instant = Samples.start
    ) -> AuditEntry {
        AuditEntry(tenant: tenant, at: at, operation: "createJob", job: job.map { Samples.jobID($0) }, status: 201)
    }

    fileprivate static func append(_ entry: AuditEntry, in tx: any StoreTransaction) throws(StoreError) {
        try tx.append(AuditChain.seal(entry, after: try tx.auditHead(of: entry.tenant) ?? .beginning(of: entry.tenant)))
    }
}

extension Store {
    /// Appends the entries to their chains in one transaction.
    package func append(_ entries: [AuditEntry]) async throws(StoreError) {
        try await transact { (tx) throws(StoreError) in
            for entry in entries { try StoreConformance.append(entry, in: tx) }
        }
    }
}
