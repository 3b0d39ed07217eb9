import FerryCore
import FerryStore
import FoundationEssentials
import GRDB

/// Rows of `ledger` and what belongs to them: the base, the batches since, the intent.
///
/// A checkpoint appends one batch and never touches the base, so it costs the same in the first minute and after a
/// million items. The end of a pass replaces both by a new base.
struct LedgerTable {
    let db: Database

    func read(_ route: Route, _ container: ContainerID) throws -> ContainerLedger {
        guard let number = try number(route, container) else { return ContainerLedger() }
        var changes = LedgerChanges()
        try db.forEach(
            "SELECT entries, removed FROM ledger_batch WHERE ledger = ? ORDER BY sequence", [number]
        ) { row in
            changes.append(try Self.entries(row.octets(0)), removed: Set(try Packed.keys(row.octets(1))))
        }
        let base = try db.first("SELECT entries, cursor FROM ledger_base WHERE ledger = ?", [number]) { row in
            (entries: try Self.entries(row.octets(0)), cursor: row[1] as Data?)
        }
        let entries = changes.applied(to: base?.entries ?? [])
        let intent = try db.first("SELECT keys, mark FROM ledger_intent WHERE ledger = ?", [number]) { row in
            BatchIntent(keys: try Packed.keys(row.octets(0)), mark: try row.octets(1))
        }
        return ContainerLedger(entries: entries, cursor: base?.cursor.map { [UInt8]($0) }, intent: intent)
    }

    func containers(_ route: Route) throws -> [ContainerID] {
        try db.rows("SELECT container FROM ledger WHERE route = ? ORDER BY container", [route.blob]) {
            ContainerID($0[0])
        }
    }

    func append(_ entries: [LedgerEntry], removed: [ItemKey], to number: Int64) throws {
        if entries.isEmpty, removed.isEmpty { return }
        try db.run(
            "INSERT INTO ledger_batch (ledger, entries, removed) VALUES (?, ?, ?)",
            [number, Data(LedgerEntries(entries).stored), Packed.blob(removed)])
    }

    func setIntent(_ intent: BatchIntent?, of number: Int64) throws {
        if let intent {
            try db.run(
                """
                INSERT INTO ledger_intent (ledger, keys, mark) VALUES (?, ?, ?)
                ON CONFLICT (ledger) DO UPDATE SET keys = excluded.keys, mark = excluded.mark
                """, [number, Packed.blob(intent.keys), Data(intent.mark)])
        } else {
            try db.run("DELETE FROM ledger_intent WHERE ledger = ?", [number])
        }
    }

    func replace(_ ledger: ContainerLedger, of number: Int64) throws {
        try db.run("DELETE FROM ledger_batch WHERE ledger = ?", [number])
        try db.run(
            """
            INSERT INTO ledger_base (ledger, entries, cursor) VALUES (?, ?, ?)
            ON CONFLICT (ledger) DO UPDATE SET entries = excluded.entries, cursor = excluded.cursor
            """, [number, Data(ledger.entries.stored), ledger.cursor.map { Data($0) }])
        try setIntent(ledger.intent, of: number)
    }

    func remove(_ route: Route, _ container: ContainerID) throws {
        guard let number = try number(route, container) else { return }
        try db.run("DELETE FROM ledger_batch WHERE ledger = ?", [number])
        try db.run("DELETE FROM ledger_base WHERE ledger = ?", [number])
        try db.run("DELETE FROM ledger_intent WHERE ledger = ?", [number])
        try db.run("DELETE FROM ledger WHERE number = ?", [number])
    }

    /// The number of the container's ledger, which is begun if there is none.
    func open(_ route: Route, _ container: ContainerID) throws -> Int64 {
        if let number = try number(route, container) { return number }
        try db.run("INSERT INTO ledger (route, container) VALUES (?, ?)", [route.blob, container.text])
        return db.lastInsertedRowID
    }

    private func number(_ route: Route, _ container: ContainerID) throws -> Int64? {
        try db.first(
            "SELECT number FROM ledger WHERE route = ? AND container = ?", [route.blob, container.text]
        ) { $0[0] }
    }

    private static func entries(_ octets: [UInt8]) throws -> LedgerEntries {
        guard let entries = LedgerEntries(stored: octets) else {
            throw StoreError.unusable("the store is damaged: entries of a ledger are not readable; restore a backup")
        }
        return entries
    }
}

/// What batches have changed, in their order. Merged in pairs of like size as they come, so that a million entries are gone
/// through some dozen times and never spelled out at once.
private struct LedgerChanges {
    private struct Run {
        var entries: LedgerEntries
        var removed: Set<ItemKey>
        /// Batches in it.
        var batches: Int

        /// Both, this one first. The last record of a key counts, and a removal is a record.
        func followed(by next: Run) -> Run {
            var removed = removed
            if !removed.isEmpty { for entry in next.entries { removed.remove(entry.key) } }
            return Run(
                entries: entries.merged(with: next.entries, removing: next.removed),
                removed: removed.union(next.removed), batches: batches + next.batches)
        }
    }

    private var runs: [Run] = []

    mutating func append(_ entries: LedgerEntries, removed: Set<ItemKey>) {
        runs.append(Run(entries: entries, removed: removed, batches: 1))
        while runs.count > 1, runs[runs.count - 2].batches <= runs[runs.count - 1].batches { mergeLast() }
    }

    consuming func applied(to base: LedgerEntries) -> LedgerEntries {
        while runs.count > 1 { mergeLast() }
        guard let run = runs.first else { return base }
        return base.merged(with: run.entries, removing: run.removed)
    }

    private mutating func mergeLast() {
        let last = runs.removeLast()
        runs[runs.count - 1] = runs[runs.count - 1].followed(by: last)
    }
}

extension Route {
    /// Four identifiers of 16 octets, then the workload's raw value.
    fileprivate var blob: Data {
        sourceTenant.blob + sourcePerson.blob + targetTenant.blob + targetPerson.blob + Data(workload.rawValue.utf8)
    }
}
