import Core

@testable import ICE

/// One agent against a peer written out by the test, in virtual time.
final class Solo {
    var now = Instant.zero
    var agent: IceAgent
    let base = SocketAddress(.v4(0xC000_0201), 4000)
    let peer = SocketAddress(.v4(0xC000_0202), 5000)
    let peerCredentials = IceCredentials(ufrag: "peer", pwd: "peerpeerpeerpeerpeerpeer")
    let peerTieBreaker: UInt64 = 42
    var sent: [(at: Instant, transmit: Transmit)] = []
    var events: [(at: Instant, event: IceEvent)] = []
    var opened: [(stream: IceStreamID, server: TurnServer)] = []
    var streamed: [(stream: IceStreamID, bytes: [UInt8])] = []
    var closed: [IceStreamID] = []
    private let random = RandomSource(seed: 99)

    init(isControlling: Bool, components: Int = 1, policy: IcePolicy = .all) {
        var configuration = IceConfiguration(isControlling: isControlling, components: components)
        configuration.policy = policy
        agent = IceAgent(configuration: configuration, random: RandomSource(seed: 5))
        handle(.addHost(component: 1, base: base))
    }

    func candidate(_ address: SocketAddress, priority: UInt32 = 2_130_706_431, component: Int = 1, foundation: String = "1") -> IceCandidate {
        IceCandidate(foundation: foundation, component: component, priority: priority, address: address, kind: .host)
    }

    func describe(_ candidates: [IceCandidate]? = nil, isLite: Bool = false) {
        handle(.setRemote(peerCredentials, candidates: candidates ?? [candidate(peer)], isLite: isLite))
    }

    func handle(_ input: IceAgent.Input) {
        agent.handle(input, at: now)
        drain()
    }

    func receive(_ datagram: [UInt8], from source: SocketAddress? = nil, to base: SocketAddress? = nil) {
        agent.receive(datagram.span.bytes, from: source ?? peer, to: base ?? self.base, at: now)
        drain()
    }

    func drain() {
        while let output = agent.poll() {
            switch output {
            case .transmit(let transmit): sent.append((now, transmit))
            case .event(let event): events.append((now, event))
            case .openStream(let stream, let server): opened.append((stream, server))
            case .sendStream(let stream, let bytes): streamed.append((stream, bytes))
            case .closeStream(let stream): closed.append(stream)
            }
        }
    }

    /// Lets time pass; every timer fires at its own instant.
    func advance(_ duration: Duration) {
        let end = now + duration
        while let deadline = agent.deadline, deadline <= end {
            now = max(now, deadline)
            agent.handleTimeout(at: now)
            drain()
        }
        now = end
    }

    /// A check by the peer.
    func check(
        useCandidate: Bool = false, controlling: Bool? = nil, ufrag: String? = nil, from source: SocketAddress? = nil, pwd: String? = nil,
        extra: StunAttribute? = nil
    ) {
        var builder = StunBuilder(.request, id: StunTransactionID(random: random))
        builder.add(.username, text: "\(agent.localCredentials.ufrag):\(ufrag ?? peerCredentials.ufrag)")
        builder.add(.priority, u32: 1_845_501_695)
        builder.add((controlling ?? (agent.role == .controlled)) ? .iceControlling : .iceControlled, u64: peerTieBreaker)
        if useCandidate { builder.add(flag: .useCandidate) }
        if let extra { builder.add(extra, u32: 1) }
        receive(builder.finish(key: .shortTerm(password: pwd ?? agent.localCredentials.pwd)), from: source)
    }

    var lastSent: StunMessage? { sent.last?.transmit.stun }
    var requests: [(at: Instant, transmit: Transmit, message: StunMessage)] {
        sent.compactMap { entry in
            guard let message = entry.transmit.stun, message.messageClass == .request else { return nil }
            return (entry.at, entry.transmit, message)
        }
    }

    /// The peer's good answer to a request of the agent.
    func succeed(_ request: StunMessage, mapped: SocketAddress? = nil, from source: SocketAddress? = nil) {
        var builder = StunBuilder(.success, id: request.transactionID)
        builder.add(.xorMappedAddress, xorAddress: mapped ?? base)
        receive(builder.finish(key: peerCredentials.key), from: source)
    }

    func refuse(_ request: StunMessage, _ code: Int, isAuthentic: Bool) {
        var builder = StunBuilder(.error, id: request.transactionID)
        builder.addError(code, reason: "No")
        receive(builder.finish(key: isAuthentic ? peerCredentials.key : nil))
    }

    /// Answers every request that is not answered yet, until nothing more comes.
    func succeedAll() {
        while let next = requests.dropFirst(answered).first {
            answered += 1
            succeed(next.message, from: next.transmit.destination)
        }
    }
    var answered = 0

    func count(_ matches: (IceEvent) -> Bool) -> Int { events.count { matches($0.event) } }
}
