import FerryConnector
import FerryCore
import FerryStore

/// Looks at one workload of one person as a copy would, and moves nothing.
struct ForecastWork: Sendable {
    let workshop: Workshop
    let lease: Lease
    let run: RunID

    func perform() async throws(WorkError) {
        guard let (job, _) = try await workshop.load(run.job, run.person), try await isWanted() else {
            return try await workshop.finish(lease)
        }
        do throws(WorkError) {
            let (workshop, lease) = (workshop, lease)
            let forecaster = Forecaster(
                store: workshop.store, planner: workshop.planner, concurrency: workshop.settings.concurrency)
            // A dry run that was cancelled has no lease any more.
            let forecast = try await forecaster.forecast(run, of: job) { () async throws(WorkError) in
                try await workshop.transact(under: lease) { _ in }
            }
            try await store(forecast)
        } catch {
            guard case .connector(let problem) = error else { throw error }
            switch problem.disposition {
            case .cancelled: throw error
            case .retry where !workshop.settings.backoff.isExhausted(after: lease.item.attempts + 1): throw error
            case .retry, .skip, .failRun, .hold: try await store(unseen(problem))
            }
        }
    }

    private func isWanted() async throws(WorkError) -> Bool {
        do throws(StoreError) {
            return try await workshop.store.reader.dryRun(of: run.job)?.state == .running
        } catch {
            throw .store(error)
        }
    }

    private func store(_ forecast: Forecast) async throws(WorkError) {
        let run = run
        try await workshop.transact(under: lease) { [lease] (tx) throws(StoreError) in
            try tx.finish(lease, next: nil)
            guard var dryRun = try tx.dryRun(of: run.job), dryRun.state == .running else { return }
            if try tx.setForecast(forecast, of: run) { dryRun.done += 1 }
            dryRun.settle(now: tx.now)
            try tx.setDryRun(dryRun, of: run.job)
        }
    }

    private func unseen(_ problem: ConnectorError) -> Forecast {
        var forecast = Forecast()
        forecast.findings = [
            Finding(code: .moveFailed, message: problem.context, reason: problem.code.rawValue)
        ]
        return forecast
    }
}
