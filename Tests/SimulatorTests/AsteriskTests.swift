import Audio
import Core
import Digest
import Engine
import Interface
import RTP
import SIP
import Secure
import Simulator
import Testing

/// A phone and an Asterisk that echoes: the phone hears itself.
final class AsteriskCall {
    let simulation = Simulation(seed: 11)
    let alice: Node
    let asterisk: AsteriskPeer

    init(_ style: AsteriskPeer.Style = AsteriskPeer.Style(), edit: (inout PhoneConfiguration) -> Void = { _ in }) {
        var configuration = PhoneConfiguration()
        configuration.autoAnswer = true
        configuration.ice = style.hasIce ? nil : false
        edit(&configuration)
        var options = Node.Options()
        options.source = .tone(Pair.aliceTone)
        options.dtlsClock = setVirtualClock
        alice = Node("alice", addresses: ["192.0.2.1"], in: simulation, configuration: configuration, identity: Identities.alice, options: options)
        asterisk = AsteriskPeer(simulation, style: style)
        alice.start()
    }

    func dial() { alice.command(.dial(uri: "sip:600@\(asterisk.peer.address)")) }

    func finish(_ location: SourceLocation = #_sourceLocation) {
        for call in alice.snapshot.calls { alice.command(.hangUp(call.id)) }
        simulation.run(for: .seconds(80))
        #expect(alice.isQuiet, "left with \(alice.phone.aliveCounts)", sourceLocation: location)
        #expect(simulation.faults.isEmpty && alice.faults.isEmpty, "\(simulation.faults) \(alice.faults)", sourceLocation: location)
        #expect(alice.disorder.isEmpty, "\(alice.disorder)", sourceLocation: location)
    }
}

/// Asterisk played back: what it was seen to do to phones.
@Suite struct AsteriskTests {
    static let styles = [
        AsteriskPeer.Style(hasMux: true, hasIce: true), .init(hasMux: false, hasIce: true), .init(hasMux: true, hasIce: false),
        .init(hasMux: false, hasIce: false),
    ]

    private func expectCall(_ call: AsteriskCall, dtlsRole: String, _ location: SourceLocation = #_sourceLocation) {
        let transports = call.alice.snapshot.calls.first?.transports ?? []
        #expect(transports.count == call.asterisk.components.count, sourceLocation: location)
        for transport in transports {
            #expect(transport.dtlsState == "connected" && transport.dtlsRole == dtlsRole, sourceLocation: location)
            #expect(transport.srtpCipher == "AES_CM_128_HMAC_SHA1_80", sourceLocation: location)
            #expect(transport.dropped.authentication == 0 && transport.dropped.replay == 0, sourceLocation: location)
        }
        #expect(call.asterisk.components.allSatisfy { $0.isConnected && $0.unprotectErrors == 0 && $0.failure == nil }, sourceLocation: location)
        // The echo of our own voice, through SRTP both ways.
        #expect(call.alice.heard().share(of: Pair.aliceTone) > 0.9, sourceLocation: location)
        #expect(call.alice.snapshot.calls.first?.state == .media && call.alice.snapshot.calls.first?.heldBy == nil, sourceLocation: location)
        // SRTCP both ways: its round-trip time and ours.
        let ours = call.alice.outbound?.roundTripTimeMs ?? 0
        let theirs = call.asterisk.rtp.statistics.outbound.roundTripTimeMs ?? 0
        #expect(ours > 18 && ours < 25 && theirs > 18 && theirs < 25, "\(ours) \(theirs)", sourceLocation: location)
        #expect(call.alice.notices.isEmpty, "\(call.alice.notices)", sourceLocation: location)
    }

    @Test(arguments: styles) func asteriskAnswers(style: AsteriskPeer.Style) {
        let call = AsteriskCall(style)
        call.dial()
        #expect(call.simulation.run(limit: .seconds(5)) { call.alice.hasMedia })
        call.simulation.run(for: .seconds(12))
        expectCall(call, dtlsRole: "server")
        let offer = call.asterisk.offers.first
        #expect(offer?.line("c=IN IP4 ") == "192.0.2.1")
        #expect(call.alice.transport?.iceState == (style.hasIce ? "completed" : "none"))
        call.finish()
        #expect(call.alice.result?.outcome == .answered)
    }

    /// It offers actpass, so we are the client, and our ClientHello comes before its ICE is done: it is dropped there, and repeated here.
    @Test(arguments: styles) func asteriskCalls(style: AsteriskPeer.Style) {
        let call = AsteriskCall(style)
        call.asterisk.call(call.alice)
        #expect(call.simulation.run(limit: .seconds(5)) { call.alice.hasMedia })
        call.simulation.run(for: .seconds(12))
        expectCall(call, dtlsRole: "client")
        #expect(call.asterisk.strangeDTLS == 0)
        let answer = call.asterisk.answers.first
        #expect(answer?.line("a=setup:") == "active" && answer?.line("c=IN IP4 ") == "192.0.2.1")
        #expect(answer?.line("m=audio ")?.split(separator: " ").dropFirst().first == (style.hasMux ? "UDP/TLS/RTP/SAVPF" : "UDP/TLS/RTP/SAVP"))
        call.finish()
        #expect(call.alice.result?.outcome == .answered)
    }

    /// The ClientHellos that it drops because its own checks have no answer yet: for two seconds it hears no answer of ours.
    @Test(arguments: [true, false]) func itDropsEarlyClientHellos(hasMux: Bool) {
        let call = AsteriskCall(AsteriskPeer.Style(hasMux: hasMux, hasIce: true))
        let opened = call.simulation.now + .seconds(2)
        // Our answers to its checks are lost; its answers to ours are not.
        call.simulation.filters.append { [simulation = call.simulation, alice = call.alice.address] datagram in
            let isAnswer = datagram.kind == .stun && datagram.source.ip == alice && datagram.payload[0] == 1
            return isAnswer && simulation.now < opened ? [] : [datagram]
        }
        call.asterisk.call(call.alice)
        #expect(call.simulation.run(limit: .seconds(10)) { call.alice.hasMedia })
        #expect(call.asterisk.earlyDTLS > 3)
        #expect(call.simulation.now > opened && call.simulation.now - opened < .seconds(2))
        call.simulation.run(for: .seconds(12))
        expectCall(call, dtlsRole: "client")
        call.finish()
    }

    /// As client it sends RTCP's ClientHello to our RTP port + 1 first, before it uses the ICE candidate: it must be at home there.
    @Test func rtcpIsAtThePortAbove() {
        let call = AsteriskCall(AsteriskPeer.Style(hasMux: false, hasIce: true))
        call.dial()
        #expect(call.simulation.run(limit: .seconds(5)) { call.asterisk.components.allSatisfy(\.isConnected) })
        let control = call.asterisk.components[1]
        let media = mediaAddress(call.asterisk.offers[0])
        #expect(control.helloSentTo.first?.address == media.map { SocketAddress($0.ip, $0.port + 1) })
        if let first = control.helloSentTo.first?.at, let done = control.connectedAt { #expect(done - first < .milliseconds(400)) }
        #expect(!call.asterisk.offers[0].body.contains("a=rtcp:"))
        call.finish()
    }

    /// Hold and back: its 0.0.0.0 rule never bites, since our descriptions always have an address; its answer to hold is recvonly.
    @Test(arguments: styles) func holdAndBack(style: AsteriskPeer.Style) {
        let call = AsteriskCall(style)
        call.dial()
        #expect(call.simulation.run(limit: .seconds(5)) { call.alice.hasMedia })
        call.simulation.run(for: .seconds(1))
        let handshakes = call.simulation.sent[.dtls]
        call.alice.command(.setHeld(call.alice.call, true))
        call.simulation.run(for: .seconds(2))
        #expect(call.alice.snapshot.calls.first?.heldBy == .local)
        call.alice.command(.setHeld(call.alice.call, false))
        call.simulation.run(for: .seconds(2))
        #expect(call.alice.snapshot.calls.first?.heldBy == nil && call.alice.states.last == .media)
        #expect(call.asterisk.offers.count == 3)
        #expect(call.asterisk.offers.allSatisfy { $0.lines.filter { $0.hasPrefix("c=") } == ["c=IN IP4 192.0.2.1"] })
        #expect(call.simulation.sent[.dtls] == handshakes)
        #expect(call.alice.heard().share(of: Pair.aliceTone) > 0.9)
        call.finish()
    }

    /// Of two telephone-events the one of the codec's clock is used.
    @Test(arguments: [("opus", UInt8(102)), ("PCMU", 101)]) func twoTelephoneEvents(codec: String, payloadType: UInt8) {
        let call = AsteriskCall { $0.codecs = codec == "opus" ? ["opus", "PCMU"] : ["PCMU", "opus"] }
        call.simulation.filters.append { [ip = call.asterisk.peer.address.ip] datagram in
            guard codec == "PCMU", datagram.source.ip == ip else { return [datagram] }
            // It prefers what the phone prefers.
            return [datagram.editing { $0.lines = $0.lines.map { $0.hasPrefix("m=audio") ? $0.replacing(" 96 0", with: " 0 96") : $0 } }]
        }
        call.dial()
        #expect(call.simulation.run(limit: .seconds(5)) { call.alice.hasMedia })
        call.alice.command(.sendDTMF(call.alice.call, digits: "42"))
        call.simulation.run(for: .seconds(3))
        #expect(call.alice.digits(.outgoing) == "42")
        let events = call.asterisk.media.filter { $0.key == 101 || $0.key == 102 }
        #expect(events.keys.sorted() == [payloadType], "\(call.asterisk.media)")
        call.finish()
    }

    /// Its answers have our session id in o=.
    @Test func itsAnswersHaveOurSessionID() {
        let call = AsteriskCall()
        var answered: String?
        call.simulation.filters.append { [ip = call.asterisk.peer.address.ip] datagram in
            if datagram.source.ip == ip, let text = SIPText(datagram.payload), text.status == 200 { answered = answered ?? text.line("o=") }
            return [datagram]
        }
        call.dial()
        #expect(call.simulation.run(limit: .seconds(5)) { call.alice.hasMedia })
        let ours = call.asterisk.offers.first?.line("o=")?.split(separator: " ").dropFirst().first
        #expect(ours != nil && answered?.split(separator: " ").dropFirst().first == ours)
        call.finish()
    }

    /// It asks with 401 (not 407), in MD5 and in SHA-256: one of both is answered, and the call goes on as ever.
    @Test func itAsksForAPassword() throws {
        let uri = try #require(SIPURI("sip:104@192.0.2.20:5060"))
        let call = AsteriskCall {
            $0.accounts = [SIPAccount(id: "pbx", uri: uri, credentials: Credentials(username: "104", password: "secret"))]
            $0.unregisteredAccounts = ["pbx"]
        }
        call.asterisk.challenges = true
        call.dial()
        #expect(call.simulation.run(limit: .seconds(5)) { call.alice.hasMedia })
        let header = try #require(call.asterisk.offers.first?["Authorization"])
        var fields: [String: String] = [:]
        for part in header.dropFirst("Digest ".count).split(separator: ",") {
            let pair = part.drop { $0 == " " }.split(separator: "=", maxSplits: 1)
            if pair.count == 2 { fields[String(pair[0])] = pair[1].filter { $0 != "\"" } }
        }
        let hash = { (text: String) in Digest.hash(fields["algorithm"] == "SHA-256" ? .sha256 : .md5, Array(text.utf8)).hexadecimal }
        let names = ["nonce", "nc", "cnonce", "qop"].compactMap { fields[$0] }.joined(separator: ":")
        let expected = hash("\(hash("104:asterisk:secret")):\(names):\(hash("INVITE:\(fields["uri"] ?? "")"))")
        #expect(["MD5", "SHA-256"].contains(fields["algorithm"]) && fields["realm"] == "asterisk" && fields["response"] == expected, "\(header)")
        call.finish()
    }

    /// A phone that asks for nothing gets nothing: RTP/AVP is answered with RTP/AVP.
    @Test func plainIsAnsweredPlain() {
        let call = AsteriskCall(AsteriskPeer.Style(hasMux: true, hasIce: false)) { $0.security = .none }
        call.dial()
        #expect(call.simulation.run(limit: .seconds(5)) { call.alice.hasMedia })
        call.simulation.run(for: .seconds(1))
        #expect(call.simulation.sent[.dtls] == nil && call.alice.snapshot.calls.first?.security == SecurityMode.none)
        #expect(call.alice.heard().share(of: Pair.aliceTone) > 0.9)
        call.finish()
    }

    /// Under the name RTP/AVP it may forget the fingerprint: then there is no call.
    @Test(arguments: ["RTP/AVP", "UDP/TLS/RTP/SAVPF"]) func forgottenEncryptionIsRefused(profile: String) {
        let call = AsteriskCall { $0.offeredProfile = profile }
        call.simulation.filters.append { [ip = call.asterisk.peer.address.ip] datagram in
            guard datagram.source.ip == ip else { return [datagram] }
            return [
                datagram.editing { text in
                    guard text.status == 200, text.cseqMethod == "INVITE" else { return }
                    for name in ["a=fingerprint", "a=setup", "a=connection", "a=ice", "a=candidate"] { text.removeLines(name) }
                    text.lines = text.lines.map { $0.replacing("UDP/TLS/RTP/SAVPF", with: "RTP/AVP") }
                }
            ]
        }
        call.dial()
        call.simulation.run(for: .seconds(5))
        #expect(call.alice.result?.outcome == .notAcceptable && call.alice.result?.exitCode == 17)
        #expect(call.alice.endReason?.contains("RTP/AVP") == true)
        #expect(call.simulation.sent[.rtp] == nil && !call.alice.hasMedia)
        call.finish()
    }
}
