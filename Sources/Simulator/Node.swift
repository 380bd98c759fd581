import Audio
import Core
import Engine
import Interface
import RTP
import SIP
import Secure

/// A machine with a phone on it: does in virtual time what the program's event loop and audio thread do.
public final class Node: Host {
    public struct Options {
        /// What its person says in each call.
        public var source = AudioSource.silence
        /// Without audio no media is encoded or played.
        public var hasAudio = true
        /// How much slower than real time the clock of its sound device runs, in parts per million.
        public var audioDrift = 0.0
        public var signallingPort: UInt16 = 5060
        public var listensTCP = false
        /// Told the time before each call of libssl.
        public var dtlsClock: ((Instant) -> Void)?
        /// How long the world takes to open sockets and to resolve.
        public var worldDelay = Duration.milliseconds(1)

        public init() {}
    }

    public let name: String
    public internal(set) var addresses: [IPAddress]
    /// What comes from there is lost, as when the kernel has no such source.
    var formerAddresses: Set<IPAddress> = []
    public let options: Options
    unowned let simulation: Simulation
    public internal(set) var phone: Phone
    /// Names to addresses.
    public var zone: [String: [IPAddress]] = [:]

    /// What the phone told, in order.
    public private(set) var events: [(at: Instant, event: Event)] = []
    /// Frames of video that came, in order.
    public private(set) var frames: [(call: CallID, frame: VP8Frame)] = []
    public private(set) var isFinished = false
    /// When the phone said that everything is ended.
    public private(set) var finishedAt: Instant?
    /// What a phone must never do, e.g. send from a socket that is closed.
    public internal(set) var faults: [String] = []
    public private(set) var echoRequests = 0
    /// Every name that was to be resolved.
    public internal(set) var namesLookedUp: [String] = []
    /// Keeps SIP messages sent and received, while set.
    public var keepsTraces = false
    public private(set) var traces: [Trace] = []
    /// Whether unreachable signalling is told, as the kernel does by ICMP.
    public var tellsUnreachable = false

    var sockets: [SocketAddress: MediaSocketID] = [:]
    var media: [MediaSocketID: Set<SocketAddress>] = [:]
    var nextPort: UInt16 = 20_000
    var streams: [ConnectionID: StreamEnd] = [:]
    /// Connections to TURN servers; TLS is not simulated, its bytes go in clear.
    var mediaStreams: [MediaStreamID: StreamEnd] = [:]
    var nextAccepted: UInt64 = 2
    public let audio: NodeAudio
    private var deadline: Instant?

    public init(
        _ name: String, addresses: [String], in simulation: Simulation, configuration: PhoneConfiguration, identity: CertificateIdentity,
        options: Options = Options(), behind box: NATBox? = nil
    ) {
        self.name = name
        self.addresses = addresses.compactMap { IPAddress($0) }
        self.options = options
        self.simulation = simulation
        phone = Phone(
            configuration: configuration, identity: identity, random: RandomSource(seed: simulation.random.next()),
            wallClock: WallClock(origin: .zero, milliseconds: 1_790_000_000_000), dtlsClock: options.dtlsClock)
        audio = NodeAudio(source: options.source, drift: options.audioDrift)
        simulation.add(self, behind: box)
    }

    /// The first address; the unspecified one without any.
    public var address: IPAddress { addresses.first ?? .anyV4 }
    public var signallingAddress: SocketAddress { SocketAddress(address, options.signallingPort) }
    public var uri: String { "sip:\(name)@\(address.uriHost):\(options.signallingPort)" }

    /// Sockets listen; accounts register.
    public func start() {
        let now = simulation.now
        phone.start(at: now)
        for address in addresses {
            let bound = SocketAddress(address, options.signallingPort)
            phone.handle(.signalling(.listening(.udp, bound)), at: now)
            if options.listensTCP { phone.handle(.signalling(.listening(.tcp, bound)), at: now) }
        }
        phone.announceReady(at: now)
        drain()
    }

    public func command(_ command: Command) { tell(.command(command)) }

    public func tell(_ input: PhoneInput) {
        phone.handle(input, at: simulation.now)
        drain()
    }

    public var snapshot: Snapshot { phone.snapshot(at: simulation.now) }

    // MARK: Host

    public func receive(_ datagram: Datagram) {
        let now = simulation.now
        if datagram.destination.port == options.signallingPort {
            let flow = SIPFlow(transport: .udp, local: datagram.destination, remote: datagram.source)
            phone.receiveSignalling(datagram.payload, flow: flow, at: now)
        } else if let id = sockets[datagram.destination] {
            phone.receiveMedia(datagram.payload.span.bytes, socket: id, local: datagram.destination, from: datagram.source, at: now)
        } else {
            simulation.countUndelivered()
            return
        }
        drain()
    }

    public var wakeAt: Instant? { earliest(deadline, audio.nextTick) }

    public func wake() {
        let now = simulation.now
        if let tick = audio.nextTick, tick <= now {
            if audio.tick(at: now) { phone.audioReady(at: now) }
        }
        if let due = deadline, due <= now { phone.handleTimeout(at: now) }
        drain()
    }

    // MARK: the round

    func receiveStream(_ bytes: [UInt8], _ id: MediaStreamID) {
        guard mediaStreams[id] != nil else { return }
        phone.receiveStream(bytes, stream: id, at: simulation.now)
        drain()
    }

    func drain() {
        while let output = phone.poll() { perform(output) }
        deadline = phone.deadline
    }

    private func perform(_ output: PhoneOutput) {
        let now = simulation.now
        if isFinished { faults.append("\(now): output after the end: \(output)") }
        switch output {
        case .transmit(let transmit): sendSignalling(transmit)
        case .connect(let id, let transport, let from, let to, _): connect(id, transport, from: from, to: to)
        case .close(let id): streams.removeValue(forKey: id)?.close()
        case .resolve(let id, let query): resolve(id, query)
        case .openMedia(let request): openMedia(request)
        case .closeMedia(let id): closeMedia(id)
        case .closeMediaSocket(let id, let address): closeMediaSocket(id, address)
        case .sendMedia(let id, let transmit): sendMedia(id, transmit)
        case .openStream(let id, _, let to, _): openStream(id, to: to)
        case .sendStream(let id, let bytes):
            if let stream = mediaStreams[id] { stream.send(bytes) } else { faults.append("\(now): sends on a media stream that is not open") }
        case .closeStream(let id): mediaStreams.removeValue(forKey: id)?.close()
        case .audio(let request): if options.hasAudio { audio.obey(request, at: now) }
        case .frame(let call, let frame): frames.append((call, frame))
        case .startEcho: echoRequests += 1
        case .keyLog, .remember: break
        case .event(let event):
            events.append((now, event.event))
            simulation.note("\(name): \(Node.line(event.event))")
        case .trace(let trace): if keepsTraces { traces.append(trace) }
        case .finished:
            isFinished = true
            finishedAt = now
        }
    }

    /// An event as one line, without what follows the library's own random numbers.
    private static func line(_ event: Event) -> String {
        switch event {
        case .callState(let id, let state, let heldBy, let reason): "call \(id) \(state.rawValue) \(heldBy?.rawValue ?? "") \(reason ?? "")"
        case .callDtls(let id, let figures): "call \(id) dtls \(figures.component) \(figures.dtlsState)"
        case .callIce(let id, let component, let state, let pairs): "call \(id) ice \(component) \(state) \(pairs)"
        case .callStats(let id, let transports, let streams): "call \(id) stats \(transports.map(withoutLengths)) \(streams)"
        case .result(let result): "\(withoutLengths(result))"
        default: "\(event)"
        }
    }

    private static func withoutLengths(_ result: CallResult) -> CallResult {
        var out = result
        out.transports = out.transports.map(withoutLengths)
        return out
    }

    /// An ECDSA signature is a few bytes longer or shorter by the library's own random numbers.
    private static func withoutLengths(_ transport: TransportStatistics) -> TransportStatistics {
        var out = transport
        for index in out.dtlsFlights.indices { out.dtlsFlights[index].bytes = 0 }
        out.bytesSent = 0
        out.bytesReceived = 0
        return out
    }
}
