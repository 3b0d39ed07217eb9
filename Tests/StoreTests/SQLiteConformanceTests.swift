import FerryCore
import FerrySQLite
import FerryStore
import FerryTestKit
import Synchronization
import Testing

extension StoreConformance.Behaviour: CustomTestStringConvertible {
    package var testDescription: String { description }
}

@Suite("The embedded store") struct SQLiteConformanceTests {
    @Test("keeps the contract of a store", arguments: StoreConformance.behaviours)
    func keepsTheContract(_ behaviour: StoreConformance.Behaviour) async throws {
        let directory = try StoreDirectory()
        let number = Mutex(0)
        let suite = StoreConformance { now in
            let name = number.withLock { number in
                number += 1
                return "\(number).sqlite"
            }
            return try await SQLiteStore.open(path: directory.path + "/" + name, now: now)
        }
        try await behaviour.check(suite)
    }

    @Test("keeps the contract with one reader, no room in memory and commits of one")
    func keepsTheContractWhenSmall() async throws {
        let directory = try StoreDirectory()
        let number = Mutex(0)
        let suite = StoreConformance { now in
            let name = number.withLock { number in
                number += 1
                return "\(number).sqlite"
            }
            var settings = SQLiteStore.Settings()
            settings.readers = 1
            settings.cachedJobs = 1
            settings.maximumBatch = 1
            return try await SQLiteStore.open(path: directory.path + "/" + name, settings: settings, now: now)
        }
        try await suite.runAll()
    }
}
