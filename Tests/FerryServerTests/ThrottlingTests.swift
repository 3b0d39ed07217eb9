import FerryAPI
import FerryCore
import FerryTestKit
import Synchronization
import Testing

@testable import FerryServer

/// Throttling (reference 7.8): who has to wait, how long, and what happens until then. Clocks stand still unless a test
/// moves them, so no bucket fills up because the machine is slow.
struct ThrottlingTests {
    private static func settings(_ limits: RateLimits) -> ServerSettings {
        ServerSettings(publicBaseURL: "https://move.example", limits: limits)
    }

    // MARK: the wire

    @Test("A principal that spent its writes gets 429 TooManyRequests before anything happens; its reads go on")
    func writes() async throws {
        try await World.run(
            settings: Self.settings(RateLimits(principalReads: 100, principalWrites: 2)), clock: VirtualClock()
        ) { _, client in
            _ = try await client.create("wave-1")
            _ = try await client.create("wave-2")
            let reply = try await client.send("POST \(World.v1)", body: World.body("wave-3"))
            #expect(reply.status == 429)
            #expect(reply.code == "TooManyRequests")
            #expect(reply["request-id"] == reply.json["error"]?["innerError"]?["request-id"]?.string)
            // One more is there after half a minute; both after a whole one.
            #expect(reply["Retry-After"] == "30")
            #expect(reply["RateLimit-Limit"] == "2")
            #expect(reply["RateLimit-Remaining"] == "0")
            #expect(reply["RateLimit-Reset"] == "60")
            #expect(try await client.send("GET \(World.v1)/$count").text == "2")
        }
    }

    @Test("A body is not waited for when its sender has to wait: one that is too large is 429 then, not 413")
    func bodies() async throws {
        var settings = Self.settings(RateLimits(principalWrites: 1))
        settings.maximumBodyBytes = 1_000
        try await World.run(settings: settings, clock: VirtualClock()) { _, client in
            let large = String(repeating: " ", count: 2_000)
            let first = try await client.send("POST \(World.v1)", body: large)
            #expect(first.status == 413)
            #expect(try await client.send("POST \(World.v1)", body: large).status == 429)
        }
    }

    @Test("The budget is told once four fifths of it are spent, and counts down")
    func headers() async throws {
        try await World.run(settings: Self.settings(RateLimits(principalReads: 10)), clock: VirtualClock()) {
            _, client in
            var told: [String?] = []
            for _ in 1...10 { told.append(try await client.send("GET \(World.v1)")["RateLimit-Remaining"]) }
            #expect(told == [nil, nil, nil, nil, nil, nil, nil, nil, "1", "0"])
            #expect(try await client.send("GET \(World.v1)").status == 429)
        }
    }

    @Test("Principals have budgets of their own, a tenant one for all of them, and tenants do not share")
    func tenants() async throws {
        let limits = RateLimits(principalReads: 3, tenantReads: 4)
        try await World.run(settings: Self.settings(limits), clock: VirtualClock()) { world, client in
            func status(_ user: UInt64, _ tenant: TenantID = World.target) async throws -> Int {
                let token = try world.token(of: user, tenant: tenant)
                return try await client.send("GET \(World.v1)", token: token).status
            }
            var own: [Int] = []
            for _ in 1...4 { own.append(try await status(1)) }
            #expect(own == [200, 200, 200, 429])
            // What was refused has cost the tenant nothing.
            #expect(try await status(2) == 200)
            #expect(try await status(2) == 429)
            #expect(try await status(3) == 429)
            #expect(try await status(1, World.other) == 200)
        }
    }

    @Test("Paths that lead nowhere and rights that are missing count, too; health, OPTIONS and $metadata never do")
    func exempt() async throws {
        try await World.run(settings: Self.settings(RateLimits(principalReads: 2)), clock: VirtualClock()) {
            world, client in
            #expect(try await client.send("GET /v1.0/nowhere").status == 400)
            let powerless = try world.token(roles: [])
            #expect(try await client.send("GET \(World.v1)", token: powerless).status == 403)
            #expect(try await client.send("GET \(World.v1)").status == 429)
            for path in ["GET /healthz", "GET /readyz", "GET /v1.0/$metadata"] {
                #expect(try await client.send(path).status == 200)
            }
            #expect(try await client.send("OPTIONS \(World.v1)").status == 204)
        }
    }

    @Test("Inside $batch each step counts: those beyond the budget are 429, the batch itself is 200")
    func batch() async throws {
        try await World.run(settings: Self.settings(RateLimits(principalReads: 3)), clock: VirtualClock()) {
            _, client in
            let steps = (1...5).map {
                "{\"id\":\"\($0)\",\"method\":\"GET\",\"url\":\"/solutions/migrations/crossTenantMigrationJobs\"}"
            }
            let body = "{\"requests\":[\(steps.joined(separator: ","))]}"
            let reply = try await client.send("POST /v1.0/$batch", body: body)
            #expect(reply.status == 200)
            guard case .array(let responses) = reply.json["responses"] else { throw Complaint(text: reply.text) }
            let statuses = responses.compactMap { response -> String? in
                if case .number(let text) = response["status"] { text } else { nil }
            }
            #expect(statuses.sorted() == ["200", "200", "200", "429", "429"])
            for response in responses where response["body"]?["error"] != nil {
                #expect(response["body"]?["error"]?["code"]?.string == "TooManyRequests")
                #expect(response["headers"]?["Retry-After"]?.string != nil)
            }
            let again = try await client.send("POST /v1.0/$batch", body: body)
            #expect(again.status == 200)
            #expect(!again.text.contains("\"status\":200"))
        }
    }

    @Test("A batch that cannot be read counts as one read, so that it is not free however often it is sent")
    func unreadableBatch() async throws {
        try await World.run(settings: Self.settings(RateLimits(principalReads: 2)), clock: VirtualClock()) {
            _, client in
            var statuses: [Int] = []
            for _ in 1...3 {
                statuses.append(try await client.send("POST /v1.0/$batch", body: "{\"requests\":").status)
            }
            #expect(statuses == [400, 400, 429])
        }
    }

    @Test("Without limits nobody is counted, and 0 is no limit")
    func off() async throws {
        for limits in [RateLimits.off, RateLimits(principalReads: 0, tenantReads: 0)] {
            try await World.run(settings: Self.settings(limits), clock: VirtualClock()) { _, client in
                for _ in 1...50 {
                    let reply = try await client.send("GET \(World.v1)")
                    #expect(reply.status == 200)
                    #expect(reply["RateLimit-Limit"] == nil)
                }
            }
        }
    }

    // MARK: the meters, by a clock of their own

    private final class Time: Sendable {
        private let nanoseconds = Mutex<Int64>(0)
        var now: Int64 { nanoseconds.withLock { $0 } }
        func pass(seconds: Double) { nanoseconds.withLock { $0 += Int64(seconds * 1e9) } }
    }

    private static func principal(_ number: Int, in tenant: TenantID = World.target) -> Principal {
        Principal(tenant: tenant, subject: "\(number)", name: "", canRead: true, canWrite: true)
    }

    @Test("A bucket holds a minute's worth at once and fills up evenly")
    func refill() {
        let time = Time()
        let meter = RateMeter(RateLimits(principalReads: 60), uptime: { time.now })
        func admits(_ count: Int) -> Bool {
            (0..<count).allSatisfy { _ in
                meter.admit(Self.principal(1), isWrite: false)?.retryAfterSeconds == nil
            }
        }
        #expect(admits(60))
        #expect(meter.admit(Self.principal(1), isWrite: false)?.retryAfterSeconds == 1)
        time.pass(seconds: 0.999)
        #expect(!admits(1))
        time.pass(seconds: 0.001)
        #expect(admits(1))
        #expect(!admits(1))
        time.pass(seconds: 30)
        #expect(admits(30))
        #expect(!admits(1))
        time.pass(seconds: 3_600)
        #expect(admits(60))
        #expect(!admits(1))
    }

    @Test("Who waits as long as it was told is let through", arguments: [1, 7, 60, 601, 100_000])
    func waits(perMinute: Int) throws {
        let time = Time()
        let meter = RateMeter(RateLimits(tenantWrites: perMinute), uptime: { time.now })
        var refused: RateMeter.Verdict?
        for _ in 0...perMinute { refused = meter.admit(Self.principal(1), isWrite: true) }
        time.pass(seconds: Double(try #require(refused?.retryAfterSeconds)))
        #expect(meter.admit(Self.principal(2), isWrite: true)?.retryAfterSeconds == nil)
    }

    @Test("Memory is bounded however many principals there are, and those of the last moment are still known")
    func bounded() {
        var buckets = Buckets<Int>(capacity: 100)
        for number in 0..<10_000 {
            buckets[number] = Int64(number)
            #expect(buckets.count <= 200)
        }
        #expect((9_900..<10_000).allSatisfy { buckets[$0] == Int64($0) })
        #expect(buckets[0] == .min)
    }

    @Test("Concurrent requests together get exactly what the bucket holds")
    func concurrent() async {
        let meter = RateMeter(RateLimits(principalReads: 500, tenantReads: 700), uptime: { 0 })
        let admitted = await withTaskGroup(of: Int.self) { group in
            for worker in 0..<8 {
                group.addTask {
                    (0..<200).count { _ in
                        meter.admit(Self.principal(worker % 2), isWrite: false)?.retryAfterSeconds == nil
                    }
                }
            }
            return await group.reduce(0, +)
        }
        #expect(admitted == 700)
    }

    @Test("An address that failed too often is not heard until its time, others are; once all is quiet nothing is kept")
    func failures() throws {
        let time = Time()
        let meter = FailureMeter(RateLimits(failedAuthentications: 3), uptime: { time.now })
        let bad = try #require(PeerAddress("192.0.2.7"))
        let good = try #require(PeerAddress("192.0.2.8"))
        #expect(meter.isQuiet)
        for _ in 1...3 {
            #expect(meter.secondsToWait(bad) == nil)
            meter.failed(bad)
        }
        #expect(!meter.isQuiet)
        #expect(meter.secondsToWait(bad) == 20)
        #expect(meter.secondsToWait(good) == nil)
        time.pass(seconds: 20)
        #expect(meter.secondsToWait(bad) == nil)
        time.pass(seconds: 40)
        #expect(meter.isQuiet)
    }

    @Test("IPv6 addresses of one customer count as one")
    func networks() throws {
        let meter = FailureMeter(RateLimits(failedAuthentications: 1), uptime: { 0 })
        meter.failed(try #require(PeerAddress("2001:db8:1:2::7")))
        #expect(meter.secondsToWait(try #require(PeerAddress("2001:db8:1:2:ffff::1"))) != nil)
        #expect(meter.secondsToWait(try #require(PeerAddress("2001:db8:1:3::7"))) == nil)
    }
}

/// Addresses of clients, and whose word about them counts.
struct PeerAddressTests {
    @Test(
        "Addresses are read and written",
        arguments: [
            ("192.0.2.7", "192.0.2.7"), ("192.0.2.7:4711", "192.0.2.7"), ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:DB8:0:0::1", "2001:db8::1"), ("[2001:db8::1]:443", "2001:db8::1"), ("fe80::1%eth0", "fe80::1"),
        ])
    func reads(_ text: String, _ expected: String) throws {
        #expect(try #require(PeerAddress(text)).description == expected)
    }

    @Test(
        "What is no address is refused", arguments: ["", "unknown", "192.0.2", "192.0.2.256", "_hidden", "[::1", ":1"])
    func refuses(_ text: String) { #expect(PeerAddress(text) == nil) }

    @Test(
        "A block holds the addresses that begin like it",
        arguments: [
            ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", false), ("0.0.0.0/0", "203.0.113.9", true), ("0.0.0.0/0", "::1", false),
            ("fd00::/8", "fdff::1", true), ("2001:db8::/63", "2001:db8:0:1::", true),
            ("2001:db8::/64", "2001:db8:0:1::", false), ("::/0", "10.0.0.1", true), ("192.0.2.6/31", "192.0.2.7", true),
        ])
    func blocks(_ block: String, _ address: String, _ expected: Bool) throws {
        #expect(try #require(AddressBlock(block)).contains(try #require(PeerAddress(address))) == expected)
    }

    @Test("What is no block is refused", arguments: ["10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "::/129", "x/8"])
    func refusesBlocks(_ text: String) { #expect(AddressBlock(text) == nil) }

    @Test(
        "X-Forwarded-For counts only from trusted proxies, and only as far as they vouch for it",
        arguments: [
            ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"), ("10.0.0.1", [], "10.0.0.1"),
            ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"), ("10.0.0.1", ["6.6.6.6, 198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", ["6.6.6.6", "198.51.100.1 , 10.0.0.2"], "198.51.100.1"),
            ("10.0.0.1", ["198.51.100.1, nonsense"], "10.0.0.1"), ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            ("10.0.0.1", ["[2001:db8::1]:4711"], "2001:db8::1"),
        ])
    func forwarded(_ peer: String, _ headers: [String], _ expected: String) throws {
        let proxies = [try #require(AddressBlock("10.0.0.0/8"))]
        let client = Origin.client(try #require(PeerAddress(peer)), forwarded: headers, trusting: proxies)
        #expect(client.description == expected)
        // Nobody is trusted: the header is as good as absent.
        #expect(
            Origin.client(try #require(PeerAddress(peer)), forwarded: headers, trusting: []).description == peer)
    }
}
