import Core
import Engine
import Interface
import Simulator
import Testing

/// A script calls the phone.
@Suite struct IncomingTests {
    private func invite(_ peer: ScriptedPeer, body: String, callID: String = "abc", edit: (inout SIPText) -> Void = { _ in }) -> SIPText {
        var text = peer.request(
            "INVITE", to: "sip:alice@192.0.2.1", callID: callID, from: "<\(peer.uri)>;tag=them", toHeader: "<sip:alice@192.0.2.1>", cseq: 1,
            body: body)
        edit(&text)
        return text
    }

    /// No SDP in the INVITE: we offer in the 200, the answer comes in the ACK (RFC 3264 §4).
    @Test func inviteWithoutSDP() {
        let call = ScriptedCall { $0.autoAnswer = true }
        let sender = ToneSender(call.peer, port: 7000, hertz: 800, ssrc: 5)
        call.peer.react = { peer, text, from in
            if text.method == "BYE" { peer.send(text.response(200, "OK"), to: from) }
            guard text.status == 200, text.cseqMethod == "INVITE", let media = mediaAddress(text) else { return }
            var ack = peer.request(
                "ACK", to: "sip:alice@192.0.2.1", callID: "abc", from: "<\(peer.uri)>;tag=them", toHeader: text["To"] ?? "", cseq: 1)
            ack.setBody(plainSDP("192.0.2.10", 7000))
            peer.send(ack, to: from)
            sender.start(to: media)
        }
        call.peer.send(invite(call.peer, body: ""), to: call.alice.signallingAddress)
        call.simulation.run(for: .seconds(2))
        #expect(call.peer.responses(200).first?.body.contains("m=audio") == true)
        #expect(call.alice.states == [.ringing, .answered, .media])
        #expect(call.alice.heard().share(of: 800) > 0.9)
        #expect(call.peer.others.contains { $0.datagram.kind == .rtp && $0.datagram.destination.port == 7000 })
        sender.isStopped = true
        call.finish()
        #expect(call.alice.result?.outcome == .answered)
    }

    /// The ACK has no answer: the call cannot be.
    @Test func ackWithoutTheAnswer() {
        let call = ScriptedCall { $0.autoAnswer = true }
        call.peer.react = { peer, text, from in
            if text.method == "BYE" { peer.send(text.response(200, "OK"), to: from) }
            guard text.status == 200, text.cseqMethod == "INVITE" else { return }
            peer.send(
                peer.request("ACK", to: "sip:alice@192.0.2.1", callID: "abc", from: "<\(peer.uri)>;tag=them", toHeader: text["To"] ?? "", cseq: 1),
                to: from)
        }
        call.peer.send(invite(call.peer, body: ""), to: call.alice.signallingAddress)
        call.simulation.run(for: .seconds(2))
        #expect(call.alice.result?.outcome == .sipFailure)
        #expect(call.peer.requests("BYE").count == 1)
        call.finish()
    }

    @Test func requestsThatDeserveAnAnswer() {
        let call = ScriptedCall()
        let to = call.alice.signallingAddress
        let sdp = plainSDP("192.0.2.10", 7000)
        call.peer.send(invite(call.peer, body: sdp, callID: "a") { $0["Require"] = "100rel" }, to: to)
        call.peer.send(invite(call.peer, body: "nonsense", callID: "b"), to: to)
        call.peer.send(invite(call.peer, body: sdp.replacing("RTP/AVP 0", with: "UDP/TLS/RTP/SAVPF 0"), callID: "c"), to: to)
        call.peer.send(invite(call.peer, body: sdp, callID: "d") { $0["Content-Type"] = "text/plain" }, to: to)
        for method in ["OPTIONS", "BYE", "FANCY", "SUBSCRIBE"] {
            call.peer.send(
                call.peer.request(
                    method, to: "sip:alice@192.0.2.1", callID: method, from: "<\(call.peer.uri)>;tag=x", toHeader: "<sip:alice@192.0.2.1>", cseq: 1),
                to: to)
        }
        call.simulation.run(for: .seconds(1))
        func status(_ callID: String) -> Int? { call.peer.received.map(\.text).last { $0["Call-ID"] == callID }?.status }
        #expect(status("a") == 420)
        #expect(status("b") == 488)
        #expect(status("c") == 488)
        #expect(status("d") == 415)
        #expect(status("OPTIONS") == 200)
        #expect(status("BYE") == 481)
        #expect(status("FANCY") == 501 || status("FANCY") == 405)
        #expect(status("SUBSCRIBE") == 405 || status("SUBSCRIBE") == 501 || status("SUBSCRIBE") == 489)
        #expect(call.alice.snapshot.calls.isEmpty)
        call.finish()
    }

    /// Many calls from strangers: the ninth is busy, and all of them end by themselves.
    @Test func callsOfStrangersAreCapped() {
        let call = ScriptedCall { $0.ringTimeout = .seconds(20) }
        for number in 0..<30 {
            call.peer.send(invite(call.peer, body: plainSDP("192.0.2.10", 7000), callID: "call-\(number)"), to: call.alice.signallingAddress)
        }
        call.simulation.run(for: .seconds(1))
        #expect(call.alice.snapshot.calls.count == 8)
        #expect(Set(call.peer.responses(486).compactMap { $0["Call-ID"] }).count == 22)
        call.simulation.run(for: .seconds(20))
        #expect(call.alice.snapshot.calls.isEmpty)
        #expect(Set(call.peer.responses(480).compactMap { $0["Call-ID"] }).count == 8)
        call.finish()
    }

    /// A person behind the phone answers, mutes nothing, and text of the wire is shown without control characters.
    @Test func textFromTheWireIsHarmless() {
        let call = ScriptedCall()
        let text = invite(call.peer, body: plainSDP("192.0.2.10", 7000)) { $0["From"] = "\"\u{1B}[31mEve\u{202E}\" <sip:eve@192.0.2.10>;tag=them" }
        call.peer.send(text, to: call.alice.signallingAddress)
        call.simulation.run(for: .seconds(1))
        let name = call.alice.snapshot.calls.first?.displayName ?? ""
        #expect(name.unicodeScalars.allSatisfy { $0.value != 0x1B && $0.value != 0x202E })
        call.finish()
    }
}
