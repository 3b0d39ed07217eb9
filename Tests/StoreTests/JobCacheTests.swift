import FerryCore
import FerryTestKit
import Testing

@testable import FerrySQLite

@Suite("The jobs kept in memory") struct JobCacheTests {
    private func key(_ number: Int) -> JobReference { .key(Samples.jobID(number).description) }

    @Test("are bounded, and those that are read stay")
    func areBounded() {
        let cache = JobCache(capacity: 10)
        for number in 1...1_000 {
            cache.fill(Samples.job(number), cache.ticket())
            #expect(
                cache.job(number == 1 ? key(1) : .displayName("wave 1"), in: Samples.target)?.id == Samples.jobID(1))
        }
        #expect((1...1_000).filter { cache.job(key($0), in: Samples.target) != nil }.count <= 20)
    }

    @Test("are not filled from a read that began before a commit")
    func refuseOldReads() {
        let cache = JobCache(capacity: 10)
        let before = cache.ticket()
        cache.beginChange(of: [Samples.jobID(1)])
        #expect(cache.ticket() == nil)
        cache.fill(Samples.job(2), before)
        cache.endChange([])
        cache.fill(Samples.job(1), before)
        cache.fill(Samples.job(1), nil)
        #expect(cache.job(key(1), in: Samples.target) == nil)
        #expect(cache.job(key(2), in: Samples.target) == nil)
        cache.fill(Samples.job(1), cache.ticket())
        #expect(cache.job(key(1), in: Samples.target) == Samples.job(1))
    }

    @Test("are gone while a commit changes them, and new after it")
    func areRenewedByCommits() {
        let cache = JobCache(capacity: 10)
        cache.fill(Samples.job(1), cache.ticket())
        cache.beginChange(of: [Samples.jobID(1)])
        #expect(cache.job(Samples.jobID(1)) == nil)
        cache.endChange([Samples.job(1, status: .failed)])
        #expect(cache.job(Samples.jobID(1))?.status == .failed)
        #expect(cache.job(.displayName("WAVE 1"), in: Samples.target)?.status == .failed)
        #expect(cache.job(.displayName("WAVE 1"), in: Samples.stranger) == nil)
    }

    @Test("are not found by a name that they hold no more")
    func giveUpTheirNames() {
        let cache = JobCache(capacity: 10)
        cache.fill(Samples.job(1), cache.ticket())
        cache.beginChange(of: [Samples.jobID(1)])
        cache.endChange([Samples.job(1, status: .pendingDelete)])
        #expect(cache.job(.displayName("Wave 1"), in: Samples.target) == nil)
        #expect(cache.job(key(1), in: Samples.target)?.status == .pendingDelete)
        cache.fill(Samples.job(2, name: "wave 1"), cache.ticket())
        #expect(cache.job(.displayName("Wave 1"), in: Samples.target)?.id == Samples.jobID(2))
    }

    @Test("are forgotten for good when the store is closed")
    func areForgotten() {
        let cache = JobCache(capacity: 10)
        cache.fill(Samples.job(1), cache.ticket())
        cache.close()
        #expect(cache.job(Samples.jobID(1)) == nil)
        cache.fill(Samples.job(1), cache.ticket())
        #expect(cache.job(Samples.jobID(1)) == nil)
    }

    private func page(_ numbers: ClosedRange<Int>) -> QueryPage<Job> {
        QueryPage(rows: numbers.map { Samples.job($0) }, next: nil)
    }

    @Test("include pages, which any commit forgets and no older read brings back")
    func forgetPages() {
        let cache = JobCache(capacity: 10)
        let query = JobQuery(tenant: Samples.target)
        let before = cache.ticket()
        cache.fill(page(1...3), of: query, before)
        #expect(cache.page(query)?.rows.count == 3)
        #expect(cache.page(JobQuery(tenant: Samples.stranger)) == nil)
        cache.beginChange(of: [Samples.jobID(9)])
        #expect(cache.page(query) == nil)
        cache.fill(page(1...3), of: query, before)
        cache.endChange([Samples.job(9)])
        cache.fill(page(1...3), of: query, before)
        #expect(cache.page(query) == nil)
    }

    @Test("keep no more rows of pages than twice as many as jobs")
    func boundPages() {
        let cache = JobCache(capacity: 10)
        func query(_ skip: Int) -> JobQuery {
            var query = JobQuery(tenant: Samples.target)
            query.skip = skip
            return query
        }
        for skip in 0..<50 {
            cache.fill(page(1...3), of: query(skip), cache.ticket())
            #expect((0..<50).filter { cache.page(query($0)) != nil }.count * 3 <= 20)
            #expect(cache.page(query(skip)) != nil)
        }
        cache.fill(page(1...11), of: query(99), cache.ticket())
        #expect(cache.page(query(99)) == nil)
    }
}
