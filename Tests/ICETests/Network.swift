import Core

@testable import ICE

/// Two agents (0 and 1) and a seeded network between them, in virtual time. Agent 0 may sit behind a NAT.
final class Network {
    struct Link {
        var delay: ClosedRange<Int> = 10...10  // milliseconds
        var loss = 0.0
        var duplicate = 0.0
    }

    struct Flight {
        var at: Instant
        var order: Int
        var to: Int
        var base: SocketAddress
        var source: SocketAddress
        var payload: [UInt8]
    }

    /// Endpoint-independent mapping, address-and-port-dependent filtering.
    struct NAT {
        var publicIP: IPAddress
        var mappings: [SocketAddress: SocketAddress] = [:]
        var allowed: Set<[SocketAddress]> = []
        var nextPort: UInt16 = 61000
    }

    var now = Instant.zero
    var agents: [IceAgent]
    var link = Link()
    var nat: NAT?
    /// Sees each packet on its way: false drops it.
    var filter: (_ from: Int, _ transmit: Transmit, _ at: Instant) -> Bool = { _, _, _ in true }
    /// Answers packets for addresses that no agent has.
    var stranger: ((_ network: Network, _ transmit: Transmit, _ source: SocketAddress) -> Void)?
    var events: [(at: Instant, agent: Int, event: IceEvent)] = []
    var sent: [(at: Instant, agent: Int, transmit: Transmit)] = []
    private var flights: [Flight] = []
    private var order = 0
    private let random: RandomSource

    init(_ first: IceConfiguration, _ second: IceConfiguration, seed: UInt64 = 1) {
        random = RandomSource(seed: seed &* 7919)
        agents = [
            IceAgent(configuration: first, random: RandomSource(seed: seed &* 31 &+ 1)),
            IceAgent(configuration: second, random: RandomSource(seed: seed &* 31 &+ 2)),
        ]
    }

    func handle(_ agent: Int, _ input: IceAgent.Input) {
        agents[agent].handle(input, at: now)
        drain(agent)
    }

    func addHosts(_ agent: Int, _ bases: [String], component: Int = 1) {
        for base in bases.compactMap({ SocketAddress($0) }) { handle(agent, .addHost(component: component, base: base)) }
    }

    /// Tells `agent` what the other one would have signalled.
    func describe(to agent: Int, candidates: [IceCandidate]? = nil, isLite: Bool = false) {
        let other = agents[1 - agent]
        handle(agent, .setRemote(other.localCredentials, candidates: candidates ?? other.localCandidates, isLite: isLite))
    }

    func drain(_ agent: Int) {
        while let output = agents[agent].poll() {
            switch output {
            case .event(let event): events.append((now, agent, event))
            case .openStream, .sendStream, .closeStream: break
            case .transmit(let transmit):
                sent.append((now, agent, transmit))
                route(agent, transmit)
            }
        }
    }

    private func route(_ agent: Int, _ transmit: Transmit) {
        guard filter(agent, transmit, now), random.uniform() >= link.loss else { return }
        var source = transmit.source
        if agent == 0, nat != nil { source = translate(transmit) }
        deliver(transmit.payload, from: source, to: transmit.destination, sender: agent, transmit)
        if random.uniform() < link.duplicate { deliver(transmit.payload, from: source, to: transmit.destination, sender: agent, transmit) }
    }

    private func translate(_ transmit: Transmit) -> SocketAddress {
        guard var nat else { return transmit.source }
        let mapped = nat.mappings[transmit.source] ?? SocketAddress(nat.publicIP, nat.nextPort)
        if nat.mappings[transmit.source] == nil {
            nat.mappings[transmit.source] = mapped
            nat.nextPort += 1
        }
        nat.allowed.insert([mapped, transmit.destination])
        self.nat = nat
        return mapped
    }

    private func deliver(_ payload: [UInt8], from source: SocketAddress, to destination: SocketAddress, sender: Int, _ transmit: Transmit) {
        var base = destination
        if let nat, sender != 0 {
            if let inner = nat.mappings.first(where: { $0.value == destination })?.key {
                guard nat.allowed.contains([destination, source]) else { return }
                base = inner
            } else if agents[0].localCandidates.contains(where: { $0.kind == .host && $0.base == destination }) {
                return
            }
        }
        guard let to = agents.indices.first(where: { i in agents[i].localCandidates.contains { $0.kind == .host && $0.base == base } }) else {
            stranger?(self, transmit, source)
            return
        }
        inject(payload, from: source, to: to, base: base)
    }

    /// Puts a packet on the way to an agent.
    func inject(_ payload: [UInt8], from source: SocketAddress, to agent: Int, base: SocketAddress) {
        var generator = random
        let delay = Int.random(in: link.delay, using: &generator)
        order += 1
        flights.append(Flight(at: now + .milliseconds(delay), order: order, to: agent, base: base, source: source, payload: payload))
    }

    var nextInstant: Instant? {
        agents.reduce(flights.map(\.at).min()) { earliest($0, $1.deadline) }
    }

    /// Runs until the condition holds; false when `limit` passes or nothing is left to happen first.
    @discardableResult
    func run(for limit: Duration, until condition: () -> Bool = { false }) -> Bool {
        let end = now + limit
        while true {
            if condition() { return true }
            guard let next = nextInstant, next <= end else {
                now = end
                return condition()
            }
            now = max(now, next)
            if let index = flights.indices.filter({ flights[$0].at <= now }).min(by: { flights[$0].order < flights[$1].order }) {
                let flight = flights.remove(at: index)
                agents[flight.to].receive(flight.payload.span.bytes, from: flight.source, to: flight.base, at: now)
                drain(flight.to)
            } else {
                for agent in agents.indices {
                    agents[agent].handleTimeout(at: now)
                    drain(agent)
                }
            }
        }
    }

    var bothCompleted: Bool { agents.allSatisfy { $0.state == .completed } }

    func times(_ agent: Int, where matches: (IceEvent) -> Bool) -> [Double] {
        events.filter { $0.agent == agent && matches($0.event) }.map { $0.at.milliseconds(since: .zero) }
    }

    func states(_ agent: Int) -> [IceState] {
        events.compactMap { if $0.agent == agent, case .stateChanged(let state) = $0.event { state } else { nil } }
    }

    /// Both use the same two addresses, seen from their own sides.
    func agree(_ component: Int = 1) -> Bool {
        guard let a = agents[0].selectedPair(component), let b = agents[1].selectedPair(component) else { return false }
        return a.local.address == b.remote.address && a.remote.address == b.local.address
    }
}

extension IceEvent {
    var isValidPair: Bool { if case .validPair = self { true } else { false } }
    var isSelectedPair: Bool { if case .selectedPair = self { true } else { false } }
    var isConsentLost: Bool { if case .consentLost = self { true } else { false } }
    var isCompleted: Bool { self == .stateChanged(.completed) }
}

extension Transmit {
    var stun: StunMessage? { try? StunMessage.parse(payload.span.bytes) }
}
