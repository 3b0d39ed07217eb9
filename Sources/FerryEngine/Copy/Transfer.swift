package import FerryConnector
package import FerryCore
package import FerryStore

/// Both ends of one workload run: whose data, from where, to where, and who becomes whom.
package struct Transfer: Sendable {
    /// One service of the workload with its connector and account on each side.
    package struct Leg: Sendable {
        package var service: ServiceKind
        package var source: any Connector
        package var sourceAccount: Account
        package var target: any Connector
        package var targetAccount: Account

        package init(
            service: ServiceKind, source: any Connector, sourceAccount: Account, target: any Connector,
            targetAccount: Account
        ) {
            self.service = service
            self.source = source
            self.sourceAccount = sourceAccount
            self.target = target
            self.targetAccount = targetAccount
        }
    }

    package var run: RunID
    package var route: Route
    package var legs: [Leg]
    package var addresses: AddressBook
    /// All addresses of the source person; tells which meetings the person organizes.
    package var ownAddresses: [String]
    /// The job also has the meetings workload, so the mailbox run leaves the person's own meetings to that run.
    package var hasMeetingsRun: Bool
    /// How join links begin on both sides; `nil` where links stay as they are.
    package var meetingLinks: MeetingLinks?

    /// Beginnings of links: what starts with `source` starts with `target` after the move.
    package struct MeetingLinks: Sendable, Hashable {
        package var source: String
        package var target: String
        package init(source: String, target: String) {
            self.source = source
            self.target = target
        }
    }

    package init(
        run: RunID, route: Route, legs: [Leg], addresses: AddressBook, ownAddresses: [String], hasMeetingsRun: Bool,
        meetingLinks: MeetingLinks? = nil
    ) {
        self.run = run
        self.route = route
        self.legs = legs
        self.addresses = addresses
        self.ownAddresses = ownAddresses
        self.hasMeetingsRun = hasMeetingsRun
        self.meetingLinks = meetingLinks
    }
}

/// A container of the source, by its service and its names from the top level down.
package struct ContainerPlace: Sendable, Hashable {
    package var service: ServiceKind
    package var path: [String]
    package init(service: ServiceKind, path: [String]) {
        self.service = service
        self.path = path
    }
}

/// What one pass did.
package struct PassResult: Sendable, Hashable {
    /// Items copied, updated or removed in this pass; 0 means that the target was up to date.
    package var changes: Int64
    /// Items that came to the target for the first time, where the pass was to report them.
    package var arrivals: Int64
    /// Containers in which something changed.
    package var changedPlaces: Set<ContainerPlace>
    package var progress: RunProgress

    package init(
        changes: Int64, arrivals: Int64 = 0, changedPlaces: Set<ContainerPlace> = [], progress: RunProgress
    ) {
        self.changes = changes
        self.arrivals = arrivals
        self.changedPlaces = changedPlaces
        self.progress = progress
    }
}

/// Why leased work stopped before its end.
package enum WorkError: Error, Sendable {
    case connector(ConnectorError)
    case store(StoreError)
    /// The tenants do not agree to the move of this person any more.
    case withdrawn(Finding)
}
