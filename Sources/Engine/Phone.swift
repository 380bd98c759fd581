import Core
import ICE
import Interface
import RTP
import SDP
import SIP
import Secure

/// The phone: accounts, calls and their media, joined. It is told commands, facts and packets, and says what it wants done.
///
/// Pure: no socket, clock or thread. After every call `poll` is drained and `deadline` read.
public struct Phone: StateMachine {
    public typealias Input = PhoneInput
    public typealias Output = PhoneOutput

    enum Timer: Hashable, Sendable {
        /// The call rang for long enough.
        case ring(CallID)
        /// `--answer-after`.
        case answer(CallID)
        /// `--for`.
        case limit(CallID)
        /// ICE, then DTLS, has had its time since the answer.
        case path(CallID)
        case handshake(CallID)
        /// Gathering took long enough: offer what there is.
        case gather(CallID)
        /// A new offer for a lost path is tried again.
        case reoffer(CallID)
        /// The figures of every answered call.
        case statistics
        /// The busy or failure tone.
        case tone
        /// The link for a browser expires.
        case link
        /// The end, whatever is left.
        case quit
    }

    enum Life: Equatable {
        case running
        case quitting
        case finished
    }

    let configuration: PhoneConfiguration
    let environment: MediaSession.Environment
    let random: RandomSource
    let wallClock: WallClock
    var userAgent: UserAgent
    var calls: [CallID: Call] = [:]
    var sessions: [SessionID: CallID] = [:]
    var sockets: [MediaSocketID: CallID] = [:]
    var streams: [MediaStreamID: (call: CallID, stream: IceStreamID)] = [:]
    var accounts: [AccountSnapshot] = []
    var focused: CallID?
    var history: [HistoryEntry] = []
    var notice: Notice?
    var audio = AudioSnapshot()
    var listening: [String] = []
    var timers = TimerTable<Timer>()
    var life = Life.running
    var interruptedBy: Int32?
    var tone: LocalTone?
    var endTone: LocalTone?
    var echo: SIPURI?
    /// Calls to `echo` that wait for the echo endpoint to listen.
    var echoWaiters: [(Call) -> Void] = []
    /// With a web port only.
    var links: LinkBook?
    var linkBase = ""
    private var nextCall = 1
    private var nextSocket: UInt64 = 1
    private var nextStream: UInt64 = 1
    private var outputs: [PhoneOutput] = []
    private var drained = 0

    /// - Parameters: identity: the certificate of DTLS; dtlsClock: told the time before each call of libssl (tests only).
    public init(
        configuration: PhoneConfiguration, identity: CertificateIdentity, random: RandomSource, wallClock: WallClock,
        dtlsClock: ((Instant) -> Void)? = nil
    ) {
        self.configuration = configuration
        self.random = random
        self.wallClock = wallClock
        environment = MediaSession.Environment(
            configuration: configuration, identity: identity, random: random,
            ntp: NTPClock(timestamp: wallClock.ntp(at: wallClock.origin), at: wallClock.origin), dtlsClock: dtlsClock)
        var agent = UserAgentConfiguration(
            userAgent: configuration.userAgent, maximumCalls: configuration.maximumCalls, identity: configuration.identity,
            displayName: configuration.displayName)
        agent.proxy = configuration.proxy
        agent.trickle = configuration.trickle
        agent.instanceID = configuration.instanceID
        userAgent = UserAgent(configuration: agent, random: random)
        history = Array(configuration.history.prefix(configuration.historyLimit))
    }

    /// Accounts are made known; those with a registrar register once sockets listen.
    public mutating func start(at now: Instant) {
        for account in configuration.accounts {
            userAgent.handle(.addAccount(account), at: now)
            accounts.append(AccountSnapshot(id: AccountID(account.id), uri: account.uri.description, state: .unregistered))
        }
        round(at: now)
    }

    /// All sockets listen: registrations begin.
    public mutating func announceReady(at now: Instant) {
        for account in configuration.accounts where configuration.registersAtStart && !configuration.unregisteredAccounts.contains(account.id) {
            userAgent.handle(.register(account.id), at: now)
        }
        round(at: now)
    }

    // MARK: StateMachine

    public var deadline: Instant? {
        guard life != .finished else { return nil }
        var next = earliest(timers.deadline, userAgent.deadline)
        for call in calls.values { next = earliest(next, call.media.deadline) }
        return next
    }

    public mutating func poll() -> PhoneOutput? {
        guard drained < outputs.count else { return nil }
        let output = outputs[drained]
        drained += 1
        if drained == outputs.count {
            outputs.removeAll(keepingCapacity: true)
            drained = 0
        }
        return output
    }

    public mutating func handle(_ input: consuming PhoneInput, at now: Instant) {
        guard life != .finished else { return }
        switch consume input {
        case .command(let command): perform(command, at: now)
        case .signalling(let fact):
            if case .listening(let transport, let address) = fact { announce(transport, address, at: now) }
            if case .closed(let connection) = fact { links?.handle(.connectionClosed(connection), at: now) }
            userAgent.handle(fact, at: now)
        case .mediaOpened(let id, let opened): mediaOpened(id, opened, at: now)
        case .mediaFailed(let id, let message, let unresolved): mediaFailed(id, message, unresolved: unresolved, at: now)
        case .mediaClosed(let id, let address): mediaClosed(id, address, at: now)
        case .mediaAdded(let id, let opened): mediaAdded(id, opened, at: now)
        case .addressesChanged(let usable): addressesChanged(usable, at: now)
        case .streamOpened(let id, let local): streamOpened(id, local: local, at: now)
        case .streamClosed(let id, let reason): streamClosed(id, reason, at: now)
        case .echoListening(let uri): echoListening(uri, at: now)
        case .echoFailed(let why): echoFailed(why, at: now)
        case .audio(let snapshot): audio = snapshot
        case .warning(let code, let message): tell(.warning, code, message, call: nil, at: now)
        case .interrupted(let signal):
            if interruptedBy == nil { interruptedBy = signal }
            quit(at: now)
        }
        round(at: now)
    }

    /// One SIP datagram.
    public mutating func receiveSignalling(_ datagram: [UInt8], flow: SIPFlow, at now: Instant) {
        guard life != .finished else { return }
        userAgent.receive(datagram, flow: flow, at: now)
        round(at: now)
    }

    /// Bytes of a SIP connection.
    public mutating func receiveSignallingStream(_ bytes: [UInt8], flow: SIPFlow, at now: Instant) {
        guard life != .finished else { return }
        userAgent.receiveStream(bytes, flow: flow, at: now)
        round(at: now)
    }

    /// One datagram on a media socket.
    public mutating func receiveMedia(_ datagram: RawSpan, socket: MediaSocketID, local: SocketAddress, from: SocketAddress, at now: Instant) {
        guard life != .finished, let id = sockets[socket], let call = calls[id] else { return }
        call.media.receive(datagram, base: local, from: from, at: now)
        if drainMedia(call, at: now) { round(at: now) }
    }

    /// Bytes of a connection to a TURN server.
    public mutating func receiveStream(_ bytes: [UInt8], stream: MediaStreamID, at now: Instant) {
        guard life != .finished, let place = streams[stream], let call = calls[place.call] else { return }
        call.media.receiveStream(bytes, stream: place.stream, at: now)
        if drainMedia(call, at: now) { round(at: now) }
    }

    /// The audio thread encoded something.
    public mutating func audioReady(at now: Instant) {
        var isNoteworthy = false
        for call in callsInOrder {
            call.media.sendEncoded(at: now)
            if drainMedia(call, at: now) { isNoteworthy = true }
        }
        if isNoteworthy { round(at: now) }
    }

    public mutating func handleTimeout(at now: Instant) {
        guard life != .finished else { return }
        while let timer = timers.popExpired(at: now) { expired(timer, at: now) }
        // `.finished` is the last output.
        guard life != .finished else { return }
        if let due = userAgent.deadline, due <= now { userAgent.handleTimeout(at: now) }
        for call in callsInOrder {
            if let due = call.media.deadline, due <= now { call.media.handleTimeout(at: now) }
        }
        round(at: now)
    }

    // MARK: the round

    /// A dictionary's order differs from run to run; what happens must not.
    private var callsInOrder: [Call] { calls.count < 2 ? Array(calls.values) : calls.values.sorted { $0.id < $1.id } }

    mutating func emit(_ output: PhoneOutput) { outputs.append(output) }
    mutating func emit(_ event: Event, at now: Instant) { outputs.append(.event(TimedEvent(time: wallClock.time(at: now), event: event))) }

    mutating func tell(_ severity: Severity, _ code: String, _ message: String, call: CallID?, at now: Instant) {
        notice = Notice(severity: severity, code: code, message: message, time: wallClock.time(at: now))
        emit(.notice(severity, code: code, message: message, call: call), at: now)
    }

    /// Carries what each machine says to the next, until all are quiet.
    mutating func round(at now: Instant) {
        var isMoving = true
        while isMoving {
            isMoving = false
            while let output = userAgent.poll() {
                isMoving = true
                handle(output, at: now)
            }
            for call in calls.values.sorted(by: { $0.id < $1.id }) where drainMedia(call, at: now) { isMoving = true }
            if drainLinks(at: now) { isMoving = true }
        }
        for call in calls.values.sorted(by: { $0.id < $1.id }) { report(call, at: now) }
        chooseTone()
        finishIfQuiet(at: now)
    }

    private mutating func handle(_ output: UserAgent.Output, at now: Instant) {
        switch output {
        case .transmit(let transmit): emit(.transmit(transmit))
        case .connect(let id, let transport, let from, let to, let name): emit(.connect(id, transport, from: from, to: to, serverName: name))
        case .close(let id): emit(.close(id))
        case .resolve(let id, let query): emit(.resolve(id, query))
        case .event(let event): handle(event, at: now)
        case .trace(let trace):
            let line = trace.bytes.prefix { $0 != 13 && $0 != 10 }
            emit(
                .trace(
                    Trace(
                        time: now, call: nil, layer: .sip, direction: trace.direction == .sent ? .sent : .received,
                        meaning: Sanitiser.text(bytes: line),
                        payload: trace.bytes, local: trace.flow.local, remote: trace.flow.remote)))
        }
    }

    mutating func makeCallID() -> CallID {
        defer { nextCall += 1 }
        return CallID(nextCall)
    }

    mutating func makeSocketID() -> MediaSocketID {
        defer { nextSocket &+= 1 }
        return MediaSocketID(raw: nextSocket)
    }

    mutating func makeStreamID() -> MediaStreamID {
        defer { nextStream &+= 1 }
        return MediaStreamID(raw: nextStream)
    }

    private mutating func announce(_ transport: SIPTransport, _ address: SocketAddress, at now: Instant) {
        let port: UInt16? = transport == .ws || transport == .wss ? nil : address.port
        listening.append("\(transport.rawValue) \(address)")
        emit(.listening(transport: transport.rawValue, address: address.ip.description, port: port), at: now)
    }

    // MARK: the end

    mutating func quit(at now: Instant) {
        guard life == .running else { return }
        life = .quitting
        links?.handle(.close, at: now)
        timers.set(.quit, at: now + .seconds(2))
        for call in calls.values.sorted(by: { $0.id < $1.id }) { hangUp(call, at: now) }
        userAgent.handle(.shutdown, at: now)
    }

    mutating func finishIfQuiet(at now: Instant) {
        guard life == .quitting else { return }
        if calls.isEmpty, userAgent.isSettled { finish(at: now) }
    }

    mutating func finish(at now: Instant) {
        guard life != .finished else { return }
        for call in calls.values.sorted(by: { $0.id < $1.id }) { conclude(call, endedBy: "local", at: now) }
        life = .finished
        timers.cancelAll()
        emit(.finished)
    }
}
