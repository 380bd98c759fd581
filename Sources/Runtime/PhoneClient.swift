import CPlatform
import Core
import Engine
import Glibc
import Interface
import NIOCore
import NIOPosix
import RTP
import SIP
import Secure
import Synchronization

/// What the phone's loop tells the rest of the program. Called on the loop's thread: do not block.
public struct PhoneObserver: Sendable {
    public var event: @Sendable (TimedEvent) -> Void
    /// At most 20 times a second, and at once after a command.
    public var snapshot: @Sendable (Snapshot) -> Void
    public var audio: @Sendable (AudioRequest) -> Void
    /// A frame of a call's video.
    public var frame: @Sendable (CallID, VP8Frame) -> Void
    public var trace: @Sendable (Trace) -> Void
    public var startEcho: @Sendable () -> Void
    /// The audio thread woke the loop: warnings may wait.
    public var audioWake: @Sendable () -> Void
    /// A line in the NSS key log format.
    public var keyLog: @Sendable (String) -> Void
    /// A call ended: to be kept for the next run.
    public var remember: @Sendable (HistoryEntry) -> Void
    public var finished: @Sendable () -> Void

    public init(
        event: @escaping @Sendable (TimedEvent) -> Void, snapshot: @escaping @Sendable (Snapshot) -> Void = { _ in },
        audio: @escaping @Sendable (AudioRequest) -> Void = { _ in }, frame: @escaping @Sendable (CallID, VP8Frame) -> Void = { _, _ in },
        trace: @escaping @Sendable (Trace) -> Void = { _ in },
        startEcho: @escaping @Sendable () -> Void = {}, audioWake: @escaping @Sendable () -> Void = {},
        keyLog: @escaping @Sendable (String) -> Void = { _ in }, remember: @escaping @Sendable (HistoryEntry) -> Void = { _ in },
        finished: @escaping @Sendable () -> Void = {}
    ) {
        self.event = event
        self.snapshot = snapshot
        self.audio = audio
        self.frame = frame
        self.trace = trace
        self.startEcho = startEcho
        self.audioWake = audioWake
        self.keyLog = keyLog
        self.remember = remember
        self.finished = finished
    }
}

/// The façade of a phone: an actor whose executor is its event loop. It owns the sockets, the one timer and the `Phone`,
/// tells the phone facts and the time, and does what the phone says.
public actor PhoneClient {
    let group: MultiThreadedEventLoopGroup
    let loop: any EventLoop
    let executor: any NIOSerialEventLoopExecutor
    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    let observer: PhoneObserver
    let listeners: [ListenSpecification]
    var phone: Phone
    var signalling: [SignallingSocket] = []
    var socketWatch: SocketWatch?
    var servers: [any Channel] = []
    var connections: [ConnectionID: any Channel] = [:]
    /// Asked for by the phone and not ready yet; a channel once the TCP connection stands.
    var connecting: [ConnectionID: (any Channel)?] = [:]
    /// To TURN servers; a channel once the TCP connection stands.
    var streams: [MediaStreamID: (any Channel)?] = [:]
    let transports: TransportConfiguration
    let logsKeys: Bool
    var clientTLS: TLSContext?
    var serverTLS: TLSContext?
    var acceptedHandshakes = 0
    /// The web port, once it is open.
    var web: WebState?
    var media: [MediaSocketID: [Core.SocketAddress: MediaChannel]] = [:]
    var nextAccepted: UInt64 = 2
    /// Tells that the machine's addresses or routes changed.
    var networkWatch: (any Channel)?
    var networkTimer: Scheduled<Void>?
    var dns: DNSState?
    var nextLookup: UInt64 = 0
    private var timer: Scheduled<Void>?
    private var timerAt: Instant?
    private var snapshotTimer: Scheduled<Void>?
    private var lastSnapshot: Instant?
    private let wantsSnapshots: Bool
    private(set) var isFinished = false
    private nonisolated let isStopped = Atomic<Bool>(false)

    struct SignallingSocket {
        var transport: SIPTransport
        var address: Core.SocketAddress
        /// UDP: the phone's own; TCP: the channel's.
        var descriptor: Int32
        var sendsOnly = false
    }

    /// The descriptor is the channel's and goes with it.
    struct MediaChannel {
        var channel: any Channel
        var descriptor: Int32
    }

    /// - Parameter wantsSnapshots: false without a screen: then none is made.
    public init(
        configuration: PhoneConfiguration, identity: CertificateIdentity, transports: TransportConfiguration = TransportConfiguration(),
        listeners: [ListenSpecification], wantsSnapshots: Bool, observer: PhoneObserver
    ) throws {
        let threads = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let only = threads.next()
        guard let serial = only as? any NIOSerialEventLoopExecutor else {
            throw StartError(message: "this platform's event loop cannot run the phone")
        }
        group = threads
        loop = only
        executor = serial
        self.observer = observer
        self.listeners = listeners
        self.wantsSnapshots = wantsSnapshots
        self.transports = transports
        logsKeys = configuration.dtls.keyLog
        let random = RandomSource {
            var system = SystemRandomNumberGenerator()
            return system.next()
        }
        phone = Phone(configuration: configuration, identity: identity, random: random, wallClock: WallClock.system())
    }

    static func now() -> Instant { Instant(nanoseconds: platform_monotonic_ns()) }

    /// Opens the listening sockets and starts registrations. Throws one line when a port is taken; no socket is open then.
    public func start() async throws {
        do {
            try await openListeners()
            try watchSignalling()
            if let configuration = transports.web { try await openWeb(configuration) }
        } catch {
            closeSockets()
            throw error
        }
        watchNetwork()
        let now = PhoneClient.now()
        phone.start(at: now)
        for socket in signalling {
            phone.handle(.signalling(socket.sendsOnly ? .sendsOnly(socket.address) : .listening(socket.transport, socket.address)), at: now)
        }
        // WebSocket connections are only opened, from that address.
        for listener in listeners where listener.transport == .ws || listener.transport == .wss {
            phone.handle(.signalling(.listening(listener.transport, listener.address)), at: now)
        }
        drain(at: now)
        phone.announceReady(at: now)
        if let web { phone.webListening(base: web.base, at: now) }
        drain(at: now)
    }

    public func send(_ command: Command) { tell(.command(command)) }
    public func tell(_ input: PhoneInput) {
        let now = PhoneClient.now()
        phone.handle(input, at: now)
        lastSnapshot = nil
        drain(at: now)
    }

    /// From any thread, without waiting. The only door into the loop besides `await`.
    public nonisolated func post(_ input: PhoneInput) {
        guard !isStopped.load(ordering: .acquiring) else { return }
        loop.execute { self.assumeIsolated { $0.tell(input) } }
    }

    /// The same, some time later.
    public nonisolated func post(_ input: PhoneInput, after delay: Duration) {
        guard !isStopped.load(ordering: .acquiring) else { return }
        loop.scheduleTask(in: .nanoseconds(delay.totalNanoseconds)) { self.post(input) }
    }

    /// Reads the audio thread's eventfd: each wake-up sends what was encoded. Takes ownership of `descriptor`.
    public func watchAudio(descriptor: Int32) {
        NIOPipeBootstrap(group: loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(WakeHandler { [weak self] in self?.assumeIsolated { $0.audioReady() } })
                }
            }
            .takingOwnershipOfDescriptor(input: descriptor)
            .whenFailure { _ in }
    }

    private func audioReady() {
        let now = PhoneClient.now()
        phone.audioReady(at: now)
        observer.audioWake()
        drain(at: now)
    }

    /// The whole round: everything the phone wants done, then the next deadline.
    func drain(at now: Instant) {
        while let output = phone.poll() { perform(output, at: now) }
        schedule(now)
        publish(now)
    }

    private func perform(_ output: PhoneOutput, at now: Instant) {
        switch output {
        case .transmit(let transmit): sendSignalling(transmit)
        case .connect(let id, let transport, let from, let to, let name): connect(id, transport, from: from, to: to, serverName: name)
        case .close(let id): closeConnection(id)
        case .resolve(let id, let query): resolve(id, query)
        case .openMedia(let request): openMedia(request)
        case .closeMedia(let id): closeMedia(id)
        case .closeMediaSocket(let id, let address): closeMediaSocket(id, address)
        case .sendMedia(let id, let transmit): sendMedia(id, transmit)
        case .openStream(let id, let secure, let to, let name): openStream(id, secure: secure, to: to, serverName: name)
        case .sendStream(let id, let bytes): sendStream(id, bytes)
        case .closeStream(let id): closeStream(id)
        case .audio(let request): observer.audio(request)
        case .frame(let call, let frame): observer.frame(call, frame)
        case .startEcho: observer.startEcho()
        case .keyLog(let line): observer.keyLog(line)
        case .remember(let entry): observer.remember(entry)
        case .event(let event): observer.event(event)
        case .trace(let trace): observer.trace(trace)
        case .finished:
            isFinished = true
            if wantsSnapshots { observer.snapshot(phone.snapshot(at: now)) }
            observer.finished()
        }
    }

    private func schedule(_ now: Instant) {
        guard let deadline = isFinished ? nil : phone.deadline else {
            timer?.cancel()
            timer = nil
            timerAt = nil
            return
        }
        if let timerAt, timerAt <= deadline, timer != nil { return }
        timer?.cancel()
        timerAt = deadline
        let wait = max(0, (deadline - now).totalNanoseconds)
        timer = loop.scheduleTask(in: .nanoseconds(wait)) { [weak self] in self?.assumeIsolated { $0.timerFired() } }
    }

    private func timerFired() {
        timer = nil
        timerAt = nil
        let now = PhoneClient.now()
        phone.handleTimeout(at: now)
        drain(at: now)
    }

    private func publish(_ now: Instant) {
        guard wantsSnapshots, !isFinished, snapshotTimer == nil else { return }
        if let last = lastSnapshot, now - last < .milliseconds(50) {
            let wait = (Duration.milliseconds(50) - (now - last)).totalNanoseconds
            snapshotTimer = loop.scheduleTask(in: .nanoseconds(wait)) { [weak self] in
                self?.assumeIsolated {
                    $0.snapshotTimer = nil
                    $0.publishNow(PhoneClient.now())
                }
            }
        } else {
            publishNow(now)
        }
    }

    private func publishNow(_ now: Instant) {
        guard !isFinished else { return }
        lastSnapshot = now
        observer.snapshot(phone.snapshot(at: now))
    }

    /// Where UDP signalling listens, after `start`.
    public var udpAddress: Core.SocketAddress? { signalling.first { $0.transport == .udp }?.address }

    /// Closes every socket and ends the loop and its threads; returns when they are gone. The phone should have said `finished` before.
    /// Nothing may be awaited from this actor afterwards; what is posted is dropped.
    public nonisolated func stop() async {
        guard !isStopped.exchange(true, ordering: .acquiringAndReleasing) else { return }
        await closeSockets()
        try? await group.shutdownGracefully()
    }

    private func closeSockets() {
        timer?.cancel()
        snapshotTimer?.cancel()
        networkTimer?.cancel()
        networkWatch?.close(promise: nil)
        networkWatch = nil
        isFinished = true
        socketWatch?.stop()
        socketWatch = nil
        for socket in signalling where socket.transport == .udp { Glibc.close(socket.descriptor) }
        signalling = []
        for server in servers { server.close(promise: nil) }
        for channel in connections.values { channel.close(promise: nil) }
        for channel in connecting.values { channel?.close(promise: nil) }
        for channel in streams.values { channel?.close(promise: nil) }
        closeDNS()
        connecting.removeAll()
        for id in Array(media.keys) { closeMedia(id) }
    }
}

/// Why the phone could not start: one line for a person.
public struct StartError: Error, Sendable, CustomStringConvertible {
    public var message: String
    /// The web port's address is at fault, not that of signalling.
    public var isWeb: Bool
    public init(message: String, isWeb: Bool = false) {
        self.message = message
        self.isWeb = isWeb
    }
    public var description: String { message }
}
