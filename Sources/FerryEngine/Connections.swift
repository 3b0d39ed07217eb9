package import FerryConnector
package import FerryCore

/// The configured connectors, by tenant and service.
package protocol Connections: Sendable {
    /// `nil` when the tenant has no such service.
    func connector(of tenant: TenantID, for service: ServiceKind) -> (any Connector)?
    /// How many people may be worked on at once at the endpoint whose lane has this name.
    func parallelism(ofEndpoint name: String) -> Int
}
