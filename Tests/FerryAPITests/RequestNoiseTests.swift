import FerryAPI
import FerryCore
import Testing

struct RequestNoiseTests {
    @Test("Random request targets are routed or refused with 400, 404 or 405")
    func targets() {
        var random = Noise(seed: 2031)
        let pieces = [
            "/", "v1.0", "beta", "solutions", "migrations", "crossTenantMigrationJobs", "(", ")", "'", "''",
            "displayName=",
            "id=", "users", "$count", "validate", "microsoft.graph.", "%27", "%", "%2", "%00", "%FF", "?", "&", "=",
            "$top",
            "#", "://", "é", "\u{0}", "ferry", "jobs", "report", " ", "wave",
        ]
        let methods = Method.allCases.map(\.rawValue) + ["brew", ""]
        var routed = 0
        for _ in 0..<20_000 {
            let prefix = random.pick(["", "/v1.0/solutions/migrations/crossTenantMigrationJobs", "/ferry/jobs/a/"])
            let path = prefix + (0..<random.number(below: 8)).map { _ in random.pick(pieces) }.joined()
            let outcome = failure { () throws(Failure) in
                let target = try RequestTarget(path)
                _ = try Route(segments: target.segments).resource.operation(for: Method(token: random.pick(methods)))
                _ = try QueryOptions(target.rawQuery, allowing: [.top])
            }
            if let outcome { #expect([400, 404, 405].contains(outcome.answer.status), "\(path)") } else { routed += 1 }
        }
        #expect(routed > 0)
    }

    @Test("Base64url has one text per sequence of bytes")
    func base64() {
        var random = Noise(seed: 1)
        for count in 0..<40 {
            let bytes = (0..<count).map { _ in UInt8(random.number(below: 256)) }
            #expect(Base64URL.decode(Base64URL.encode(bytes)) == bytes)
        }
        for bad in ["A", "AB=", "A+", "A/", "AB", "Aé"] { #expect(Base64URL.decode(bad) == nil, "\(bad)") }
        #expect(Base64URL.decode("-_8") == [0xFB, 0xFF])
    }
}
