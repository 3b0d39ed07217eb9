// swift-tools-version: 6.3
// The map of the house: targets from low to high, imports go down only. `script/check-house` holds the code against it.
import PackageDescription

/// Compiler settings of every target: the upcoming features of style 4.6, and a warning is an error.
let house: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .enableUpcomingFeature("ImmutableWeakCaptures"),
    .treatAllWarnings(as: .error),
    .treatWarning("DeprecatedDeclaration", as: .warning),
]

/// Floors 0, 1 and 3 speak to no C library, so there every unsafe construct has to be spelled.
let strict: [SwiftSetting] = house + [.strictMemorySafety()]

let package = Package(
    name: "ferry",
    products: [.executable(name: "ferry", targets: ["ferry"])],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // MARK: floor 0, pure
        // What follows from what: jobs, people, work, the ledger. No I/O, no clock, no Foundation.
        .target(name: "FerryCore", swiftSettings: strict),
        // Content formats: RFC 5322, iCalendar, vCard, Matrix events, dates, modified UTF-7, identity hashing.
        .target(
            name: "FerryFormats",
            dependencies: ["FerryCore", .product(name: "Crypto", package: "swift-crypto")], swiftSettings: strict),

        // MARK: floor 1, doors
        // What every store can do, in the words of the domain.
        .target(name: "FerryStore", dependencies: ["FerryCore"], swiftSettings: strict),
        // What every source and target can do: containers, pages, bodies, writes.
        .target(
            name: "FerryConnector",
            dependencies: ["FerryCore", .product(name: "NIOCore", package: "swift-nio")], swiftSettings: strict),

        // MARK: floor 2, rooms behind the doors
        // The embedded store. All SQL of SQLite.
        .target(
            name: "FerrySQLite",
            dependencies: [
                "FerryCore", "FerryStore", .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: house),
        // Tenants made of plain files: Maildir++, vdir, a file tree, chat rooms as JSON lines.
        .target(
            name: "FerryFolder",
            dependencies: [
                "FerryCore", "FerryFormats", "FerryConnector",
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: house),

        // zlib of the system, for COMPRESS=DEFLATE and content codings.
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
        // Mail over IMAP: the wire, sessions that keep it full, source and target.
        .target(
            name: "FerryIMAP",
            dependencies: [
                "FerryCore", "FerryFormats", "FerryConnector", "CZlib",
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: house),

        // Outbound HTTP for connectors: credentials and challenges, streams both ways, what went wrong.
        .target(
            name: "FerryHTTP",
            dependencies: [
                "FerryCore", "FerryConnector",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: house),
        // Expat of the system, which reads XML in pieces.
        .systemLibrary(name: "CExpat", providers: [.apt(["libexpat1-dev"])]),
        // Files over WebDAV: multistatus (pure), source and target.
        .target(
            name: "FerryDAV",
            dependencies: [
                "FerryCore", "FerryFormats", "FerryConnector", "FerryHTTP", "CExpat",
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            swiftSettings: house),

        // The client library of OpenLDAP.
        .systemLibrary(name: "CLDAP", providers: [.apt(["libldap2-dev"])]),
        // Tenants' people from a directory: paged searches, groups, entries that become people.
        .target(
            name: "FerryLDAP",
            dependencies: ["FerryCore", "FerryConnector", "CLDAP", .product(name: "NIOPosix", package: "swift-nio")],
            swiftSettings: house),

        // MARK: floor 3, the engine room
        // Commands, leases, lanes, the copier, the verifier, cutover, purge.
        .target(
            name: "FerryEngine",
            dependencies: [
                "FerryCore", "FerryFormats", "FerryStore", "FerryConnector",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),

        // MARK: floor 4, faces
        // Wire names: Graph types, OData queries, error bodies.
        .target(name: "FerryAPI", dependencies: ["FerryCore", "FerryFormats"], swiftSettings: strict),
        // HTTP: routes, tokens, limits, health.
        .target(
            name: "FerryServer",
            dependencies: [
                "FerryCore", "FerryStore", "FerryEngine", "FerryAPI",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HummingbirdHTTP2", package: "hummingbird"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOTLS", package: "swift-nio"),
                "CZlib",
            ],
            swiftSettings: house),
        // The program: verbs, configuration, wiring. The only place that names concrete rooms.
        .executableTarget(
            name: "ferry",
            dependencies: [
                "FerryCore", "FerryFormats", "FerryStore", "FerryConnector", "FerrySQLite", "FerryFolder", "FerryIMAP",
                "FerryHTTP", "FerryDAV", "FerryLDAP", "FerryEngine", "FerryAPI", "FerryServer", "CAllocator",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Yams", package: "Yams"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOFoundationCompat", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: house),

        // MARK: beside the house
        // The C library's allocator, whose settings Swift's Glibc module leaves out. For programs only.
        .systemLibrary(name: "CAllocator"),
        // Virtual clock, seeded ids, fake tenants, fault injectors, the contract suites. Nothing ships it.
        .target(
            name: "FerryTestKit",
            dependencies: [
                "FerryCore", "FerryFormats", "FerryStore", "FerryConnector", "FerryEngine",
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: house),
        // What script/bench measures with: trees, no-op connectors, and the bare things that Ferry is compared to.
        .executableTarget(
            name: "ferry-bench",
            dependencies: [
                "FerryCore", "FerryStore", "FerryConnector", "FerrySQLite", "FerryFolder", "FerryIMAP", "FerryDAV",
                "FerryHTTP", "FerryEngine", "FerryServer", "FerryTestKit", "CAllocator",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: house),
        .testTarget(name: "FerryCoreTests", dependencies: ["FerryCore"], swiftSettings: house),
        .testTarget(name: "FerryFormatsTests", dependencies: ["FerryFormats", "FerryCore"], swiftSettings: house),
        .testTarget(
            name: "StoreTests",
            dependencies: [
                "FerrySQLite", "FerryStore", "FerryFormats", "FerryCore", "FerryTestKit",
                .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: house),
        .testTarget(
            name: "ConnectorTests",
            dependencies: [
                "FerryFolder", "FerryConnector", "FerryFormats", "FerryCore", "FerryTestKit",
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            swiftSettings: house),
        .testTarget(
            name: "FerryIMAPTests",
            dependencies: [
                "FerryIMAP", "FerryConnector", "FerryCore", "FerryTestKit",
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: house),
        .testTarget(
            name: "IMAPConnectorTests",
            dependencies: [
                "FerryIMAP", "FerryConnector", "FerryFolder", "FerryEngine", "FerrySQLite", "FerryStore", "FerryCore",
                "FerryTestKit",
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: house),
        .testTarget(
            name: "FerryDAVTests",
            dependencies: [
                "FerryDAV", "FerryHTTP", "FerryConnector", "FerryEngine", "FerrySQLite", "FerryStore", "FerryFormats",
                "FerryCore", "FerryTestKit",
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: house),
        .testTarget(
            name: "FerryLDAPTests",
            dependencies: ["FerryLDAP", "FerryConnector", "FerryCore", "FerryTestKit"], swiftSettings: house),
        .testTarget(
            name: "FerryEngineTests",
            dependencies: [
                "FerryEngine", "FerryStore", "FerryConnector", "FerrySQLite", "FerryFormats", "FerryCore",
                "FerryTestKit",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: house),
        .testTarget(
            name: "FerryAPITests", dependencies: ["FerryAPI", "FerryCore"], swiftSettings: house),
        .testTarget(
            name: "FerryServerTests",
            dependencies: [
                "FerryServer", "FerryAPI", "FerryEngine", "FerrySQLite", "FerryStore", "FerryFormats", "FerryCore",
                "FerryTestKit",
                "CZlib",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "HummingbirdTesting", package: "hummingbird"),
                .product(name: "JWTKit", package: "jwt-kit"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            swiftSettings: house),
        .testTarget(
            name: "IntegrationTests",
            dependencies: [
                "ferry", "FerryFolder", "FerryLDAP", "FerryConnector", "FerryEngine", "FerryServer", "FerrySQLite",
                "FerryStore",
                "FerryFormats",
                "FerryCore", "FerryTestKit",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "GRDB", package: "GRDB.swift"), .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: house),
    ]
)
