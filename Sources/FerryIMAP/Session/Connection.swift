import NIOCore
import Synchronization

/// The channel's last handler: reads responses, gives each to the command it belongs to, sends commands in their order,
/// and stops reading the socket while a reader of bodies is slow. Everything happens on the event loop, without waiting.
///
/// Who gets untagged data (RFC 9051 section 5.5): the first command in flight that can use it, commands behind a SELECT
/// left out until that is answered. So a FETCH response goes to the fetch that asked for its UID, and what nobody asked
/// for is dropped.
final class Connection: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    /// What other threads may look at.
    final class Shared: Sendable {
        let failure = Mutex<IMAPError?>(nil)
        let tags = Atomic<UInt32>(0)

        func nextTag() -> String { "F" + String(tags.wrappingAdd(1, ordering: .relaxed).newValue) }
    }

    let shared: Shared
    let options: SessionOptions
    private let host: String
    private(set) var context: ChannelHandlerContext?
    private var reader = ResponseReader()

    /// Sent and not answered, oldest first.
    private var inFlight = CircularBuffer<Command>()
    /// Not begun, because `sender` is not done with the way out.
    private var waiting = CircularBuffer<Command>()
    /// The command that is being sent.
    private var sender: Command?
    private var bodyOwner: Command?
    /// Fetches that received bodies since the last time their readers were told.
    private var touched: [BodyDelivery] = []

    private var capabilities: Capabilities?
    private var greeting: Outcomes<StatusText>?
    private var greeted: Result<StatusText, IMAPError>?
    private var farewell: StatusText?
    private(set) var failure: IMAPError?
    private var isClosing = false

    private var holdsBack: Set<ObjectIdentifier> = []
    private var heldRead = false
    private var compression: Compression?

    private var lastActivity = NIODeadline.now()
    private var watch: RepeatedTask?
    private var connectDeadline: Scheduled<Void>?

    init(host: String, options: SessionOptions, shared: Shared) {
        self.host = host
        self.options = options
        self.shared = shared
    }

    // MARK: life

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        let period = TimeAmount(min(options.responseTimeout, options.keepalive ?? .seconds(3_600)) / 4)
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        watch = context.eventLoop.scheduleRepeatedTask(initialDelay: period, delay: period) { _ in bound.value.look() }
        connectDeadline = context.eventLoop.scheduleTask(in: TimeAmount(options.connectTimeout)) {
            bound.value.fail(
                IMAPError(.timedOut, "\(bound.value.host) did not finish the login within the connect timeout."))
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        watch?.cancel()
        connectDeadline?.cancel()
        self.context = nil
    }

    /// Authentication is over; from now on only `responseTimeout` counts.
    func becomeReady() {
        connectDeadline?.cancel()
        connectDeadline = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(lostConnection())
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(IMAPError(connection: error, host: host))
    }

    private func lostConnection() -> IMAPError {
        guard let farewell else { return IMAPError(.connectionLost, "\(host) closed the connection.") }
        let refusal = Refusal(farewell)
        // Dovecot and Cyrus say BYE without a code when they are stopped or full.
        return IMAPError(
            refusal.asksToWait ? .tryLater : .connectionLost, "\(host) said BYE: \(farewell.text)", refusal: refusal)
    }

    /// Ends the connection and everything in flight. Only the first reason counts.
    func fail(_ error: IMAPError) {
        guard failure == nil else { return }
        failure = error
        shared.failure.withLock { $0 = error }
        if greeted == nil { greet(.failure(error)) }
        let abandoned = inFlight + waiting + (sender.map { [$0] } ?? [])
        inFlight.removeAll()
        waiting.removeAll()
        sender = nil
        bodyOwner = nil
        var finished: Set<ObjectIdentifier> = []
        for command in abandoned where finished.insert(ObjectIdentifier(command)).inserted {
            command.finish(.failure(error), in: self)
        }
        deliver()
        holdsBack.removeAll()
        watch?.cancel()
        connectDeadline?.cancel()
        context?.close(promise: nil)
    }

    /// Silence while commands are in flight ends the connection; long peace is broken by a NOOP.
    private func look() {
        let silence = NIODeadline.now() - lastActivity
        if inFlight.isEmpty && sender == nil {
            guard connectDeadline == nil, failure == nil, let keepalive = options.keepalive,
                silence > TimeAmount(keepalive)
            else { return }
            submit(Collecting("NOOP", CommandText("NOOP").sealed, into: (), take: { _, _, _ in false }, done: { _ in }))
        } else if holdsBack.isEmpty, silence > TimeAmount(options.responseTimeout) {
            fail(IMAPError(.timedOut, "\(host) did not answer for \(options.responseTimeout)."))
        }
    }

    /// What the server told unasked since the last time; then what was true before a login no longer counts.
    func takeCapabilities() -> Capabilities? {
        defer { capabilities = nil }
        return capabilities
    }

    // MARK: greeting

    /// Tells the greeting, OK or PREAUTH, once it is there.
    func awaitGreeting(_ outcome: Outcomes<StatusText>) {
        greeting = outcome
        if let greeted { outcome.set(greeted, at: 0) }
    }

    private func greet(_ result: Result<StatusText, IMAPError>) {
        greeted = result
        greeting?.set(result, at: 0)
        greeting = nil
    }

    // MARK: reading

    func read(context: ChannelHandlerContext) {
        if holdsBack.isEmpty { context.read() } else { heldRead = true }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        lastActivity = .now()
        receive(unwrapInboundIn(data))
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        deliver()
        context.flush()
        context.fireChannelReadComplete()
    }

    private func receive(_ bytes: ByteBuffer) {
        guard failure == nil else { return }
        guard let compression else { return process(bytes) }
        compression.inflater.feed(bytes)
        inflate()
    }

    /// Goes on as long as readers keep up, so that a bomb grows no larger than one piece.
    private func inflate() {
        while failure == nil, holdsBack.isEmpty, let compression {
            do throws(IMAPError) {
                guard let plain = try compression.inflater.next() else { return }
                process(plain)
                deliver()
            } catch { return fail(error) }
        }
    }

    private func process(_ bytes: ByteBuffer) {
        reader.feed(bytes)
        do throws(WireError) {
            while failure == nil, let event = try reader.next() { take(event) }
        } catch {
            fail(IMAPError(.protocolViolation, "\(host): \(error.message)"))
        }
    }

    private func take(_ event: WireEvent) {
        switch event {
        case .bodyBegan(let message, let section, _, let size):
            bodyOwner = owner { $0.beginBody(of: message, section: section, size: size, in: self) }
        case .bytes(let bytes): bodyOwner?.bodyBytes(bytes, in: self)
        case .bodyEnded:
            bodyOwner?.endBody(in: self)
            bodyOwner = nil
        case .response(let response): take(response)
        }
    }

    private func take(_ response: Response) {
        switch response {
        case .tagged(let tag, let status): answer(tag, status)
        case .continuation: sender?.proceed(in: self)
        case .status(let status):
            if case .capability(let names) = status.code { capabilities = Capabilities(names) }
            if greeted == nil { return greet(.success(status)) }
            if status.condition == .bye { farewell = status } else { _ = owner { $0.absorb(response, in: self) } }
        case .capability(let names):
            if owner({ $0.absorb(response, in: self) }) == nil { capabilities = Capabilities(names) }
        default: _ = owner { $0.absorb(response, in: self) }
        }
    }

    /// The first command in flight that wants something.
    private func owner(_ wants: (Command) -> Bool) -> Command? {
        for command in inFlight {
            if wants(command) { return command }
            if command.isSelection { return nil }
        }
        return nil
    }

    private func answer(_ tag: String, _ status: StatusText) {
        guard let index = inFlight.firstIndex(where: { $0.tag == tag }) else {
            return fail(IMAPError(.protocolViolation, "\(host) answered a command that was not sent."))
        }
        let command = inFlight.remove(at: index)
        if case .capability(let names) = status.code { capabilities = Capabilities(names) }
        // Refused before all of it was sent; the rest is no longer wanted.
        if sender === command { sender = nil }
        command.finish(.success(status), in: self)
        sendWaiting()
    }

    // MARK: bodies

    /// The reader of these bodies is to be told at the end of this read.
    func touch(_ delivery: BodyDelivery) {
        if !touched.contains(where: { $0 === delivery }) { touched.append(delivery) }
    }

    private func deliver() {
        while let delivery = touched.popLast() {
            if delivery.publish() { holdsBack.insert(ObjectIdentifier(delivery)) }
        }
    }

    /// A reader has taken what was held for it.
    func resume(_ delivery: BodyDelivery) {
        guard holdsBack.remove(ObjectIdentifier(delivery)) != nil, holdsBack.isEmpty, failure == nil else { return }
        lastActivity = .now()
        inflate()
        guard holdsBack.isEmpty, heldRead else { return }
        heldRead = false
        context?.read()
    }

    /// Something waits for a slow reader.
    var isHeldBack: Bool { !holdsBack.isEmpty }

    // MARK: sending

    func submit(_ command: Command) { submit(CollectionOfOne(command)) }

    func submit(_ commands: some Sequence<Command>) {
        if inFlight.isEmpty { lastActivity = .now() }
        for command in commands {
            if let failure { command.finish(.failure(failure), in: self) } else { waiting.append(command) }
        }
        sendWaiting()
        context?.flush()
    }

    private func sendWaiting() {
        while sender == nil, failure == nil, let command = waiting.popFirst() {
            sender = command
            command.transmit(in: self)
        }
    }

    /// The way out is free again for the next command.
    func finishSending(_ command: Command) {
        guard sender === command else { return }
        sender = nil
        sendWaiting()
    }

    /// Puts a command among those in flight; its first bytes follow at once.
    func enter(_ command: Command) { inFlight.append(command) }

    func sendNextPiece(of command: Command) {
        guard command.nextPiece < command.pieces.count else {
            if let word = command.lastWord { write(word) }
            command.lastWord = nil
            context?.flush()
            return
        }
        var piece = command.pieces[command.nextPiece]
        if command.nextPiece == 0 {
            command.tag = shared.nextTag()
            enter(command)
            var line = ByteBuffer(string: command.tag + " ")
            line.writeImmutableBuffer(piece)
            piece = line
        }
        command.nextPiece += 1
        write(piece)
        if command.nextPiece == command.pieces.count, command.lastWord == nil { finishSending(command) }
        context?.flush()
    }

    /// Sends with the next flush. `sent` is completed when these bytes, and so all before them, are with the system.
    func write(_ bytes: ByteBuffer, sent: EventLoopPromise<Void>? = nil) {
        guard failure == nil, let context else {
            sent?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        guard let compression else { return context.write(wrapOutboundOut(bytes), promise: sent) }
        do throws(IMAPError) {
            context.write(wrapOutboundOut(try compression.deflater.deflate(bytes)), promise: sent)
        } catch {
            sent?.fail(ChannelError.ioOnClosedChannel)
            fail(error)
        }
    }

    func flush() { context?.flush() }

    func noteProgress() { lastActivity = .now() }

    // MARK: layers

    /// What came with the answer to STARTTLS was sent in the clear by who knows whom: it must not be there.
    /// Call it from the command's `finish`.
    func secure(with handler: some ChannelHandler) {
        guard reader.takeUnread().readableBytes == 0 else {
            return fail(
                IMAPError(.insecure, "\(host) sent data between STARTTLS and TLS; somebody may be in between."))
        }
        capabilities = nil
        do {
            try context?.pipeline.syncOperations.addHandler(handler, position: .first)
        } catch {
            fail(IMAPError(connection: error, host: host))
        }
    }

    /// From here on both directions are compressed (RFC 4978). Call it from the command's `finish`.
    func compress() {
        do throws(IMAPError) {
            let compression = try Compression()
            compression.inflater.feed(reader.takeUnread())
            self.compression = compression
            inflate()
        } catch { fail(error) }
    }

    // MARK: ending

    /// LOGOUT when nothing is in flight, and at once otherwise; bounded in time.
    func close() {
        guard failure == nil, !isClosing else { return }
        isClosing = true
        let ending = IMAPError(.cancelled, "The session is closed.")
        guard let context, inFlight.isEmpty, waiting.isEmpty, sender == nil, holdsBack.isEmpty else {
            return fail(ending)
        }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: .seconds(3)) { bound.value.fail(ending) }
        submit(
            Collecting("LOGOUT", CommandText("LOGOUT").sealed, into: (), take: { _, _, _ in false }) { _ in
                bound.value.fail(ending)
            })
    }
}

extension TimeAmount {
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self = .nanoseconds(seconds &* 1_000_000_000 &+ attoseconds / 1_000_000_000)
    }
}
