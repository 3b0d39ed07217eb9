import FerryConnector
import FerryCore

/// A person's calendars or address books in a vdir, opened for writing.
final class VdirTarget: TargetSession {
    let capabilities = TargetCapabilities(isIdempotent: true, batchItems: 1024, batchBytes: 32 << 20)

    private let root: Directory
    private let kind: VdirKind

    init(root: Directory, kind: VdirKind) {
        self.root = root
        self.kind = kind
    }

    /// The collection's directory, its name, color, description and order. A name that cannot be a directory's becomes the
    /// display name.
    func ensure(_ container: Container) async throws(ConnectorError) -> Container {
        let name = VdirName.collection(container.path)
        var displayName: String?
        var color: String?
        switch (container.details, kind) {
        case (.calendar(let itsName, let itsColor, _), .calendars),
            (.addressBook(let itsName, let itsColor, _), .addressBooks):
            displayName = itsName ?? ([name.description] == container.path ? nil : container.path.last)
            color = itsColor.flatMap(VdirKind.checkedColor)
        default:
            throw ConnectorError(
                .targetItemRefused, .failRun, "\(container.place) is not of the kind that this folder holds.")
        }
        let properties = [
            (VdirKind.displayName, displayName), (VdirKind.color, color),
            (VdirKind.description, container.details.traits.description),
            (VdirKind.order, container.details.traits.order),
        ]
        return try await Disk.run { [root, kind] () throws(ConnectorError) in
            let details = try translating({ .target($0, container.place) }) { () throws(SystemError) in
                let directory = try root.directory(creating: name)
                try directory.removeLeftovers()
                for (file, value) in properties {
                    guard let value else { continue }
                    let content = Array(value.utf8)
                    if try directory.content(of: file) != content {
                        try directory.replaceContent(of: file, with: content)
                    }
                }
                return try kind.details(of: directory)
            }
            return Container(name: ContainerName.make(name), path: container.path, details: details)
        }
    }

    func write(
        _ headers: [ItemHeader], bodies: any BodyReader, in container: Container
    ) async throws(ConnectorError) -> [WriteReceipt] {
        let directory = try await Disk.run { [self] () throws(ConnectorError) in try open(container) }
        let batch = FileBatch(home: directory) { [kind] (header) throws(ConnectorError) in
            Placement(staging: directory, directory: directory, name: VdirName.item(header, kind))
        }
        return try await batch.write(headers, bodies: bodies)
    }

    func remove(_ items: [PlacedItem], in container: Container) async throws(ConnectorError) {
        let keys = items.map(\.key)
        try await Disk.run { [self] () throws(ConnectorError) in
            let directory = try open(container)
            let wanted = Set(keys)
            try translating({ .target($0, container.place) }) { () throws(SystemError) in
                for name in try directory.names()
                where kind.isItem(name) && wanted.contains(VdirName.key(of: name, kind)) {
                    try directory.remove(name)
                }
                try directory.sync()
            }
        }
    }

    func close() async {}

    private func open(_ container: Container) throws(ConnectorError) -> Directory {
        guard let name = ContainerName.directory(container.name) else {
            throw ConnectorError(.targetNameRefused, .failRun, "\(container.place) has no usable name.")
        }
        return try translating({ .target($0, container.place) }) { () throws(SystemError) in try root.directory(name) }
    }
}
