import FerryConnector
import FerryCore
import FerryEngine

/// The same connector per service for every tenant.
struct FixedConnections: Connections {
    var connectors: [ServiceKind: any Connector]

    func connector(of tenant: TenantID, for service: ServiceKind) -> (any Connector)? { connectors[service] }

    func parallelism(ofEndpoint name: String) -> Int {
        connectors.values.first { $0.lane.name == name }?.parallelism ?? 1
    }
}
