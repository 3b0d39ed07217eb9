package import FerryConnector
package import FerryCore
import FerryEngine

/// Tenants without any service, for tests in which nobody is moved.
package struct NoConnections: Connections {
    package init() {}
    package func connector(of tenant: TenantID, for service: ServiceKind) -> (any Connector)? { nil }
    package func parallelism(ofEndpoint name: String) -> Int { 1 }
}
