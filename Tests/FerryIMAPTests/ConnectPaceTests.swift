import FerryConnector
import FerryCore
import FerryTestKit
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import FerryIMAP

@Suite(.timeLimit(.minutes(10))) struct `An endpoint that turns connections away` {
    /// Moves the clock until the call may be made; gives how long that took.
    private static func wait(_ pace: ConnectPace, _ clock: VirtualClock) async throws -> (ConnectPace.Call, Duration) {
        let start = clock.now
        let call = try await clock.jumping { try await pace.begin() }
        return (call, start.duration(to: clock.now))
    }

    @Test func `is called less and less, and as before once it answers`() async throws {
        let clock = VirtualClock()
        let pace = ConnectPace(clock)
        var waits: [Duration] = []
        for _ in 0..<9 {
            let (call, wait) = try await Self.wait(pace, clock)
            waits.append(wait)
            pace.failed(call)
        }
        #expect(waits == [0, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000].map { .milliseconds($0) })
        pace.succeeded(try await Self.wait(pace, clock).0)
        #expect(try await Self.wait(pace, clock).1 == .zero)
    }

    @Test func `does not get twice as long a rest for every call that was under way`() async throws {
        let clock = VirtualClock()
        let pace = ConnectPace(clock)
        let calls = [try await pace.begin(), try await pace.begin(), try await pace.begin()]
        for call in calls { pace.failed(call) }
        #expect(try await Self.wait(pace, clock).1 == .milliseconds(500))
        // Others wait for their own turn, one after the other.
        #expect(try await Self.wait(pace, clock).1 == .milliseconds(500))
    }

    @Test func `keeps nobody who is told to stop`() async throws {
        let clock = VirtualClock()
        let pace = ConnectPace(clock)
        pace.failed(try await pace.begin())
        let error = try await withThrowingTaskGroup(of: ConnectorError?.self) { group in
            group.addTask {
                do throws(ConnectorError) { _ = try await pace.begin() } catch { return error }
                return nil
            }
            try await clock.whenSomebodySleeps()
            group.cancelAll()
            return try await group.next() ?? nil
        }
        #expect(error?.disposition == .cancelled)
    }

    private static let hello = "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi\r\n"

    /// What the server says, and what the engine is told: all of them mean "later".
    @Test(
        arguments: [
            ("* BYE [UNAVAILABLE] shutting down\r\n", nil, ErrorCode.sourceThrottled),
            ("* BYE too many connections\r\n", nil, .sourceThrottled),
            ("", nil, .sourceUnreachable),
            (hello, "TAG NO [LIMIT] too many\r\n", .sourceThrottled),
            (hello, "TAG NO [INUSE] locked\r\n", .sourceThrottled),
            (hello, "TAG NO [UNAVAILABLE] down\r\n", .sourceThrottled),
            (hello, "* BYE [THROTTLED] slow\r\n", .sourceThrottled),
        ] as [(String, String?, ErrorCode)])
    func `is tried again later, and the second try waits`(
        _ greeting: String, _ answer: String?, _ code: ErrorCode
    ) async throws {
        let clock = VirtualClock()
        let connections = Mutex(0)
        try await ScriptedServer.play { server in
            connections.withLock { $0 += 1 }
            try await server.say(greeting)
            guard let answer else { return }
            let tag = String(try await server.line().prefix { $0 != " " })
            try await server.say(answer.hasPrefix("TAG") ? tag + String(answer.dropFirst(3)) : answer)
        } with: { port in
            var settings = IMAPSettings(
                endpoint: IMAPEndpoint(host: "127.0.0.1", port: port, security: .none),
                entrance: .passwords { _ in Secret("pass") })
            settings.clock = clock
            let connector = IMAPConnector(
                tenant: "Contoso", settings: settings, on: MultiThreadedEventLoopGroup.singleton)
            let person = Person(
                id: PersonID(GUID(high: 1, low: 1)), userPrincipalName: "ada@x.example", displayName: "Ada",
                mail: "ada@x.example")
            let account = Account(tenant: TenantID(GUID(high: 2, low: 2)), person: person, login: "ada")
            let error = await #expect(throws: ConnectorError.self) { try await connector.source(for: account) }
            #expect(error?.code == code)
            #expect(error?.disposition == .retry(after: nil))
            // Nobody is called before the time has come.
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { _ = try? await connector.source(for: account) }
                try await clock.whenSomebodySleeps()
                #expect(connections.withLock { $0 } == 1)
                group.cancelAll()
            }
        }
    }
}
