import Core
import ICE
import Secure

/// STUN, and what it costs both ends to connect by ICE and DTLS with nothing between them.
enum ConnectivityBenchmarks {
    static func stun() throws {
        Report.head("STUN")
        let key = StunKey.shortTerm(password: "abcdefghijklmnopqrstuvwx")
        let random = RandomSource(seed: 1)
        let make = { () -> [UInt8] in
            var builder = StunBuilder(.request, id: StunTransactionID(random: random))
            builder.add(.username, text: "aB3dE6gH:xY8zW5vU")
            builder.add(.priority, u32: 1_862_270_975)
            builder.add(.iceControlling, u64: 0x1234_5678_9ABC_DEF0)
            return builder.finish(key: key)
        }
        let request = make()
        let count = 2000
        try Report.line(
            "Binding request written and signed (\(request.count) bytes)", Measure.alone(items: count) { for _ in 0..<count { keep(make()) } },
            rate: "msg")
        try Report.line("parsed", Measure.alone(items: count) { for _ in 0..<count { keep(try StunMessage.parse(request.span.bytes)) } }, rate: "msg")
        let verified = try Measure.alone(items: count) {
            for _ in 0..<count { keep(try StunMessage.parse(request.span.bytes).verify(key)) }
        }
        Report.line("parsed and verified", verified, rate: "msg")
    }

    static func handshake() throws {
        Report.head("Connecting, CPU of both ends together")
        let started = Measure.cpu()
        let profile = SRTPProfile.aeadAES128GCM
        keep(
            try SRTPContext(
                profile: profile, key: SRTPMasterKey(key: .init(repeating: 1, count: 16), salt: .init(repeating: 2, count: 12)), direction: .inbound))
        print("  first SRTP context of the process: \(Report.time(Double(Measure.cpu() &- started)))")
        let alice = try CertificateIdentity.selfSigned(unixTime: 1_790_000_000)
        let bob = try CertificateIdentity.selfSigned(unixTime: 1_790_000_000)
        let count = 20
        let identity = try Measure.alone(items: count) { for _ in 0..<count { keep(try CertificateIdentity.selfSigned(unixTime: 1_790_000_000)) } }
        Report.line("certificate with a P-256 key made", identity)
        var agents = Agents()
        let ice = try Measure.alone(items: count) { for _ in 0..<count { agents = Agents(); agents.connect() } }
        Report.line("ICE, one component, one candidate each", ice, note: "\(agents.states), \(agents.datagrams) datagrams")
        var pair = Associations(alice, bob)
        let dtls = try Measure.alone(items: count) { for _ in 0..<count { pair = Associations(alice, bob); pair.connect() } }
        Report.line("DTLS with verified certificates", dtls, note: "\(pair.states), \(pair.datagrams) datagrams")
        // libsrtp may tear its cryptographic library down with the last session and set it up with the next one.
        let contexts = { () throws -> Measurement in
            try Measure.alone(items: count) {
                for _ in 0..<count {
                    guard let keys = pair.keys else { continue }
                    keep(try SRTPContext(profile: keys.profile, key: keys.remote, direction: .inbound))
                    keep(try SRTPContext(profile: keys.profile, key: keys.local, direction: .outbound))
                }
            }
        }
        Report.line("the two SRTP contexts of one end", try contexts(), note: "no other session exists")
        if let keys = pair.keys {
            let kept = try SRTPContext(profile: keys.profile, key: keys.remote, direction: .inbound)
            Report.line("the same", try contexts(), note: "another session exists")
            withExtendedLifetime(kept) {}
        }
        let sum = Measurement(rounds: zip(ice.rounds, dtls.rounds).map(+))
        Report.line("ICE and DTLS", sum, rate: "call")
    }
}

private struct Agents {
    private var agents: [IceAgent]
    private let bases = [SocketAddress(.v4(0xC000_0201), 40000), SocketAddress(.v4(0xC000_0207), 40002)]
    private(set) var datagrams = 0

    init() {
        agents = [true, false].enumerated().map { index, controlling in
            IceAgent(configuration: IceConfiguration(isControlling: controlling), random: RandomSource(seed: UInt64(index) + 5))
        }
    }

    var states: String { agents.map(\.state.rawValue).joined(separator: "/") }

    mutating func connect() {
        var now = Instant(nanoseconds: 1_000_000_000)
        for i in 0..<2 {
            agents[i].handle(.addHost(component: 1, base: bases[i]), at: now)
            agents[i].handle(.gather(stunServers: []), at: now)
        }
        for i in 0..<2 {
            agents[i].handle(.setRemote(agents[1 - i].localCredentials, candidates: agents[1 - i].localCandidates, isLite: false), at: now)
            agents[i].handle(.endOfRemoteCandidates, at: now)
        }
        for _ in 0..<20 {
            drain(now)
            if agents.allSatisfy({ $0.state == .completed }) { return }
            now = now + .milliseconds(50)
            for i in 0..<2 { agents[i].handleTimeout(at: now) }
        }
    }

    private mutating func drain(_ now: Instant) {
        var isBusy = true
        while isBusy {
            isBusy = false
            for i in 0..<2 {
                while let output = agents[i].poll() {
                    guard case .transmit(let transmit) = output else { continue }
                    isBusy = true
                    datagrams += 1
                    agents[1 - i].receive(transmit.payload.span.bytes, from: transmit.source, to: transmit.destination, at: now)
                }
            }
        }
    }
}

private struct Associations {
    private let sides: [DTLSAssociation]
    private(set) var datagrams = 0

    init(_ alice: CertificateIdentity, _ bob: CertificateIdentity) {
        sides = [DTLSAssociation(role: .client, identity: alice), DTLSAssociation(role: .server, identity: bob)]
        sides[0].expect(fingerprints: bob.fingerprints, at: .zero)
        sides[1].expect(fingerprints: alice.fingerprints, at: .zero)
    }

    var states: String { sides.map(\.state.rawValue).joined(separator: "/") }
    var keys: SRTPKeyPair? { sides[0].negotiated?.keys }

    mutating func connect() {
        for side in sides { side.start(at: .zero) }
        var isBusy = true
        while isBusy {
            isBusy = false
            for (index, side) in sides.enumerated() {
                while let output = side.poll() {
                    guard case .transmit(let datagram) = output else { continue }
                    isBusy = true
                    datagrams += 1
                    sides[1 - index].receive(datagram.span.bytes, at: .zero)
                }
            }
        }
    }
}
