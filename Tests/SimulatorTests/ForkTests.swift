import Audio
import Core
import Engine
import Foundation
import Interface
import RTP
import Simulator
import Testing

/// A phone that calls a script. Plain RTP, so that the script can make media by itself.
final class ScriptedCall {
    let simulation = Simulation(seed: 7)
    let alice: Node
    let peer: ScriptedPeer

    init(edit: (inout PhoneConfiguration) -> Void = { _ in }) {
        var configuration = PhoneConfiguration.lean
        configuration.codecs = ["PCMU"]
        configuration.security = .none
        edit(&configuration)
        var options = Node.Options()
        options.source = .tone(Pair.aliceTone)
        options.dtlsClock = setVirtualClock
        alice = Node("alice", addresses: ["192.0.2.1"], in: simulation, configuration: configuration, identity: Identities.alice, options: options)
        peer = ScriptedPeer("peer", "192.0.2.10", in: simulation)
        alice.start()
    }

    func dial() { alice.command(.dial(uri: peer.uri)) }

    func finish(_ location: SourceLocation = #_sourceLocation) {
        for call in alice.snapshot.calls { alice.command(.hangUp(call.id)) }
        simulation.run(for: .seconds(80))
        #expect(alice.isQuiet, "left with \(alice.phone.aliveCounts)", sourceLocation: location)
        #expect(simulation.faults.isEmpty && alice.faults.isEmpty, sourceLocation: location)
        #expect(alice.disorder.isEmpty, "\(alice.disorder)", sourceLocation: location)
    }
}

/// Sends G.711 µ-law packets with a tone, 20 ms each.
final class ToneSender {
    let peer: ScriptedPeer
    let port: UInt16
    let hertz: Double
    var ssrc: UInt32
    var sequence: UInt16
    var timestamp: UInt32
    var isStopped = false
    private let clip: [Int16]
    private var place = 0
    private(set) var sent = 0

    init(_ peer: ScriptedPeer, port: UInt16, hertz: Double, ssrc: UInt32, sequence: UInt16 = 100, timestamp: UInt32 = 1000) {
        self.peer = peer
        self.port = port
        self.hertz = hertz
        self.ssrc = ssrc
        self.sequence = sequence
        self.timestamp = timestamp
        clip = (0..<8000).map { Int16(8000 * sin(2 * Double.pi * hertz * Double($0) / 8000)) }
    }

    /// ITU-T G.711 µ-law.
    static func muLaw(_ sample: Int16) -> UInt8 {
        let magnitude = min(abs(Int(sample)) + 132, 32_635)
        let exponent = max(0, 7 - ((0..<8).first { magnitude << $0 & 0x4000 != 0 } ?? 7))
        let mantissa = magnitude >> (exponent + 3) & 0x0F
        return ~UInt8((sample < 0 ? 0x80 : 0) | exponent << 4 | mantissa)
    }

    func start(to target: SocketAddress) {
        guard !isStopped else { return }
        var packet = [UInt8]()
        let header = RTPHeader(payloadType: 0, sequenceNumber: sequence, timestamp: timestamp, ssrc: ssrc, marker: sent == 0)
        packet = [UInt8](repeating: 0, count: 12)
        packet.withUnsafeMutableBytes { _ = header.write(into: $0) }
        for i in 0..<160 { packet.append(ToneSender.muLaw(clip[(place + i) % clip.count])) }
        place = (place + 160) % clip.count
        sequence &+= 1
        timestamp &+= 160
        sent += 1
        peer.send(packet, fromPort: port, to: target)
        peer.later(.milliseconds(20)) { [weak self] _ in self?.start(to: target) }
    }
}

/// A description with µ-law only.
func plainSDP(_ ip: String, _ port: UInt16, direction: String = "sendrecv", version: Int = 1) -> String {
    ["v=0", "o=- 77 \(version) IN IP4 \(ip)", "s=-", "c=IN IP4 \(ip)", "t=0 0", "m=audio \(port) RTP/AVP 0", "a=\(direction)"]
        .map { $0 + "\r\n" }.joined()
}

/// The media address in an SDP.
func mediaAddress(_ text: SIPText) -> SocketAddress? {
    guard let host = text.line("c=IN IP4 "), let port = text.line("m=audio ")?.split(separator: " ").first else { return nil }
    return SocketAddress("\(host):\(port)")
}

@Suite struct ForkTests {
    /// Two forks answer 200: the first wins, the second is acknowledged and gets BYE.
    @Test func secondAnswerIsEnded() {
        let call = ScriptedCall()
        call.peer.react = { peer, text, from in
            guard text.method == "INVITE" else {
                if text.method == "BYE" { peer.send(text.response(200, "OK"), to: from) }
                return
            }
            peer.send(text.response(180, "Ringing", tag: "one", contact: "sip:one@192.0.2.10"), to: from)
            peer.send(text.response(200, "OK", tag: "one", contact: "sip:one@192.0.2.10", body: plainSDP("192.0.2.10", 7000)), to: from)
            peer.later(.milliseconds(300)) {
                $0.send(text.response(200, "OK", tag: "two", contact: "sip:two@192.0.2.10", body: plainSDP("192.0.2.10", 8000)), to: from)
            }
        }
        call.dial()
        call.simulation.run(for: .seconds(3))
        let acknowledged = call.peer.requests("ACK").compactMap { $0.tag("To") }
        #expect(acknowledged == ["one", "two"])
        #expect(call.peer.requests("BYE").map { $0.tag("To") } == ["two"])
        #expect(call.peer.requests("BYE").first?.requestURI == "sip:two@192.0.2.10")
        #expect(call.alice.states.last == .answered)
        let ports = Set(call.peer.others.filter { $0.datagram.kind == .rtp }.map(\.datagram.destination.port))
        #expect(ports == [7000])
        call.alice.command(.hangUp(call.alice.call))
        call.simulation.run(for: .seconds(1))
        #expect(call.peer.requests("BYE").last?.tag("To") == "one")
        call.finish()
    }

    /// Early media of the newest fork is played; before the answer nothing but silence is sent.
    @Test func earlyMediaFollowsTheNewestFork() {
        let call = ScriptedCall()
        let other = ScriptedPeer("fork", "192.0.2.11", in: call.simulation)
        let first = ToneSender(call.peer, port: 7000, hertz: 600, ssrc: 1)
        let second = ToneSender(other, port: 8000, hertz: 1500, ssrc: 2)
        var invite: (SIPText, SocketAddress)?
        call.peer.react = { peer, text, from in
            if text.method == "BYE" { peer.send(text.response(200, "OK"), to: from) }
            guard text.method == "INVITE", let media = mediaAddress(text) else { return }
            invite = (text, from)
            peer.send(text.response(183, "Session Progress", tag: "one", contact: peer.uri, body: plainSDP("192.0.2.10", 7000)), to: from)
            first.start(to: media)
            peer.later(.seconds(2)) {
                $0.send(text.response(183, "Session Progress", tag: "two", contact: other.uri, body: plainSDP("192.0.2.11", 8000)), to: from)
                second.start(to: media)
            }
        }
        call.dial()
        call.simulation.run(for: .milliseconds(1900))
        #expect(call.alice.states == [.calling, .early])
        #expect(call.alice.heard().share(of: 600) > 0.9)
        call.simulation.run(for: .seconds(2))
        #expect(call.alice.heard().share(of: 1500) > 0.9, "the newest 18x with SDP has the media")
        let early = (call.peer.others + other.others).map(\.datagram).filter { $0.kind == .rtp }
        #expect(early.allSatisfy { $0.payload.dropFirst(12).allSatisfy { $0 == 0xFF || $0 == 0x7F } }, "silence before the answer")
        #expect(!call.alice.audio.tones.contains(.ringback))
        guard let (text, from) = invite else { return }
        call.peer.send(text.response(200, "OK", tag: "two", contact: other.uri, body: plainSDP("192.0.2.11", 8000)), to: from)
        call.simulation.run(for: .seconds(1))
        #expect(call.alice.states == [.calling, .early, .answered, .media])
        let speech = other.others.map(\.datagram).filter { $0.kind == .rtp }.suffix(10)
        #expect(speech.contains { $0.payload.dropFirst(12).contains { $0 != 0xFF && $0 != 0x7F } })
        first.isStopped = true
        second.isStopped = true
        call.finish()
    }

    /// The answering fork is not the one whose early media played.
    @Test func anotherForkAnswers() {
        let call = ScriptedCall()
        call.peer.react = { peer, text, from in
            if text.method == "BYE" { peer.send(text.response(200, "OK"), to: from) }
            guard text.method == "INVITE" else { return }
            peer.send(text.response(183, "Session Progress", tag: "one", contact: peer.uri, body: plainSDP("192.0.2.10", 7000)), to: from)
            peer.later(.seconds(1)) {
                $0.send(text.response(200, "OK", tag: "two", contact: peer.uri, body: plainSDP("192.0.2.10", 9000)), to: from)
            }
        }
        call.dial()
        call.simulation.run(for: .seconds(3))
        #expect(call.alice.states == [.calling, .early, .answered])
        #expect(call.peer.others.last?.datagram.destination.port == 9000)
        call.finish()
    }

    /// A sender that changes its SSRC, starts its numbers anew or jumps: what it says is heard again soon.
    @Test func sourcesRestart() {
        let call = ScriptedCall()
        let sender = ToneSender(call.peer, port: 7000, hertz: 700, ssrc: 1, sequence: 65_500)
        call.peer.react = { peer, text, from in
            if text.method == "BYE" { peer.send(text.response(200, "OK"), to: from) }
            guard text.method == "INVITE", let media = mediaAddress(text) else { return }
            peer.send(text.response(200, "OK", tag: "one", contact: peer.uri, body: plainSDP("192.0.2.10", 7000)), to: from)
            sender.start(to: media)
        }
        call.dial()
        call.simulation.run(for: .seconds(2))
        #expect(call.alice.heard().share(of: 700) > 0.9, "over the wrap of the sequence numbers")
        for change in 0..<3 {
            switch change {
            case 0: sender.ssrc = 99
            case 1:
                sender.sequence = 10
                sender.timestamp = 5
            default: sender.timestamp &+= 8000 * 3600
            }
            call.simulation.run(for: .seconds(3))
            #expect(call.alice.heard().share(of: 700) > 0.9, "after change \(change)")
        }
        #expect(call.alice.states == [.calling, .answered, .media])
        sender.isStopped = true
        call.finish()
    }

    /// The peer re-invites: hold, a new port, an offer that must be refused, no offer at all.
    @Test func peerReinvites() {
        let call = ScriptedCall()
        var dialog: (SIPText, SocketAddress)?
        call.peer.react = { peer, text, from in
            if text.method == "BYE" { peer.send(text.response(200, "OK"), to: from) }
            guard text.method == "INVITE" else { return }
            dialog = (text, from)
            peer.send(text.response(200, "OK", tag: "one", contact: peer.uri, body: plainSDP("192.0.2.10", 7000)), to: from)
        }
        call.dial()
        call.simulation.run(for: .seconds(1))
        guard let (invite, from) = dialog else {
            Issue.record("no INVITE")
            return
        }
        func reinvite(_ cseq: Int, _ body: String) -> SIPText? {
            let before = call.peer.received.count
            let request = call.peer.request(
                "INVITE", to: "sip:alice@192.0.2.1", callID: invite["Call-ID"] ?? "", from: (invite["To"] ?? "") + ";tag=one",
                toHeader: invite["From"] ?? "", cseq: cseq, body: body)
            call.peer.send(request, to: from)
            call.simulation.run(for: .milliseconds(300))
            let answer = call.peer.received.dropFirst(before).map(\.text).first { ($0.status ?? 0) >= 200 }
            if let answer {
                var ack = call.peer.request(
                    "ACK", to: "sip:alice@192.0.2.1", callID: invite["Call-ID"] ?? "", from: (invite["To"] ?? "") + ";tag=one",
                    toHeader: invite["From"] ?? "", cseq: cseq, branch: (answer.status ?? 0) >= 300 ? request.branch : nil)
                if body.isEmpty { ack.setBody(plainSDP("192.0.2.10", 7000, version: cseq)) }
                call.peer.send(ack, to: from)
            }
            call.simulation.run(for: .seconds(1))
            return answer
        }
        let held = reinvite(1, plainSDP("192.0.2.10", 7000, direction: "sendonly", version: 2))
        #expect(held?.status == 200 && held?.body.contains("a=recvonly") == true)
        #expect(call.alice.snapshot.calls.first?.heldBy == .remote)
        let moved = reinvite(2, plainSDP("192.0.2.10", 7500, version: 3))
        #expect(moved?.status == 200)
        #expect(call.alice.snapshot.calls.first?.heldBy == nil)
        #expect(call.peer.others.last?.datagram.destination.port == 7500)
        let refused = reinvite(3, plainSDP("192.0.2.10", 7500, version: 4).replacing("RTP/AVP 0", with: "RTP/AVP 3"))
        #expect(refused?.status == 488)
        #expect(call.peer.others.last?.datagram.destination.port == 7500)
        let offered = reinvite(4, "")
        #expect(offered?.status == 200 && offered?.body.contains("m=audio") == true)
        #expect(call.peer.others.last?.datagram.destination.port == 7000)
        #expect(!call.alice.hasEnded)
        call.finish()
    }
}

extension SIPText {
    var branch: String? { self["Via"].flatMap { via in via.split(separator: ";").first { $0.hasPrefix("branch=") }.map { String($0.dropFirst(7)) } } }

    mutating func setBody(_ sdp: String) {
        body = sdp
        self["Content-Type"] = "application/sdp"
    }
}
