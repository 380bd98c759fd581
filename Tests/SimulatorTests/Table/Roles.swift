import Core
import Engine
import Interface
import Simulator
import Testing

/// Which of the two phones is ours in a row of the table; the other is the peer whose messages are changed on the way.
enum Role: String, CaseIterable, Sendable {
    case caller, callee
}

extension Pair {
    func own(_ role: Role) -> Node { role == .caller ? alice : bob }
    func peer(_ role: Role) -> Node { role == .caller ? bob : alice }

    /// Changes what the peer says: its offer when we are called, its answer when we call.
    func editPeer(of role: Role, _ change: @escaping (inout SIPText) -> Void) {
        edit(from: peer(role)) { text in
            if text.body.contains("m=audio") { change(&text) }
        }
    }

    /// The answerer is DTLS client, unless the offer says `active`.
    func makeOffererClient() { edit(from: alice) { $0.replaceLines("a=setup:actpass", with: "a=setup:active") } }

    /// Both are heard and both associations stand.
    func expectAudio(_ location: SourceLocation = #_sourceLocation) {
        #expect(bob.heard().share(of: Pair.aliceTone) > 0.9, sourceLocation: location)
        #expect(alice.heard().share(of: Pair.bobTone) > 0.9, sourceLocation: location)
    }

    /// DTLS with the certificate that was signalled, on both sides.
    func expectVerified(_ location: SourceLocation = #_sourceLocation) {
        for node in [alice, bob] {
            #expect(node.transport?.dtlsState == "connected" && node.transport?.remoteFingerprint?.verified == true, sourceLocation: location)
            #expect(node.snapshot.calls.first?.security == .dtls, sourceLocation: location)
        }
    }

    func dtlsRole(of node: Node) -> String? { node.transport?.dtlsRole }
}

extension Node {
    /// RTP's, of the first call.
    var transport: TransportStatistics? { snapshot.calls.first?.transports.first }
    var inbound: InboundStatistics? { snapshot.calls.first?.streams.first?.inbound }
    var outbound: OutboundStatistics? { snapshot.calls.first?.streams.first?.outbound }

    /// The sentences of warnings and errors under this code.
    func sentences(_ code: String) -> [String] {
        events.compactMap { if case .notice(_, code, let text, _) = $0.event { text } else { nil } }
    }

    /// Why the first call ended, as told with its state.
    var endReason: String? {
        events.lazy.compactMap { if case .callState(_, .ended, _, let reason) = $0.event { reason } else { nil } }.first
    }
}

extension Datagram {
    /// The content types of its DTLS records in order.
    var recordTypes: [UInt8] {
        var out: [UInt8] = []
        var at = 0
        while at + 13 <= payload.count {
            out.append(payload[at])
            at += 13 + Int(payload[at + 11]) << 8 + Int(payload[at + 12])
        }
        return kind == .dtls ? out : []
    }
}

/// Watches the wire for media that comes before it may: before both sides have sent ChangeCipherSpec, or before its sender has verified keys.
final class MediaWatch {
    private(set) var early: [String] = []
    /// The first media datagram of each node.
    private(set) var firstMedia: [String: Instant] = [:]
    /// The components (by the parity of the port) whose ChangeCipherSpec each node has sent.
    private var ciphers: [String: Set<UInt16>] = [:]

    init(_ pair: Pair) {
        pair.simulation.filters.append { [self, unowned simulation = pair.simulation, alice = pair.alice, bob = pair.bob] datagram in
            let sender = datagram.source.ip == alice.address ? alice : bob
            switch datagram.kind {
            case .dtls where datagram.recordTypes.contains(20): ciphers[sender.name, default: []].insert(datagram.source.port % 2)
            case .rtp, .rtcp:
                firstMedia[sender.name] = firstMedia[sender.name] ?? simulation.now
                let parity = datagram.source.port % 2
                if ciphers["alice"]?.contains(parity) != true || ciphers["bob"]?.contains(parity) != true {
                    early.append("\(simulation.now): \(datagram.kind) of \(sender.name) before both have changed to encryption")
                }
                let component = parity == 0 ? "rtp" : "rtcp"
                let transport = sender.snapshot.calls.first?.transports.first { $0.component == component }
                if sender.snapshot.calls.isEmpty == false, transport?.remoteFingerprint?.verified != true {
                    early.append("\(simulation.now): \(datagram.kind) of \(sender.name) with \(transport?.dtlsState ?? "nothing")")
                }
            default: break
            }
            return [datagram]
        }
    }
}
