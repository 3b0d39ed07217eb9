package import FerryConnector
package import FerryCore

/// The configured connectors, by tenant and service.
package protocol Connections: Sendable {
    /// `nil` when the tenant has no such service.
    func connector(of tenant: TenantID, for service: ServiceKind) -> (any Connector)?
}
