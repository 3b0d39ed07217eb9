import FerryCore
import FerryFormats
import Testing

@Suite("The chain of the audit trail") struct AuditChainTests {
    private static let tenant = TenantID(GUID(high: 0x2222_2222_2222_2222, low: 0x2222_2222_2222_2222))

    private static let entry = AuditEntry(
        tenant: tenant, at: Instant(microseconds: 1_928_736_000_000_123), subject: "7", name: "Jörg",
        application: "ferry",
        origin: "192.0.2.7", operation: "createJob", job: JobID(GUID(high: 0x3000_0000_CCCC_4000, low: 1)), status: 201,
        requestID: GUID(high: 5, low: 6))

    @Test("covers exactly the documented netstrings")
    func canonicalBytes() {
        let record = AuditChain.seal(Self.entry, after: .beginning(of: Self.tenant))
        #expect(
            String(decoding: record.canonicalBytes, as: UTF8.self)
                == "13:ferry-audit-1,36:22222222-2222-2222-2222-222222222222,1:1,16:1928736000000123,"
                + "16:1928736000000123,1:1,1:7,5:Jörg,5:ferry,9:192.0.2.7,9:createJob,"
                + "36:30000000-cccc-4000-0000-000000000001,0:,0:,3:201,0:,36:00000000-0000-0005-0000-000000000006,")
    }

    /// Computed with Python's hashlib from the text above.
    @Test("has the digests that an independent program computes")
    func knownDigests() {
        let first = AuditChain.seal(Self.entry, after: .beginning(of: Self.tenant))
        let second = AuditChain.seal(Self.entry, after: first.head)
        #expect(first.digest.hexadecimal == "1957f3ebda8bcd5d11336090a2a86cd9220ca6b14043411da585941e98245706")
        #expect(second.digest.hexadecimal == "ff90dda6025c52f4e861fe4220c7fdfa17e4be594a3d52d61ccce85c027c25f8")
    }

    @Test("writes a head as a line that it reads again")
    func heads() {
        let head = AuditChain.seal(Self.entry, after: .beginning(of: Self.tenant)).head
        #expect(AuditHead(head.description) == head)
        for broken in ["", "x:1:00", "\(Self.tenant):1", "\(head)0", "\(Self.tenant):-1:\(head.digest.hexadecimal)"] {
            #expect(AuditHead(broken) == nil)
        }
    }

    @Test("refuses a record of another chain, and one after a gap")
    func strangers() {
        var verifier = AuditVerifier(tenant: AuditEntry.installation)
        #expect(throws: AuditVerifier.Flaw.foreign(sequence: 1)) {
            try verifier.check(AuditChain.seal(Self.entry, after: .beginning(of: Self.tenant)))
        }
        var other = AuditVerifier(tenant: Self.tenant)
        let first = AuditChain.seal(Self.entry, after: .beginning(of: Self.tenant))
        #expect(throws: AuditVerifier.Flaw.missing(sequence: 1)) {
            try other.check(AuditChain.seal(Self.entry, after: first.head))
        }
    }
}
