import FerryCore
import FerryStore
import FoundationEssentials
import GRDB

extension Database {
    /// Runs a statement that is kept prepared. Its text must come from a small set.
    func run(_ sql: String, _ arguments: StatementArguments) throws {
        try cachedStatement(sql: sql).execute(arguments: arguments)
    }

    /// All rows of a kept statement. `decode` must not use the same statement.
    func rows<Value>(_ sql: String, _ arguments: StatementArguments, _ decode: (Row) throws -> Value) throws -> [Value]
    {
        try rows(of: cachedStatement(sql: sql), arguments, decode)
    }

    /// Each row of a kept statement, one at a time. `body` must not use the same statement.
    func forEach(_ sql: String, _ arguments: StatementArguments, _ body: (Row) throws -> Void) throws {
        let cursor = try Row.fetchCursor(cachedStatement(sql: sql), arguments: arguments)
        while let row = try cursor.next() { try body(row) }
    }

    /// The first row of a kept statement.
    func first<Value>(_ sql: String, _ arguments: StatementArguments, _ decode: (Row) throws -> Value) throws -> Value?
    {
        let cursor = try Row.fetchCursor(cachedStatement(sql: sql), arguments: arguments)
        return try cursor.next().map(decode)
    }

    func rows<Value>(
        of statement: Statement, _ arguments: StatementArguments, _ decode: (Row) throws -> Value
    ) throws -> [Value] {
        let cursor = try Row.fetchCursor(statement, arguments: arguments)
        var values: [Value] = []
        while let row = try cursor.next() { values.append(try decode(row)) }
        return values
    }
}

extension Row {
    func identifier<ID: GUIDIdentifier>(_ index: Int) throws -> ID {
        let guid = try withUnsafeData(atIndex: index) { $0.flatMap { GUID(octets: $0) } }
        guard let guid else { throw StoreError.unusable("the store is damaged: an identifier is not of 16 octets") }
        return ID(guid)
    }

    func instant(_ index: Int) -> Instant { Instant(microseconds: self[index]) }

    /// A stored raw value.
    func member<Value: RawRepresentable>(_ index: Int) throws -> Value where Value.RawValue == String {
        let text: String = self[index]
        guard let value = Value(rawValue: text) else {
            throw StoreError.unusable("the store has a \(Value.self) '\(text)' that this program does not know")
        }
        return value
    }

    func octets(_ index: Int) throws -> [UInt8] {
        try withUnsafeData(atIndex: index) { $0.map { [UInt8]($0) } ?? [] }
    }
}

extension GUID {
    /// The 16 octets, most significant first: memcmp orders them like the text.
    var blob: Data {
        var octets: [UInt8] = []
        octets.reserveCapacity(16)
        octets.append(bigEndian: high)
        octets.append(bigEndian: low)
        return Data(octets)
    }

    init?(octets: some Collection<UInt8>) {
        guard octets.count == 16 else { return nil }
        self.init(high: UInt64(bigEndian: octets.prefix(8)), low: UInt64(bigEndian: octets.dropFirst(8)))
    }
}

extension GUIDIdentifier {
    var blob: Data { guid.blob }
}

/// Lists of 128-bit values as one blob, 16 octets each, most significant first.
enum Packed {
    static func blob(_ people: [PersonID]) -> Data { blob(people.map { ($0.guid.high, $0.guid.low) }) }

    static func blob(_ keys: [ItemKey]) -> Data { blob(keys.map { ($0.high, $0.low) }) }

    static func people(_ octets: some RandomAccessCollection<UInt8>) throws -> [PersonID] {
        try pairs(octets).map { PersonID(GUID(high: $0, low: $1)) }
    }

    static func keys(_ octets: some RandomAccessCollection<UInt8>) throws -> [ItemKey] {
        try pairs(octets).map { ItemKey(high: $0, low: $1) }
    }

    private static func blob(_ pairs: [(UInt64, UInt64)]) -> Data {
        var octets: [UInt8] = []
        octets.reserveCapacity(pairs.count * 16)
        for (high, low) in pairs {
            octets.append(bigEndian: high)
            octets.append(bigEndian: low)
        }
        return Data(octets)
    }

    private static func pairs(_ octets: some RandomAccessCollection<UInt8>) throws -> [(UInt64, UInt64)] {
        guard octets.count.isMultiple(of: 16) else {
            throw StoreError.unusable("the store is damaged: a list of keys is not a multiple of 16 octets")
        }
        var pairs: [(UInt64, UInt64)] = []
        pairs.reserveCapacity(octets.count / 16)
        var rest = octets[...]
        while !rest.isEmpty {
            pairs.append((UInt64(bigEndian: rest.prefix(8)), UInt64(bigEndian: rest.dropFirst(8).prefix(8))))
            rest = rest.dropFirst(16)
        }
        return pairs
    }
}

extension UInt64 {
    fileprivate init(bigEndian octets: some Collection<UInt8>) {
        self = octets.reduce(0) { $0 << 8 | UInt64($1) }
    }
}

extension [UInt8] {
    fileprivate mutating func append(bigEndian value: UInt64) {
        for shift in stride(from: UInt64(56), through: 0, by: -8) { append(UInt8(truncatingIfNeeded: value >> shift)) }
    }
}
