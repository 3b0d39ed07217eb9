import FerryConnector
import FerryTestKit
import NIOCore
import NIOPosix
import Testing

@testable import FerryIMAP

/// What outside bytes can do: nothing but end in a value or an error, soon. `script/fuzz-mail` runs each for a long time.
@Suite(.timeLimit(.minutes(30))) struct MailNoiseTests {
    // MARK: readers

    @Test func `the reader of responses survives noise, and reads it the same in pieces`() throws {
        var corpus = try NoiseCorpus("reader", samples: Transcripts.responses)
        var limits = WireLimits()
        limits.responseBytes = 4_000
        corpus.recall { Self.signs(of: Transcripts.read($0, cutAt: [], limits: limits)) }
        var rounds = NoiseRounds(2_000)
        while let seed = rounds.next() {
            var random = SeededRandom(seed: seed)
            let bytes = Fuzz.mutated(corpus.inputs, &random)
            let cuts = (0..<3).map { _ in Int.random(in: 0...bytes.count, using: &random) }.sorted()
            let whole = Transcripts.read(bytes, cutAt: [], limits: limits)
            let pieces = Transcripts.read(bytes, cutAt: cuts, limits: limits)
            #expect(whole == pieces, "\(String(decoding: bytes, as: UTF8.self).debugDescription) cut at \(cuts)")
            corpus.learn(bytes, Self.signs(of: whole))
        }
        try corpus.keep()
        print("noise: reader, seed \(RunSeed.value), \(rounds.done) rounds, \(corpus.inputs.count) inputs")
    }

    /// What follows what, and what it ends with.
    private static func signs(of reading: Transcripts.Reading) -> [String] {
        var last = "begin"
        var signs: [String] = []
        for event in reading.events {
            let name: String
            if case .response(let response) = event {
                name = Mirror(reflecting: response).children.first?.label ?? "\(response)"
            } else {
                name = Mirror(reflecting: event).children.first?.label ?? "\(event)"
            }
            signs.append("\(last) \(name)")
            last = name
        }
        return signs + ["\(last) | \(reading.failure ?? "")"]
    }

    @Test func `the reader of ManageSieve survives noise, and reads it the same in pieces`() throws {
        var corpus = try NoiseCorpus("sieve", samples: Transcripts.sieve)
        corpus.recall { Self.signs(of: Self.sieve($0, [])) }
        var rounds = NoiseRounds(2_000)
        while let seed = rounds.next() {
            var random = SeededRandom(seed: seed)
            let bytes = Fuzz.mutated(corpus.inputs, &random)
            let cuts = (0..<3).map { _ in Int.random(in: 0...bytes.count, using: &random) }.sorted()
            let whole = Self.sieve(bytes, [])
            #expect(
                whole == Self.sieve(bytes, cuts),
                "\(String(decoding: bytes, as: UTF8.self).debugDescription) cut at \(cuts)")
            corpus.learn(bytes, Self.signs(of: whole))
        }
        try corpus.keep()
        print("noise: ManageSieve reader, seed \(RunSeed.value), \(rounds.done) rounds, \(corpus.inputs.count) inputs")
    }

    private struct SieveReading: Hashable {
        var lines: [[SieveWord]] = []
        var isBroken = false
    }

    private static func sieve(_ bytes: [UInt8], _ cuts: [Int]) -> SieveReading {
        var reader = SieveReader()
        var reading = SieveReading()
        var start = 0
        for end in cuts + [bytes.count] {
            reader.append(ByteBuffer(bytes: bytes[start..<end]))
            start = end
            do {
                while let line = try reader.next() { reading.lines.append(line) }
            } catch {
                reading.isBroken = true
                return reading
            }
        }
        return reading
    }

    private static func signs(of reading: SieveReading) -> [String] {
        var signs: [String] = []
        for line in reading.lines {
            var last = "begin"
            for word in line {
                let name = Mirror(reflecting: word).children.first?.label ?? "\(word)"
                signs.append("\(last) \(name)")
                last = name
            }
            signs.append("\(last) end")
        }
        return signs + ["\(reading.isBroken) \(min(reading.lines.count, 4))"]
    }

    // MARK: sessions

    @Test func `a session with a server that says anything ends in values or errors, and never hangs`() async throws {
        let rounds = try await Self.play(120) { server, talk in
            try await Self.serve(talk, server.greeting(), &server) { $0.answer($1) }
        } client: { seed, port in
            await Self.useMail(seed, port)
        }
        print("noise: session, seed \(RunSeed.value), \(rounds) rounds")
    }

    @Test func `a ManageSieve session with a server that says anything ends, too`() async throws {
        let rounds = try await Self.play(120) { server, talk in
            try await Self.serve(talk, server.sieveGreeting(), &server) { $0.sieveAnswer($1) }
        } client: { seed, port in
            await Self.useSieve(seed, port)
        }
        print("noise: ManageSieve session, seed \(RunSeed.value), \(rounds) rounds")
    }

    /// Nothing takes a twentieth of this, even on a busy machine: every silence is over after `patience`.
    private static let longest = Duration.seconds(60)
    private static let patience = Duration.milliseconds(250)

    /// Rounds of a server against a client, some side by side; gives how many there were.
    private static func play(
        _ usual: Int, server: @escaping @Sendable (inout NoisyServer, ScriptedServer.Talk) async throws -> Void,
        client: @escaping @Sendable (UInt64, Int) async -> Void
    ) async throws -> Int {
        let transcript = Transcripts.responses
        var rounds = NoiseRounds(usual)
        try await withThrowingTaskGroup(of: Void.self) { group in
            var running = 0
            while let seed = rounds.next() {
                if running == 8 {
                    try await group.next()
                    running -= 1
                }
                running += 1
                group.addTask {
                    let script: @Sendable (ScriptedServer.Talk) async throws -> Void = { talk in
                        var noisy = NoisyServer(seed: seed, noise: transcript)
                        // The client goes away when it likes.
                        try? await server(&noisy, talk)
                    }
                    try await watched(seed) {
                        try await ScriptedServer.play(script) { port in await client(seed, port) }
                    }
                }
            }
            try await group.waitForAll()
        }
        return rounds.done
    }

    private static func watched(_ seed: UInt64, _ body: @escaping @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await body()
                return true
            }
            group.addTask {
                try? await ContinuousClock().sleep(for: longest)
                if !Task.isCancelled { Issue.record("round \(seed) hangs") }
                return false
            }
            _ = try await group.next()
            group.cancelAll()
        }
    }

    private static func serve(
        _ talk: ScriptedServer.Talk, _ greeting: (bytes: [UInt8], next: NoisyServer.Next), _ server: inout NoisyServer,
        _ answer: (inout NoisyServer, String) -> (bytes: [UInt8], next: NoisyServer.Next)?
    ) async throws {
        var said = greeting
        while true {
            try await talk.say(ByteBuffer(bytes: said.bytes))
            switch said.next {
            case .end: return
            case .silence: return try await talk.untilClosed()
            case .more: break
            }
            while true {
                guard let next = answer(&server, try await talk.line()) else { continue }
                said = next
                break
            }
        }
    }

    private static func options(_ random: inout SeededRandom) -> SessionOptions {
        var options = SessionOptions()
        options.connectTimeout = patience
        options.responseTimeout = patience
        options.readAheadBytes = Int.random(in: 1...3_000, using: &random)
        options.writeAheadBytes = Int.random(in: 1...3_000, using: &random)
        options.compress = Int.random(in: 0..<6, using: &random) == 0
        return options
    }

    private static func useMail(_ seed: UInt64, _ port: Int) async {
        var random = SeededRandom(seed: ~seed)
        guard let session = try? await ScriptedServer.connect(port, options: options(&random)) else { return }
        for _ in 0..<Int.random(in: 2...8, using: &random) {
            let verbs = (Int.random(in: 0..<17, using: &random), Int.random(in: 0..<17, using: &random))
            async let one: Void? = try? use(session, verbs.0)
            async let other: Void? = try? use(session, verbs.1)
            _ = await (one, other)
        }
        await session.close()
    }

    private static func use(_ session: IMAPSession, _ verb: Int) async throws {
        let name = MailboxName("a", utf8: false)
        let uids = UIDSet([1, 2, 3, 8])
        switch verb {
        case 0: _ = try await session.list(status: .change)
        case 1: _ = try await session.status(of: [name, .inbox], .change)
        case 2:
            _ = try await session.select(
                name, readOnly: true, known: KnownState(uidValidity: 7, modSeq: 5, uids: uids))
        case 3: _ = try await session.search("ALL")
        case 4:
            let rows = try await session.messages(
                uids, [.flags, .internalDate, .size], changedSince: 1, vanished: true)
            #expect(
                rows.rows.allSatisfy { uids.contains($0.uid) } && Set(rows.rows.map(\.uid)).count == rows.rows.count)
        case 5:
            let rows = try await session.headers(of: uids)
            #expect(rows.allSatisfy { uids.contains($0.uid) } && Set(rows.map(\.uid)).count == rows.count)
        case 6, 7: try await readBodies(session)
        case 8:
            let results = try await session.store([(uids, .add(MessageFlags(.seen)))], unchangedSince: 3)
            #expect(results.count == 1)
        case 9: try await session.expunge(uids)
        case 10: try await append(session, single: false)
        case 11: try await append(session, single: true)
        case 12: _ = try await session.make(name, [], subscribed: true, .change)
        case 13: _ = try await session.quota(of: name)
        case 14: _ = try await session.rights(of: name)
        case 15: _ = try await session.namespaces()
        default: try await session.unselect()
        }
    }

    /// Each message is told once, in the order asked, with as many bytes as were announced.
    private static func readBodies(_ session: IMAPSession) async throws {
        let asked: [UID] = [1, 2, 3, 8, 2]
        let fetch = try await session.bodies(of: asked)
        var told: [UID] = []
        var left: UInt64?
        while let events = try await fetch.next() {
            for event in events {
                switch event {
                case .began(_, let size):
                    #expect(left == nil)
                    left = size
                case .bytes(let bytes):
                    let count = UInt64(bytes.readableBytes)
                    #expect(left ?? 0 >= count)
                    left = (left ?? count) &- count
                case .ended(let uid):
                    #expect(left == 0)
                    told.append(uid)
                    left = nil
                case .absent(let uid), .unreadable(let uid, _):
                    told.append(uid)
                    left = nil
                }
            }
        }
        #expect(told == asked)
    }

    private static func append(_ session: IMAPSession, single: Bool) async throws {
        let appender = try await session.append(to: MailboxName("a", utf8: false), single: single)
        for size in [10, 0, 5_000] {
            try await appender.begin(AppendedMessage(internalDate: nil, size: UInt64(size)))
            try await appender.write(ByteBuffer(repeating: 0x78, count: size))
        }
        let results = try await appender.finish()
        #expect(results.count == 3)
    }

    @Test func `a ManageSieve server that does not stop talking is given up`() async throws {
        try await ScriptedServer.play { talk in
            try await talk.say("\"SASL\" \"PLAIN\"\r\nOK\r\n")
            // The login, with its literal.
            for _ in 0..<2 { _ = try await talk.line() }
            try await talk.say("OK\r\n")
            #expect(try await talk.line() == "LISTSCRIPTS")
            let noise = ByteBuffer(string: String(repeating: "\"a\"\r\n\r\n", count: 8_000))
            // The client goes away in the middle of it.
            for _ in 0..<150 { try? await talk.say(noise) }
            try? await talk.untilClosed()
        } with: { port in
            let session = try await Self.sieveSession(port, SessionOptions())
            let error = await #expect(throws: IMAPError.self) { try await session.scripts() }
            #expect(error?.kind == .protocolViolation, "\(error?.message ?? "")")
            await session.close()
        }
    }

    private static func sieveSession(_ port: Int, _ options: SessionOptions) async throws -> SieveSession {
        try await SieveSession.connect(
            to: IMAPEndpoint(host: "127.0.0.1", port: port, security: .none),
            as: .password(user: "user", password: Secret("pass")), options: options,
            on: MultiThreadedEventLoopGroup.singleton)
    }

    private static func useSieve(_ seed: UInt64, _ port: Int) async {
        var random = SeededRandom(seed: ~seed)
        guard let session = try? await sieveSession(port, options(&random)) else { return }
        for _ in 0..<Int.random(in: 2...8, using: &random) {
            switch Int.random(in: 0..<5, using: &random) {
            case 0: _ = try? await session.scripts()
            case 1: _ = try? await session.content(of: "a")
            case 2: try? await session.put("keep;\r\n", as: "a")
            case 3: _ = try? await session.activate("a")
            default: try? await session.delete("a")
            }
        }
        await session.close()
    }
}
