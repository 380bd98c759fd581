import Core
import SIP
import Testing

/// What our requests say about us, and where they go.
@Suite struct IdentityTests {
    let network = TestNetwork()

    @Test func callWithoutAccount() throws {
        let alice = network.phone("alice", "192.0.2.1")
        let peer = network.script("192.0.2.9")
        _ = network.call(alice, try #require(SIPURI("sip:bob@192.0.2.9:5060;transport=udp?subject=x")))
        network.run(until: 0.1)
        let invite = try #require(peer.requests(.invite).first)
        #expect(invite.uri.description == "sip:bob@192.0.2.9:5060;transport=udp")
        #expect(invite.headers.from?.uri.description == "sip:sidetone@192.0.2.1")
        #expect(invite.headers.to?.description == "<sip:bob@192.0.2.9:5060>")
        #expect(invite.headers.contacts.map(\.uri.description) == ["sip:sidetone@192.0.2.1:5060"])
        #expect(invite.headers.topVia?.hasRport == true && invite.headers.topVia?.sentBy == "192.0.2.1:5060")
        #expect(invite.headers.maxForwards == 70)
        #expect(invite.headers.allow == [.invite, .ack, .cancel, .bye, .options, .update, .info])
        #expect(invite.headers[.userAgent] == "Sidetone" && invite.headers.contains(.supported))
    }

    @Test func callByProxyAndIncomingForAccount() throws {
        let alice = network.phone("alice", "192.0.2.1")
        let proxy = network.script("192.0.2.9")
        let uri = SIPURI(user: "alice", host: .name("example.org"))
        let account = SIPAccount(id: "a", uri: uri, displayName: "Alice A.", proxy: SIPURI(host: .ip(proxy.address.ip), port: 5060))
        network.tell(alice, .addAccount(account))
        _ = network.call(alice, SIPURI(user: "bob", host: .name("example.org")), account: "a")
        network.run(until: 0.1)
        let invite = try #require(proxy.requests(.invite).first)
        #expect(invite.uri.description == "sip:bob@example.org")
        #expect(invite.headers.routes.map(\.uri.description) == ["sip:192.0.2.9:5060;lr"])
        #expect(invite.headers.from?.displayName == "Alice A." && invite.headers.from?.uri == uri)
        #expect(invite.headers.contacts.first?.uri.user == "alice")
        network.send(proxy.request("INVITE", "sip:alice@192.0.2.1:5060", body: "x"), from: proxy.address, to: alice.address)
        network.run(until: 0.2)
        let calls = alice.events.compactMap { if case .incomingCall(_, let call) = $0.event { call } else { nil } }
        #expect(calls.first?.account == "a")
    }

    @Test func unusableTargets() {
        let alice = network.phone("alice", "192.0.2.1")
        var sctp = SIPURI(user: "bob", host: .name("example.org"))
        sctp.transport = "sctp"
        _ = network.call(alice, sctp)
        if let tel = SIPURI("tel:+1234") { _ = network.call(alice, tel) }
        network.run(until: 1)
        #expect(alice.story == ["ended remote - unreachable", "ended remote - unreachable"])
        #expect(alice.leftovers == noLeftovers)
    }

    /// RFC 4028 §6: once more with the interval that the server wants.
    @Test func sessionIntervalTooSmall() {
        let alice = network.phone("alice", "192.0.2.1")
        let peer = network.script("192.0.2.9")
        peer.react = { message in
            guard case .request(let request) = message, request.method == .invite else { return [] }
            var response = SIPResponse(to: request, status: 422, toTag: "x")
            response.headers[.minSE] = "900"
            return [response.serialize()]
        }
        _ = network.call(alice, SIPURI(user: "x", host: .ip(peer.address.ip), port: 5060))
        network.run(until: 80)
        #expect(peer.requests(.invite).map { $0.headers[.minSE] } == [nil, "900"])
        #expect(alice.story == ["ended remote 422 rejected"])
        #expect(alice.leftovers == noLeftovers)
    }
}
