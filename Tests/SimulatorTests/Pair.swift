import Audio
import CVirtualTime
import Core
import Engine
import Foundation
import Interface
import Secure
import Simulator
import Testing

/// Tells libssl's clock.
func setVirtualClock(_ now: Instant) { virtual_time_set(1_000_000_000 + now.nanoseconds / 1000) }

enum Identities {
    static let alice = identity()
    static let bob = identity()
    static let mallory = identity()

    private static func identity() -> CertificateIdentity {
        do { return try CertificateIdentity.selfSigned(unixTime: 1_790_000_000) } catch { preconditionFailure("\(error)") }
    }
}

enum Seeds {
    /// How many seeds a test of many runs: `SIDETONE_SEEDS`.
    static func count(_ standard: Int = 200) -> Int {
        ProcessInfo.processInfo.environment["SIDETONE_SEEDS"].flatMap { Int($0) }.map { max(1, min($0, standard)) } ?? standard
    }
    /// One seed to replay with a trace: `SIDETONE_SEED`.
    static var replayed: UInt64? { ProcessInfo.processInfo.environment["SIDETONE_SEED"].flatMap { UInt64($0) } }
    static var replayedLoss: Double { ProcessInfo.processInfo.environment["SIDETONE_LOSS"].flatMap { Double($0) } ?? 0 }
}

/// Two phones and the network between them. Alice's person hums 440 Hz, Bob's 1000 Hz.
final class Pair {
    static let aliceTone = 440.0
    static let bobTone = 1000.0

    let simulation: Simulation
    let alice: Node
    let bob: Node

    init(
        seed: UInt64 = 1, profile: LinkProfile = LinkProfile(), both: (inout PhoneConfiguration) -> Void = { _ in },
        alice aliceEdit: (inout PhoneConfiguration) -> Void = { _ in }, bob bobEdit: (inout PhoneConfiguration) -> Void = { _ in },
        options edit: (inout Node.Options) -> Void = { _ in }
    ) {
        simulation = Simulation(seed: seed, profile: profile)
        var a = PhoneConfiguration.lean
        var b = PhoneConfiguration.lean
        b.autoAnswer = true
        both(&a)
        both(&b)
        aliceEdit(&a)
        bobEdit(&b)
        var options = Node.Options()
        options.dtlsClock = setVirtualClock
        edit(&options)
        options.source = .tone(Pair.aliceTone)
        alice = Node("alice", addresses: ["192.0.2.1"], in: simulation, configuration: a, identity: Identities.alice, options: options)
        options.source = .tone(Pair.bobTone)
        bob = Node("bob", addresses: ["192.0.2.2"], in: simulation, configuration: b, identity: Identities.bob, options: options)
        alice.start()
        bob.start()
    }

    func dial() { alice.command(.dial(uri: bob.uri)) }

    /// Dials and waits until both have media.
    @discardableResult
    func connect(limit: Duration = .seconds(10)) -> Bool {
        dial()
        return simulation.run(limit: limit) { self.alice.hasMedia && self.bob.hasMedia }
    }

    /// Whatever timers are left run off: the longest are 64·T1.
    func settle() { simulation.run(for: .seconds(80)) }

    /// Ends what is up and checks that nothing is left on either side.
    func finish(_ location: SourceLocation = #_sourceLocation) {
        for node in [alice, bob] {
            for call in node.snapshot.calls { node.command(.hangUp(call.id)) }
        }
        settle()
        for node in [alice, bob] {
            #expect(node.isQuiet, "\(node.name) is left with \(node.phone.aliveCounts), \(node.mediaAddresses)", sourceLocation: location)
        }
        #expect(faults.isEmpty, sourceLocation: location)
        #expect(alice.disorder.isEmpty && bob.disorder.isEmpty, "\(alice.disorder) \(bob.disorder)", sourceLocation: location)
    }

    /// Changes the SDP and the headers of every SIP message from this node.
    func edit(from node: Node, _ edit: @escaping (inout SIPText) -> Void) {
        simulation.filters.append { [address = node.address] datagram in [datagram.source.ip == address ? datagram.editing(edit) : datagram] }
    }

    /// Loses what the condition names.
    func drop(_ condition: @escaping (Datagram) -> Bool) {
        simulation.filters.append { condition($0) ? [] : [$0] }
    }

    var faults: [String] { simulation.faults + alice.faults + bob.faults }
}

extension PhoneConfiguration {
    /// What most tests use. Opus: its library costs less in a debug build than our own resampling to G.711.
    static var lean: PhoneConfiguration {
        var out = PhoneConfiguration()
        out.codecs = ["opus"]
        return out
    }
}

extension Node {
    /// The first call that was told of; a refused offer has used up a number.
    var call: CallID { events.lazy.compactMap { if case .callState(let id, _, _, _) = $0.event { id } else { nil } }.first ?? CallID(1) }
    var states: [CallState] { states(of: call) }

    func states(of id: CallID) -> [CallState] {
        events.compactMap { if case .callState(let call, let state, _, _) = $0.event, call == id { state } else { nil } }
    }

    var hasMedia: Bool { states.contains(.media) }
    var hasEnded: Bool { states.last == .ended }

    func result(of id: CallID) -> CallResult? {
        for case .result(let result) in events.map(\.event) where result.call == id { return result }
        return nil
    }
    var result: CallResult? { result(of: call) }

    var results: [CallResult] { events.compactMap { if case .result(let result) = $0.event { result } else { nil } } }

    /// The codes of warnings and errors.
    var notices: [String] { events.compactMap { if case .notice(_, let code, _, _) = $0.event { code } else { nil } } }

    func digits(_ direction: DTMFDirection) -> String {
        events.compactMap { if case .callDTMF(_, let digit, _, let way) = $0.event, way == direction { digit } else { nil } }.joined()
    }

    var registrations: [RegistrationState] { events.compactMap { if case .registration(_, let state, _, _) = $0.event { state } else { nil } } }

    func heard(_ id: CallID? = nil) -> Heard { audio[id ?? call] }

    var isQuiet: Bool { phone.aliveCounts == (0, 0, 0, 0, 0) && audio.attachedCount == 0 && mediaAddresses.isEmpty }
}
