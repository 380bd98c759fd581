import Core
import Engine
import Interface
import Secure
import Simulator
import Testing

/// Row 13: new offers within the call.
@Suite struct Row13Tests {
    /// The same fingerprint: the association is kept, however often and by whomever it is offered.
    @Test(arguments: Role.allCases, [(true, true), (false, true), (true, false), (false, false)]) func row13_sameFingerprint(
        role: Role, shape: (offererIsClient: Bool, hasMux: Bool)
    ) {
        let (offererIsClient, hasMux) = shape
        let pair = Pair()
        if !hasMux { pair.withoutMux() }
        if offererIsClient { pair.makeOffererClient() }
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(1))
        let handshakes = pair.simulation.sent[.dtls]
        let roles = [pair.alice, pair.bob].map { $0.transport?.dtlsRole }
        let selected = pair.own(role).transport?.selectedCandidatePair?.remote
        for held in [true, false, true, false] {
            pair.peer(role).command(.setHeld(pair.peer(role).call, held))
            pair.simulation.run(for: .milliseconds(1200))
        }
        #expect(pair.simulation.sent[.dtls] == handshakes)
        #expect([pair.alice, pair.bob].map { $0.transport?.dtlsRole } == roles)
        #expect(pair.own(role).transport?.selectedCandidatePair?.remote == selected)
        #expect(pair.own(role).inbound?.unprotectErrors == 0)
        pair.expectVerified()
        pair.expectAudio()
        pair.finish()
    }

    /// Another certificate, in a new offer of the peer's: a new association, and only the new certificate counts.
    @Test(arguments: Role.allCases, AsteriskTests.styles) func row13_newFingerprint(role: Role, style: AsteriskPeer.Style) {
        let call = AsteriskCall(style) { $0.security = .dtls }
        if role == .caller { call.dial() } else { call.asterisk.call(call.alice) }
        #expect(call.simulation.run(limit: .seconds(10)) { call.alice.hasMedia })
        call.simulation.run(for: .seconds(2))
        #expect(call.alice.transport?.remoteFingerprint?.value == Identities.mallory.fingerprint(.sha256).value)
        let first = call.simulation.sent[.dtls] ?? 0
        call.asterisk.identity = Identities.bob
        call.asterisk.reoffer(to: call.alice)
        call.simulation.run(for: .seconds(4))
        #expect((call.simulation.sent[.dtls] ?? 0) >= first + 4 * call.asterisk.components.count)
        for transport in call.alice.snapshot.calls.first?.transports ?? [] {
            #expect(transport.dtlsState == "connected" && transport.remoteFingerprint?.verified == true)
            #expect(transport.remoteFingerprint?.value == Identities.bob.fingerprint(.sha256).value)
        }
        #expect(call.asterisk.components.allSatisfy { $0.isConnected && $0.failure == nil })
        #expect(call.alice.heard().share(of: Pair.aliceTone) > 0.9)
        call.finish()
        #expect(call.alice.result?.outcome == .answered)
    }

    /// The same in the peer's answer to an offer of ours.
    @Test(arguments: Role.allCases, [true, false]) func row13_newFingerprintInTheAnswer(role: Role, hasIce: Bool) {
        let call = AsteriskCall(AsteriskPeer.Style(hasMux: true, hasIce: hasIce)) { $0.security = .dtls }
        if role == .caller { call.dial() } else { call.asterisk.call(call.alice) }
        #expect(call.simulation.run(limit: .seconds(10)) { call.alice.hasMedia })
        call.simulation.run(for: .seconds(1))
        call.asterisk.identity = Identities.bob
        call.alice.command(.setHeld(call.alice.call, true))
        call.simulation.run(for: .seconds(2))
        call.alice.command(.setHeld(call.alice.call, false))
        call.simulation.run(for: .seconds(2))
        #expect(call.alice.transport?.remoteFingerprint?.value == Identities.bob.fingerprint(.sha256).value)
        #expect(call.alice.transport?.remoteFingerprint?.verified == true)
        #expect(call.alice.heard().share(of: Pair.aliceTone) > 0.9)
        call.finish()
    }

    /// A new offer with the certificate of somebody else than who then shakes hands ends the call.
    @Test(arguments: Role.allCases) func row13_newFingerprintThatIsWrong(role: Role) {
        let call = AsteriskCall { $0.security = .dtls }
        if role == .caller { call.dial() } else { call.asterisk.call(call.alice) }
        #expect(call.simulation.run(limit: .seconds(10)) { call.alice.hasMedia })
        call.simulation.run(for: .seconds(1))
        call.simulation.filters.append { [ip = call.asterisk.peer.address.ip] datagram in
            datagram.source.ip != ip
                ? [datagram]
                : [
                    datagram.editing { text in
                        if text.method == "INVITE" { text.replaceLines("a=fingerprint", with: "a=fingerprint:\(SecurityTests.wrong)") }
                    }
                ]
        }
        call.asterisk.identity = Identities.bob
        call.asterisk.reoffer(to: call.alice)
        call.simulation.run(for: .seconds(10))
        #expect(call.alice.result?.outcome == .fingerprintMismatch)
        call.finish()
    }

    /// New ICE credentials: the peer has moved and restarts ICE. Checks run again, the association is kept.
    @Test(arguments: Role.allCases, [true, false]) func row13_newCredentials(role: Role, hasMux: Bool) {
        let pair = Pair()
        if !hasMux { pair.withoutMux() }
        var ufrags: [IPAddress: [String]] = [:]
        pair.simulation.filters.append { datagram in
            guard datagram.kind == .sip, let ufrag = SIPText(datagram.payload)?.line("a=ice-ufrag:") else { return [datagram] }
            ufrags[datagram.source.ip, default: []].append(ufrag)
            return [datagram]
        }
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(1))
        let own = pair.own(role)
        let handshakes = pair.simulation.sent[.dtls]
        let before = Set(ufrags.values.joined())
        pair.peer(role).move(to: ["192.0.2.77"])
        pair.simulation.run(for: .seconds(4))
        // Ours are new as well (RFC 8839 §4.4.1.1.1).
        #expect(before.count == 2 && ufrags[own.address]?.last.map(before.contains) == false)
        #expect(own.transport?.selectedCandidatePair?.remote.address == "192.0.2.77" && own.transport?.iceState == "completed")
        #expect(pair.simulation.sent[.dtls] == handshakes)
        #expect(own.inbound?.unprotectErrors == 0)
        pair.expectVerified()
        pair.expectAudio()
        pair.finish()
        #expect(own.result?.outcome == .answered)
    }

    /// As pjsip does once ICE is done: UPDATE with its whole description again, `setup` as negotiated and the version unchanged. Nothing restarts.
    @Test(arguments: Role.allCases, [true, false]) func row13_pjsipsUpdate(role: Role, offererIsClient: Bool) {
        let pair = Pair()
        if offererIsClient { pair.makeOffererClient() }
        let (own, peer) = (pair.own(role), pair.peer(role))
        // The peer's description and the dialog, from its side.
        var description: SIPText?
        var answer: SIPText?
        var replies: [SIPText] = []
        pair.simulation.filters.append { [ip = peer.address] datagram in
            guard datagram.kind == .sip, let text = SIPText(datagram.payload) else { return [datagram] }
            if text.cseqMethod == "INVITE", text.line("m=audio ") != nil {
                if datagram.source.ip == ip { description = description ?? text }
                if text.status == 200 { answer = answer ?? text }
            }
            guard text.cseqMethod == "UPDATE", text.status != nil else { return [datagram] }
            replies.append(text)
            return []
        }
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(1))
        guard let description, let answer else {
            Issue.record("no answer")
            return
        }
        let before = (pair.simulation.sent[.dtls], own.transport?.selectedCandidatePair?.remote)
        let isServer = peer.transport?.dtlsRole == "server"
        var update = SIPText(start: "UPDATE sip:\(own.name)@\(own.address) SIP/2.0", body: description.body)
        update.replaceLines("a=setup", with: isServer ? "a=setup:passive" : "a=setup:active")
        let (from, to) = role == .caller ? (answer["To"], answer["From"]) : (answer["From"], answer["To"])
        update.headers = [
            ("Via", "SIP/2.0/UDP \(peer.signallingAddress);branch=z9hG4bK-update"), ("Max-Forwards", "70"), ("From", from ?? ""), ("To", to ?? ""),
            ("Call-ID", answer["Call-ID"] ?? ""), ("CSeq", "700000 UPDATE"), ("Contact", "<\(peer.uri)>"), ("Content-Type", "application/sdp"),
        ]
        pair.simulation.inject(Datagram(source: peer.signallingAddress, destination: own.signallingAddress, payload: update.bytes))
        pair.simulation.run(for: .seconds(2))
        #expect(replies.first?.status == 200)
        #expect(replies.first?.line("a=setup:") == (isServer ? "active" : "passive") && replies.first?.line("a=ice-ufrag:") != nil)
        #expect(pair.simulation.sent[.dtls] == before.0)
        #expect(own.transport?.selectedCandidatePair?.remote == before.1 && own.transport?.iceState == "completed")
        pair.expectVerified()
        pair.expectAudio()
        pair.finish()
        #expect(own.result?.outcome == .answered || own.result?.outcome == .unreachable)
    }
}
