import Core

/// A full ICE agent for one data stream of one or two components (RFC 8445, consent by RFC 7675).
///
/// Told addresses, credentials, packets and the time; says which packets to send and what it found. Checks are never final:
/// a pair that failed is tried again until `IceConfiguration.timeout` after the remote description.
public struct IceAgent: StateMachine {
    public enum Input: Sendable {
        /// A socket of ours, with its real address (not the unspecified one). One host candidate.
        case addHost(component: Int, base: SocketAddress)
        /// Asks each server from each base; again after a restart or when a host was added. Empty lists complete at once.
        case gather(stunServers: [SocketAddress], turnServers: [TurnServer] = [])
        /// The peer's description. Other credentials than before start anew with that peer; the same ones only add candidates.
        case setRemote(IceCredentials, candidates: [IceCandidate], isLite: Bool)
        /// Before `setRemote`: the description to come is another peer's (a fork), not the same one's restart. Only sources that showed
        /// this user name fragment stay known.
        case changePeer(ufrag: String)
        /// A trickled candidate.
        case addRemoteCandidate(IceCandidate)
        case endOfRemoteCandidates
        /// 1 when rtcp-mux was negotiated: drops component 2.
        case setComponents(Int)
        case setControlling(Bool)
        /// New credentials of ours (RFC 8445 §9); the route in use stays until the new peer description gives another.
        case restart(newControlling: Bool?)
        /// A connection that was asked for by `openStream` is up.
        case streamOpened(IceStreamID)
        /// It could not be opened, or was closed by the other side.
        case streamClosed(IceStreamID, reason: String)
        /// The socket is gone.
        case removeBase(SocketAddress)
        case close
    }

    public enum Output: Sendable {
        case transmit(Transmit)
        /// A connection to a TURN server, TLS when its transport says so. `streamOpened` or `streamClosed` answers.
        case openStream(IceStreamID, TurnServer)
        case sendStream(IceStreamID, [UInt8])
        case closeStream(IceStreamID)
        case event(IceEvent)
    }

    enum Timer: Hashable, Sendable {
        /// Ta: the next check may go (RFC 8445 §14.2).
        case pace
        case gatherPace
        case transaction(StunTransactionID)
        /// A failed pair becomes waiting again.
        case retry(IcePair.ID)
        /// The best valid pair of a component is nominated, better ones or not.
        case patience(component: Int)
        case consent(component: Int)
        case consentExpiry(component: Int)
        case refresh(base: SocketAddress, server: SocketAddress)
        /// The overall limit.
        case timeout
    }

    struct KnownSource: Hashable, Sendable {
        var component: Int
        var address: SocketAddress
    }

    struct Route: Sendable, Equatable {
        var base: SocketAddress
        var remote: SocketAddress
    }

    /// What is left to ask of STUN and TURN servers.
    struct GatherTask: Sendable {
        var component: Int
        /// nil with a connection.
        var base: SocketAddress?
        var server: SocketAddress
        var stream: IceStreamID?
        var isRelay = false
    }

    struct FailedServer: Hashable, Sendable {
        var address: SocketAddress
        /// nil for STUN.
        var transport: TurnServer.Transport?
    }

    /// A UDP socket of ours. With the policy `relay` it is no candidate and only speaks to TURN servers.
    struct Socket: Sendable {
        var component: Int
        var base: SocketAddress
    }

    static let remoteCandidateLimit = 64
    static let pairLimit = 100
    static let earlyCheckLimit = 32
    static let knownSourceLimit = 64
    static let baseLimit = 32
    static let serverLimit = 8

    let configuration: IceConfiguration
    let random: RandomSource
    public internal(set) var localCredentials: IceCredentials
    /// Those before a restart: the peer's checks of the old route are still answered.
    var previousCredentials: IceCredentials?
    public internal(set) var remoteCredentials: IceCredentials?
    public internal(set) var role: IceRole
    var tieBreaker: UInt64
    public internal(set) var components: Int
    public internal(set) var state = IceState.new
    public internal(set) var gatheringState = IceGatheringState.new
    public internal(set) var counters = IceCounters()
    /// Host, server-reflexive and relayed candidates: those to be signalled.
    public internal(set) var localCandidates: [IceCandidate] = []
    var peerReflexiveLocals: [IceCandidate] = []
    public internal(set) var remoteCandidates: [IceCandidate] = []
    public internal(set) var isRemoteLite = false
    /// True after `endOfRemoteCandidates`.
    public internal(set) var hasAllRemoteCandidates = false

    /// By priority, the highest first.
    var checkList: [IcePair] = []
    var triggered: [IcePair.ID] = []
    var nextPairID = 1
    var nextCheckAt = Instant.zero
    var transactions: [StunTransactionID: IceTransaction] = [:]
    var earlyChecks: [IceEarlyCheck] = []
    /// The oldest first.
    var knownSources: [KnownSource] = []
    /// By component: the nominated pair in use.
    var selected: [Int: IcePair.ID] = [:]
    /// By component: the route before a restart.
    var formerRoutes: [Int: Route] = [:]
    var gatherQueue: [GatherTask] = []
    var sockets: [Socket] = []
    var relays: [Relay] = []
    var openStreams: Set<IceStreamID> = []
    var nextStream = 1
    /// Servers whose failure was told.
    var failedServers: Set<FailedServer> = []
    /// STUN servers that answered at least once.
    var answeredServers: Set<SocketAddress> = []
    var foundations: [String: String] = [:]
    /// Every address ever given as a base, in order: sets the local preference.
    var hostAddresses: [IPAddress] = []
    var timers = TimerTable<Timer>()
    private var outputs: [Output] = []
    private var drained = 0

    /// Makes the local credentials. `random` must be cryptographically random outside tests.
    public init(configuration: IceConfiguration, random: RandomSource) {
        self.configuration = configuration
        self.random = random
        localCredentials = .fresh(random)
        tieBreaker = random.next()
        role = configuration.isControlling ? .controlling : .controlled
        components = configuration.components
    }

    public var deadline: Instant? { relays.isEmpty ? timers.deadline : earliest(timers.deadline, relayDeadline) }

    public mutating func poll() -> Output? {
        guard drained < outputs.count else { return nil }
        let output = outputs[drained]
        drained += 1
        if drained == outputs.count {
            outputs.removeAll(keepingCapacity: true)
            drained = 0
        }
        return output
    }

    public mutating func handle(_ input: consuming Input, at now: Instant) {
        guard state != .closed else { return }
        switch consume input {
        case .addHost(let component, let base): addHost(component: component, base: base, at: now)
        case .gather(let stunServers, let turnServers): gather(stunServers, turnServers, at: now)
        case .setRemote(let credentials, let candidates, let isLite):
            setRemote(credentials, candidates: candidates, isLite: isLite, at: now)
        case .changePeer(let ufrag):
            knownSources = earlyChecks.filter { $0.remoteUfrag.elementsEqual(ufrag.utf8) }.map {
                KnownSource(component: $0.component, address: $0.source)
            }
        case .addRemoteCandidate(let candidate):
            addRemote(candidate)
            formPairs()
            permitPeers(at: now)
            pump(at: now)
        case .endOfRemoteCandidates: hasAllRemoteCandidates = true
        case .setComponents(let count): setComponents(count, at: now)
        case .setControlling(let controlling): setRole(controlling ? .controlling : .controlled, isConflict: false, at: now)
        case .restart(let controlling): restart(newControlling: controlling, at: now)
        case .streamOpened(let stream): streamOpened(stream, at: now)
        case .streamClosed(let stream, let reason): streamClosed(stream, reason: reason, at: now)
        case .removeBase(let base): removeBase(base, at: now)
        case .close: close(at: now)
        }
    }

    public mutating func handleTimeout(at now: Instant) {
        while let timer = timers.popExpired(at: now) {
            switch timer {
            case .pace: pump(at: now)
            case .gatherPace: pumpGathering(at: now)
            case .transaction(let id): transactionTimedOut(id, at: now)
            case .retry(let id): retry(id, at: now)
            case .patience(let component): nominateBest(of: component, at: now)
            case .consent(let component): sendConsentCheck(component, at: now)
            case .consentExpiry(let component): consentExpired(component, at: now)
            case .refresh(let base, let server): refresh(base: base, server: server, at: now)
            case .timeout: overallTimeout(at: now)
            }
        }
        relaysTimedOut(at: now)
    }

    mutating func emit(_ event: IceEvent) { outputs.append(.event(event)) }

    mutating func emit(_ output: Output) { outputs.append(output) }

    /// To a STUN server or a peer.
    mutating func send(_ payload: [UInt8], from base: SocketAddress, to destination: SocketAddress) {
        switch carry(payload, from: base, to: destination) {
        case .datagram(let transmit): outputs.append(.transmit(transmit))
        case .stream(let stream, let bytes): outputs.append(.sendStream(stream, bytes))
        case nil: break
        }
    }
}
