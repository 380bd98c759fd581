import Audio
import Core
import Engine
import Interface
import RTP
import Simulator
import Testing

/// A phone that joins calls, and the two that it joins. Alice hums 440 Hz, Bob 1000 Hz, the hub's own person 700 Hz.
final class Trio {
    static let hubTone = 700.0

    let simulation: Simulation
    let alice: Node
    let bob: Node
    let hub: Node
    /// Plain RTP, in order of sending.
    private(set) var packets: [WirePacket] = []

    init(
        seed: UInt64 = 1, profile: LinkProfile = LinkProfile(), all: (inout PhoneConfiguration) -> Void = Trio.plain,
        alice aliceEdit: (inout PhoneConfiguration) -> Void = { _ in }, bob bobEdit: (inout PhoneConfiguration) -> Void = { _ in },
        hub hubEdit: (inout PhoneConfiguration) -> Void = { _ in }
    ) {
        simulation = Simulation(seed: seed, profile: profile)
        let simulation = simulation
        func node(_ name: String, _ address: String, _ tone: Double, _ edit: (inout PhoneConfiguration) -> Void) -> Node {
            var configuration = PhoneConfiguration.lean
            configuration.autoAnswer = true
            all(&configuration)
            edit(&configuration)
            var options = Node.Options()
            options.dtlsClock = setVirtualClock
            options.source = .tone(tone)
            return Node(name, addresses: [address], in: simulation, configuration: configuration, identity: Identities.alice, options: options)
        }
        alice = node("alice", "192.0.2.1", Pair.aliceTone, aliceEdit)
        bob = node("bob", "192.0.2.2", Pair.bobTone, bobEdit)
        hub = node("hub", "192.0.2.3", Trio.hubTone) {
            $0.passesVideo = true
            hubEdit(&$0)
        }
        simulation.tap { [unowned self] in packets.append($0) }
        for node in everybody { node.start() }
    }

    static func plain(_ configuration: inout PhoneConfiguration) { configuration.security = .none }

    private var everybody: [Node] { [alice, bob, hub] }

    /// The hub calls both and joins them.
    @discardableResult
    func bridge() -> Bool {
        hub.command(.bridge(first: alice.uri, second: bob.uri))
        return simulation.run(limit: .seconds(20)) { self.isJoined && self.alice.hasMedia && self.bob.hasMedia }
    }

    var isJoined: Bool { hub.snapshot.calls.count == 2 && hub.snapshot.calls.allSatisfy { $0.bridgeMode != nil } }
    /// The hub's calls with Alice and Bob, where it placed both.
    var toAlice: CallID { CallID(1) }
    var toBob: CallID { CallID(2) }

    /// What one sent to the other, of one kind.
    func sent(from: Node, to: Node, payloadTypes: Set<UInt8>? = nil) -> [WirePacket] {
        packets.filter {
            $0.from == from.address.description && $0.to == to.address.description && payloadTypes?.contains($0.header.payloadType) ?? true
        }
    }

    func forgetPackets() { packets = [] }

    /// Ends what is up and checks that nothing is left anywhere.
    func finish(_ location: SourceLocation = #_sourceLocation) {
        for node in everybody {
            for call in node.snapshot.calls { node.command(.hangUp(call.id)) }
        }
        simulation.run(for: .seconds(80))
        for node in everybody {
            #expect(node.isQuiet, "\(node.name) is left with \(node.phone.aliveCounts), \(node.mediaAddresses)", sourceLocation: location)
            #expect(node.disorder.isEmpty && node.faults.isEmpty, "\(node.disorder) \(node.faults)", sourceLocation: location)
        }
        #expect(simulation.faults.isEmpty, sourceLocation: location)
    }
}
