import FerryServer
import Testing

@testable import ferry

/// How much callers may ask, and whose word about addresses counts, as the configuration says it.
struct ConfigurationLimitsTests {
    private static let tenants = """
        tenants:
          - { id: 11111111-1111-1111-1111-111111111111, name: A, domains: [a.example], people: people.csv, services: { mail: { folder: a } } }

        """

    private static func read(_ yaml: String) throws(ConfigurationFailure) -> Configuration {
        let reader = ConfigurationReader(file: "ferry.yaml") { path in
            Array((path == "ferry.yaml" ? tenants + yaml : "id,userPrincipalName,displayName\n").utf8)
        }
        return try reader.read()
    }

    private static func complaint(_ yaml: String) -> String {
        do {
            _ = try read(yaml)
            return ""
        } catch {
            return error.description
        }
    }

    @Test func `without a word about limits the standard ones hold, and no proxy is believed`() throws {
        let configuration = try Self.read("")
        #expect(configuration.limits == .standard)
        #expect(configuration.limits.principalReads == 6_000)
        #expect(configuration.trustedProxies.isEmpty)
    }

    @Test func `what is given replaces the standard, and the rest stays`() throws {
        var expected = RateLimits.standard
        expected.principalWrites = 5
        expected.failedAuthentications = 0
        let configuration = try Self.read("limits: { principalWrites: 5, failedAuthentications: 0 }")
        #expect(configuration.limits == expected)
    }

    @Test(arguments: ["limits: off", "limits: 0", "limits: false"])
    func `limits can be switched off in one word`(_ yaml: String) throws {
        #expect(try Self.read(yaml).limits == .off)
    }

    @Test func `proxies are addresses and blocks of them`() throws {
        let expected = try ["127.0.0.1", "10.0.0.0/8", "fd00::/8"].map { try #require(AddressBlock($0)) }
        #expect(try Self.read("trustedProxies: [127.0.0.1, 10.0.0.0/8, 'fd00::/8']").trustedProxies == expected)
    }

    @Test(arguments: [
        ("limits: { principalReads: -1 }", "limits.principalReads: Here belongs a whole number from 0"),
        ("limits: { principalReads: 1.5 }", "limits.principalReads: Here belongs a whole number from 0"),
        ("limits: { principalReads: many }", "limits.principalReads: Here belongs a whole number from 0"),
        ("limits: { principalReads: 99999999999999999999 }", "limits.principalReads: Here belongs a whole number"),
        ("limits: { tenantRead: 5 }", "limits.tenantRead: Ferry does not know this key. Did you mean tenantReads?"),
        ("limits: [5]", "limits: Here belongs limits, which is a mapping"),
        ("limits: everything", "limits: Here belongs limits, which is a mapping"),
        ("trustedProxies: [proxy.example]", "trustedProxies[0]: 'proxy.example' is no address."),
        ("trustedProxies: [127.0.0.1, 10.0.0.0/33]", "trustedProxies[1]: '10.0.0.0/33' is no address."),
        ("settings: { repetitionsLast: soon }", "settings.repetitionsLast: Here belongs a time span"),
    ])
    func `each slip is reported at its key`(_ yaml: String, _ complaint: String) {
        #expect(Self.complaint(yaml).contains(complaint), "\(Self.complaint(yaml))")
    }
}
