import FerryCore
import Testing

@testable import FerryAPI

struct EncodedJobsTests {
    private let representation = Examples.beta

    @Test func `A job that was written before is the same from memory, alone and in a list`() {
        let memory = EncodedJobs()
        let job = ExpandedJob(Examples.job)
        let fresh = JobEncoder.entity(job, shape: JobShape(), as: representation)
        for _ in 0..<2 {
            #expect(JobEncoder.entity(job, shape: JobShape(), as: representation, memory: memory) == fresh)
            #expect(
                JobEncoder.list(
                    [job, job], count: 2, nextLink: nil, shape: JobShape(), as: representation, memory: memory)
                    == JobEncoder.list([job, job], count: 2, nextLink: nil, shape: JobShape(), as: representation))
        }
    }

    @Test func `Another version is written anew, and what depends on more than the job is never remembered`() throws {
        let memory = EncodedJobs()
        var job = Examples.job
        _ = JobEncoder.entity(ExpandedJob(job), shape: JobShape(), as: representation, memory: memory)
        job.version += 1
        job.message = "something else"
        let text = String(
            decoding: JobEncoder.entity(ExpandedJob(job), shape: JobShape(), as: representation, memory: memory),
            as: UTF8.self)
        #expect(text.contains("something else"))
        var full = representation
        full.metadata = .full
        #expect(
            JobEncoder.entity(ExpandedJob(job), shape: JobShape(), as: full, memory: memory)
                == JobEncoder.entity(ExpandedJob(job), shape: JobShape(), as: full))
    }

    @Test func `It is bounded by bytes`() {
        let memory = EncodedJobs(capacity: 1600)
        var job = Examples.job
        var written = 0
        for round in 0..<2 {
            for version in 0..<100 {
                job.version = Int64(version)
                _ = memory.members(of: job) {
                    written += 1
                    return [UInt8](repeating: 0x20, count: 100)
                }
            }
            #expect(written == (round + 1) * 100, "a hundred of them do not fit, so none is there again")
        }
        _ = memory.members(of: job) {
            Issue.record("the last one is there"); return []
        }
    }
}
