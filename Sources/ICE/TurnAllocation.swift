import Core

/// One allocation at a TURN server (RFC 8656): a relayed transport address, its permissions and channels.
///
/// Told responses and the time; says which bytes go to the server. Knows neither sockets nor ICE.
public struct TurnAllocation: StateMachine {
    public enum Input: Sendable {
        /// Asks for the relayed address; over TCP and TLS once the connection is up.
        case allocate
        /// The peer's address may send to us and be sent to (§9).
        case permit(IPAddress)
        /// Packets to this peer are to have four bytes of overhead instead of 36 (§12).
        case bindChannel(SocketAddress)
        /// Permissions and channels of all other peers are no longer refreshed.
        case forgetPeers(except: Set<IPAddress>)
        /// The connection to the server is gone, and the allocation with it.
        case streamClosed(reason: String)
        /// Gives the allocation back (§8). Said once: an allocation expires by itself.
        case close
    }

    public enum Output: Sendable, Equatable {
        case send([UInt8])
        /// `mapped`: our address as the server sees it.
        case allocated(relayed: SocketAddress, mapped: SocketAddress?)
        /// There is no allocation, or none any more. The last output.
        case failed(code: Int?, message: String)
        /// The server does not relay to this peer.
        case peerRefused(IPAddress, code: Int, message: String)
    }

    public enum State: Sendable, Equatable {
        case new, allocating, allocated, failed, closed
    }

    enum Timer: Hashable, Sendable {
        case request(StunTransactionID)
        case refresh
        /// The server has forgotten the allocation.
        case expiry
        case permission(IPAddress)
        case channel(SocketAddress)
    }

    /// What is asked.
    enum Purpose: Sendable, Equatable {
        case allocate
        case refresh(lifetime: UInt32)
        case permission(IPAddress)
        case channel(SocketAddress)
    }

    struct Request: Sendable {
        var purpose: Purpose
        var payload: [UInt8]
        /// The nonce it carries; nil without credentials.
        var nonce: [UInt8]?
        /// Answers 401 and 438 that led to it.
        var challenges: Int
        var sent = 1
    }

    enum Permission: Sendable, Equatable {
        case requested, granted, refused
    }

    struct Channel: Sendable {
        var number: UInt16
        var isBound = false
    }

    /// A packet that waits for its permission.
    struct Waiting: Sendable {
        var peer: SocketAddress
        var payload: [UInt8]
    }

    static let peerLimit = 64
    static let waitingLimit = 16
    static let challengeLimit = 3
    /// §6 asks for 10 minutes when nothing is said; we say it.
    static let lifetime: UInt32 = 600
    /// Permissions last 5 minutes (§9), channels 10 (§12); binding a channel renews the permission as well.
    static let peerRefresh = Duration.seconds(240)

    public let server: TurnServer
    let random: RandomSource
    public internal(set) var state = State.new
    public internal(set) var relayed: SocketAddress?
    var challenge: TurnChallenge?
    /// REQUESTED-ADDRESS-FAMILY: of IPv6 servers; taken back when it refuses (440).
    var wantsIPv6: Bool
    var requests: [StunTransactionID: Request] = [:]
    var permissions: [IPAddress: Permission] = [:]
    var channels: [SocketAddress: Channel] = [:]
    var peers: [UInt16: SocketAddress] = [:]
    var nextChannel: UInt16 = 0x4000
    var waiting: [Waiting] = []
    var timers = TimerTable<Timer>()
    private var outputs: [Output] = []
    private var drained = 0

    public init(server: TurnServer, random: RandomSource) {
        self.server = server
        self.random = random
        wantsIPv6 = server.address.ip.isV6
    }

    /// UDP: requests are repeated, and ChannelData is not padded.
    var isDatagram: Bool { server.transport == .udp }

    public var deadline: Instant? { timers.deadline }

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
        switch consume input {
        case .allocate:
            guard state == .new else { return }
            state = .allocating
            begin(.allocate, at: now)
        case .permit(let ip): permit(ip, at: now)
        case .bindChannel(let peer): bindChannel(peer, at: now)
        case .forgetPeers(let kept): forgetPeers(except: kept)
        case .streamClosed(let reason):
            guard state == .new || state == .allocating || state == .allocated else { return }
            fail(code: nil, relayed == nil ? "cannot be reached: \(reason)" : "the connection was closed: \(reason)")
        case .close: close(at: now)
        }
    }

    public mutating func handleTimeout(at now: Instant) {
        while let timer = timers.popExpired(at: now) {
            switch timer {
            case .request(let id): requestTimedOut(id, at: now)
            case .refresh: begin(.refresh(lifetime: Self.lifetime), at: now)
            case .expiry: fail(code: nil, "no longer answers: the relayed address is lost")
            case .permission(let ip): if permissions[ip] != nil { begin(.permission(ip), at: now) }
            case .channel(let peer): if channels[peer] != nil { begin(.channel(peer), at: now) }
            }
        }
    }

    mutating func emit(_ output: Output) { outputs.append(output) }

    mutating func fail(code: Int?, _ message: String) {
        guard state != .failed, state != .closed else { return }
        state = .failed
        forgetEverything()
        emit(.failed(code: code, message: message))
    }

    private mutating func close(at now: Instant) {
        if state == .allocated { emit(.send(request(.refresh(lifetime: 0), StunTransactionID(random: random)))) }
        state = .closed
        forgetEverything()
    }

    private mutating func forgetEverything() {
        requests = [:]
        permissions = [:]
        channels = [:]
        peers = [:]
        waiting = []
        timers.cancelAll()
    }
}
