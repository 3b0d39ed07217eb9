import FerryCore
import FerrySQLite
import FerryTestKit
import Foundation

/// A directory of its own for one test, removed with the value.
final class StoreDirectory: Sendable {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "ferry-store-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var store: String { path + "/ferry.sqlite" }

    /// Opens the store of the directory at a clock that stands still.
    func open(
        _ name: String = "ferry.sqlite", access: SQLiteStore.Access = .exclusive,
        settings: SQLiteStore.Settings = SQLiteStore.Settings(), now: Instant = Samples.start
    ) async throws -> SQLiteStore {
        try await SQLiteStore.open(path: path + "/" + name, access: access, settings: settings, now: { now })
    }

    /// What a crash would leave: the files as they are now, under another name. The store stays open.
    func copyFiles(to name: String) throws {
        for suffix in ["", "-wal"] {
            try FileManager.default.copyItem(atPath: store + suffix, toPath: path + "/" + name + suffix)
        }
    }
}
