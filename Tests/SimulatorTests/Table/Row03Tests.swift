import Core
import Engine
import Interface
import Secure
import Simulator
import Testing

/// Row 3: an answer that drops the encryption is refused, and said why.
@Suite struct Row03Tests {
    enum Drop: CaseIterable {
        /// RTP/AVP, everything else as it was.
        case profileOnly
        /// As a phone without encryption answers.
        case everything
        /// The profile stays, the fingerprint is gone.
        case fingerprint
        /// Crypto lines in its place.
        case cryptoInstead

        func apply(_ text: inout SIPText) {
            if self == .profileOnly || self == .everything { text.lines = text.lines.map { $0.replacing("UDP/TLS/RTP/SAVPF", with: "RTP/AVP") } }
            if self != .profileOnly {
                text.removeLines("a=fingerprint")
                text.removeLines("a=setup")
            }
            if self == .everything {
                text.removeLines("a=ice")
                text.removeLines("a=candidate")
            }
            if self == .cryptoInstead {
                text.lines.append("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj")
            }
        }

        var words: String {
            switch self {
            case .profileOnly, .everything: "RTP/AVP came in place of DTLS-SRTP"
            case .fingerprint: "without a fingerprint"
            case .cryptoInstead: "crypto lines in place of the fingerprint"
            }
        }
    }

    private func expectRefusal(_ node: Node, _ drop: Drop, _ location: SourceLocation = #_sourceLocation) {
        #expect(node.result?.outcome == .notAcceptable && node.result?.exitCode == 17, sourceLocation: location)
        #expect(node.endReason?.contains(drop.words) == true, "\(node.endReason ?? "")", sourceLocation: location)
        #expect(node.sentences("not-acceptable").contains { $0.contains(drop.words) }, sourceLocation: location)
        #expect(!node.hasMedia && node.heard().samples.isEmpty, sourceLocation: location)
    }

    @Test(arguments: Drop.allCases, [SecurityPolicy.prefer, .dtls]) func row03_caller(drop: Drop, policy: SecurityPolicy) {
        let pair = Pair(alice: { $0.security = policy })
        pair.edit(from: pair.bob) { if $0.status == 200, $0.body.contains("m=audio") { drop.apply(&$0) } }
        pair.dial()
        pair.simulation.run(for: .seconds(5))
        expectRefusal(pair.alice, drop)
        #expect(pair.bob.hasEnded)
        pair.finish()
    }

    /// Called without an offer, we offer in the 200, and the answer comes in the ACK.
    @Test(arguments: Drop.allCases, [SecurityPolicy.prefer, .dtls]) func row03_calleeThatOffers(drop: Drop, policy: SecurityPolicy) {
        let call = ScriptedCall {
            $0.autoAnswer = true
            $0.security = policy
        }
        call.peer.react = { peer, text, from in
            if text.method == "BYE" { peer.send(text.response(200, "OK"), to: from) }
            guard text.status == 200, text.cseqMethod == "INVITE" else { return }
            var ack = peer.request(
                "ACK", to: "sip:alice@192.0.2.1", callID: "row3", from: "<\(peer.uri)>;tag=them", toHeader: text["To"] ?? "", cseq: 1)
            // Our own offer turned into an answer, with a fingerprint of the peer's.
            ack.setBody(text.body)
            ack.replaceLines("a=setup", with: "a=setup:active")
            ack.replaceLines("a=fingerprint", with: "a=fingerprint:\(Identities.mallory.fingerprint(.sha256))")
            drop.apply(&ack)
            peer.send(ack, to: from)
        }
        let invite = call.peer.request(
            "INVITE", to: "sip:alice@192.0.2.1", callID: "row3", from: "<\(call.peer.uri)>;tag=them", toHeader: "<sip:alice@192.0.2.1>", cseq: 1)
        call.peer.send(invite, to: call.alice.signallingAddress)
        call.simulation.run(for: .seconds(5))
        expectRefusal(call.alice, drop)
        #expect(call.peer.requests("BYE").count == 1)
        #expect(!call.peer.others.contains { $0.datagram.kind == .rtp })
        call.finish()
    }

    /// In a call that is up: our re-offer (hold) is answered without encryption. The call ends; nothing goes in clear.
    @Test(arguments: Role.allCases, [Drop.everything, .fingerprint]) func row03_reoffer(role: Role, drop: Drop) {
        let pair = Pair()
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(1))
        pair.edit(from: pair.peer(role)) { if $0.status == 200, $0.body.contains("m=audio") { drop.apply(&$0) } }
        pair.own(role).command(.setHeld(pair.own(role).call, true))
        pair.simulation.run(for: .seconds(3))
        #expect(pair.own(role).result?.outcome == .notAcceptable)
        #expect(pair.own(role).endReason?.contains(drop.words) == true)
        pair.finish()
    }
}
