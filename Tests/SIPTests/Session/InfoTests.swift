import Core
import Testing

@testable import SIP

/// INFO packages (RFC 6086) as trickle ICE uses them (RFC 8840).
@Suite struct InfoTests {
    let network = TestNetwork()

    func info(_ id: SessionID, _ text: String, package: String = "trickle-ice") -> UserAgent.Input {
        .sendInfo(id, package: package, contentType: "application/trickle-ice-sdpfrag", body: Array(text.utf8))
    }

    func received(_ text: String) -> String { "info trickle-ice application/trickle-ice-sdpfrag \(text)" }

    func pair(_ configuration: UserAgentConfiguration = UserAgentConfiguration()) -> (Phone, Phone) {
        (network.phone("alice", "192.0.2.1"), network.phone("bob", "192.0.2.2", configuration))
    }

    @Test func bothSidesSayThatTheyTrickle() throws {
        let (alice, bob) = pair()
        bob.rings()
        let id = network.call(alice, bob.uri)
        network.run(until: 1)
        let theirs = try #require(bob.session)
        for (agent, session) in [(alice.agent, id), (bob.agent, theirs)] {
            #expect(agent.peerSupports("trickle-ice", session: session) && agent.peerReceivesInfo("Trickle-ICE", session: session))
            #expect(!agent.peerSupports("100rel", session: session) && !agent.peerReceivesInfo("other", session: session))
        }
        #expect(!alice.agent.peerSupports("trickle-ice", session: SessionID(raw: 77)))
    }

    /// The caller's wait for the early dialog, then go in order, one at a time, although the network reorders.
    @Test func callersGoInOrderOnceThereIsADialog() throws {
        network.jitter = 80
        let (alice, bob) = pair()
        let id = network.call(alice, bob.uri)
        for i in 1...5 { network.tell(alice, info(id, "c\(i)")) }
        network.run(until: 1)
        #expect(bob.story == ["incoming offer"])
        let theirs = try #require(bob.session)
        network.tell(bob, .provisional(theirs, status: 183, body: nil))
        network.run(until: 3)
        #expect(bob.story.dropFirst().elementsEqual((1...5).map { received("c\($0)") }))
        for i in 6...9 { network.tell(alice, info(id, "c\(i)")) }
        network.run(until: 4)
        #expect(bob.story.dropFirst().elementsEqual((1...9).map { received("c\($0)") }))
        // The callee's may follow: the caller's INFO showed that it knows the dialog.
        network.tell(bob, info(theirs, "s1"))
        network.run(until: 5)
        #expect(alice.story == ["183 -", received("s1")])
        network.tell(bob, .accept(theirs, body: [65]))
        network.run(until: 6)
        network.tell(alice, info(id, "c10"))
        network.run(until: 7)
        network.tell(alice, .hangUp(id, reason: nil))
        network.run(until: 80)
        #expect(bob.story.contains(received("c10")))
        #expect(alice.leftovers == noLeftovers && bob.leftovers == noLeftovers)
    }

    /// Nobody knows before the ACK whether the caller has our tag.
    @Test func calleesWaitForTheAcknowledgement() throws {
        let (alice, bob) = pair()
        _ = network.call(alice, bob.uri)
        network.run(until: 1)
        let theirs = try #require(bob.session)
        network.tell(bob, .provisional(theirs, status: 183, body: nil))
        network.tell(bob, info(theirs, "s1"))
        network.run(until: 2)
        #expect(alice.story == ["183 -"])
        network.tell(bob, .accept(theirs, body: [65]))
        network.run(until: 3)
        #expect(alice.story == ["183 -", "answered 200 A", received("s1")])
    }

    /// Half trickle: a peer that did not name the package gets none.
    @Test func peerWithoutThePackageGetsNone() throws {
        let (alice, bob) = pair(UserAgentConfiguration(trickle: false))
        bob.answers()
        let id = network.call(alice, bob.uri)
        network.tell(alice, info(id, "c1"))
        network.run(until: 2)
        #expect(alice.story == ["180 -", "infoFailed trickle-ice 469", "answered 200 answer"])
        #expect(!alice.agent.peerSupports("trickle-ice", session: id))
        #expect(!alice.sent.contains { $0.line.hasPrefix("INFO") })
        // And the other way round it refuses them.
        #expect(!alice.agent.peerReceivesInfo("trickle-ice", session: id))
    }

    @Test(arguments: [("other", true, "trickle-ice"), ("", true, "trickle-ice"), ("trickle-ice", false, "")])
    func unknownPackageIsRefused(package: String, trickle: Bool, listed: String) throws {
        let bob = network.phone("bob", "192.0.2.2", UserAgentConfiguration(trickle: trickle))
        let peer = network.script("192.0.2.9")
        bob.rings()
        network.send(peer.request("INVITE", "sip:bob@192.0.2.2", body: "x"), from: peer.address, to: bob.address)
        network.run(until: 1)
        let tag = peer.responses.last?.headers.to?.tag
        let bytes = peer.request(
            "INFO", "sip:bob@192.0.2.2", branch: "z9hG4bKinfo", cSeq: 2, toTag: tag, extra: ["Info-Package: \(package)", "Content-Type: text/plain"],
            body: "x")
        network.send(bytes, from: peer.address, to: bob.address)
        network.run(until: 2)
        #expect(peer.responses.last?.status == 469)
        #expect(peer.responses.last?.headers[.recvInfo] == listed)
        #expect(bob.story == ["incoming x"])
    }

    /// 469 to one of ours: what waits behind it is not sent.
    @Test func refusedPackageStops() throws {
        let alice = network.phone("alice", "192.0.2.1")
        let peer = network.script("192.0.2.9")
        peer.react = { message in
            guard case .request(let request) = message, request.method != .ack else { return [] }
            var response = SIPResponse(to: request, status: request.method == .info ? 469 : 200, toTag: "t")
            response.headers.add(.recvInfo, request.method == .info ? "other" : "trickle-ice;x=y")
            response.headers.add(.contact, "<sip:peer@\(peer.address)>")
            return [response.serialize()]
        }
        let id = network.call(alice, SIPURI(user: "peer", host: .ip(peer.address.ip)))
        for i in 1...3 { network.tell(alice, info(id, "c\(i)")) }
        network.run(until: 2)
        #expect(peer.requests(.info).count == 1)
        let sent = try #require(peer.requests(.info).first)
        #expect(sent.headers[.infoPackage] == "trickle-ice" && sent.headers[.contentDisposition] == "Info-Package")
        #expect(alice.story.filter { $0 == "infoFailed trickle-ice 469" }.count == 3)
    }

    @Test func lostInfoIsToldAndTheNextGoes() {
        let (alice, bob) = pair()
        bob.answers()
        let id = network.call(alice, bob.uri)
        network.run(until: 1)
        network.drops = { String(decoding: $0, as: UTF8.self).contains("c1") }
        network.tell(alice, info(id, "c1"))
        network.tell(alice, info(id, "c2"))
        network.run(until: 40)
        #expect(alice.story.last == "infoFailed trickle-ice 408")
        #expect(bob.story.last == received("c2"))
    }

    @Test func queueIsBounded() {
        let (alice, bob) = pair()
        let id = network.call(alice, bob.uri)
        for i in 0..<100 { network.tell(alice, info(id, "c\(i)")) }
        #expect(alice.story.filter { $0 == "infoFailed trickle-ice 503" }.count == 36)
    }
}
