package import FerryConnector
package import FerryCore
package import FerryEngine
package import FerryStore

/// One person between two connectors of one service, as a dry run looks at them.
package struct ForecastScene: Connections {
    package var source: any Connector
    package var target: any Connector
    package var directory: StaticDirectory
    private let store: any Store

    /// - Parameter store: its ledger tells what has been copied.
    package init(
        from source: any Connector, _ sourceLogin: String, to target: any Connector, _ targetLogin: String,
        store: any Store
    ) {
        self.source = source
        self.target = target
        self.store = store
        directory = StaticDirectory(people: 1, services: [source.service])
        for (tenant, login) in [(StaticDirectory.source, sourceLogin), (StaticDirectory.target, targetLogin)] {
            for id in (directory.people[tenant] ?? [:]).keys {
                directory.people[tenant]?[id]?.logins[source.service] = login
            }
        }
        directory.cache()
    }

    package func connector(of tenant: TenantID, for service: ServiceKind) -> (any Connector)? {
        guard service == source.service else { return nil }
        return tenant == StaticDirectory.source ? source : target
    }

    package func parallelism(ofEndpoint name: String) -> Int { 2 }

    package func forecast(_ workload: Workload) async throws(WorkError) -> Forecast {
        try await Forecaster(
            store: store, planner: TransferPlanner(directory: directory, connections: self), concurrency: 16
        ).forecast(Samples.run(1, 1, workload), of: Samples.job(1, people: [1], workloads: [workload]))
    }
}
