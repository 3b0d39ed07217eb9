/// How many requests are let through. All numbers are requests a minute, spent from a bucket of that size which fills up
/// evenly: a caller may spend a minute's worth at once and then gets one more every 60 / n seconds.
///
/// `nil` or 0: no limit. Reads and writes have budgets of their own, so that polling never keeps anybody from acting.
package struct RateLimits: Sendable, Hashable {
    /// Of one principal: a person or an application in a tenant.
    package var principalReads: Int?
    package var principalWrites: Int?
    /// Of all principals of a tenant together.
    package var tenantReads: Int?
    package var tenantWrites: Int?
    /// Requests without a good token, from one address (IPv6: from one /64).
    package var failedAuthentications: Int?

    package init(
        principalReads: Int? = nil, principalWrites: Int? = nil, tenantReads: Int? = nil, tenantWrites: Int? = nil,
        failedAuthentications: Int? = nil
    ) {
        self.principalReads = principalReads
        self.principalWrites = principalWrites
        self.tenantReads = tenantReads
        self.tenantWrites = tenantWrites
        self.failedAuthentications = failedAuthentications
    }

    package static let off = RateLimits()

    /// What `ferry serve` does unless it is told otherwise: far above what people and scripts that poll need, far below
    /// what keeps a small machine busy.
    package static let standard = RateLimits(
        principalReads: 6_000, principalWrites: 600, tenantReads: 30_000, tenantWrites: 3_000,
        failedAuthentications: 60)
}
