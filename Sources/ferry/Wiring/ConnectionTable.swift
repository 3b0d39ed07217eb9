import FerryConnector
import FerryCore
import FerryDAV
import FerryEngine
import FerryFolder
import FerryIMAP

/// The configured connectors. The only place where a kind of service becomes a concrete connector.
struct ConnectionTable: Connections {
    private struct Key: Hashable {
        var tenant: TenantID
        var service: ServiceKind
    }

    private let connectors: [Key: any Connector]
    private let parallelism: [String: Int]

    init(_ configuration: Configuration, now: @escaping @Sendable () -> Instant) {
        var connectors: [Key: any Connector] = [:]
        var parallelism: [String: Int] = [:]
        for tenant in configuration.tenants {
            for (service, location) in tenant.services {
                let connector: any Connector =
                    switch location {
                    case .folder(let path):
                        FolderConnector(service: service, tenant: tenant.name, root: path, now: now)
                    case .imap(let location):
                        IMAPConnector(location, tenant: tenant.name)
                    case .webdav(let location):
                        DAVConnector(tenant: tenant.name, settings: DAVSettings(location))
                    case .caldav(let location):
                        CollectionConnector(.calendars, tenant: tenant.name, settings: DAVSettings(location))
                    case .carddav(let location):
                        CollectionConnector(.addressBooks, tenant: tenant.name, settings: DAVSettings(location))
                    }
                connectors[Key(tenant: tenant.id, service: service)] = connector
                // Services that share an endpoint share its limit.
                let name = connector.lane.name
                parallelism[name] = min(parallelism[name] ?? .max, connector.parallelism)
            }
        }
        self.connectors = connectors
        self.parallelism = parallelism
    }

    func connector(of tenant: TenantID, for service: ServiceKind) -> (any Connector)? {
        connectors[Key(tenant: tenant, service: service)]
    }

    func parallelism(ofEndpoint name: String) -> Int { parallelism[name] ?? 1 }
}
