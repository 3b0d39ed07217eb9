import FerryConnector

/// Items that are due and wait for a batch, in order.
struct PendingItems: Sendable {
    private var items: ArraySlice<CopyItem> = []
    private var bytes: Int64 = 0

    var isEmpty: Bool { items.isEmpty }

    mutating func append(_ item: CopyItem) {
        items.append(item)
        bytes += item.header.size
    }

    func fills(_ limits: SharedSizer.Limits) -> Bool { items.count >= limits.items || bytes >= limits.bytes }

    /// Takes out the items of the next batch: at least one.
    mutating func cut(_ limits: SharedSizer.Limits) -> [CopyItem] {
        var count = 0
        var size: Int64 = 0
        for item in items.prefix(limits.items) {
            if count > 0, size + item.header.size > limits.bytes { break }
            count += 1
            size += item.header.size
        }
        defer {
            items = items.dropFirst(count)
            bytes -= size
        }
        return Array(items.prefix(count))
    }
}
