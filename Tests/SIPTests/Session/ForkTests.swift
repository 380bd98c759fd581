import Core
import SIP
import Testing

/// One INVITE, several answers (RFC 3261 §13.2.2.4).
@Suite struct ForkTests {
    let network = TestNetwork()

    func response(_ request: SIPRequest, _ status: Int, _ tag: String, _ script: Script, _ body: String = "") -> [UInt8] {
        var response = SIPResponse(to: request, status: status, toTag: tag)
        response.headers.add(.contact, "<sip:\(tag)@\(script.address)>")
        if !body.isEmpty {
            response.headers.contentType = "application/sdp"
            response.body = Array(body.utf8)
        }
        return response.serialize()
    }

    /// Two forks ring; a third answers first; a later 2xx of another is acknowledged and ended.
    @Test func firstSuccessWins() {
        let proxy = network.script("192.0.2.9")
        proxy.react = { message in
            guard case .request(let request) = message else { return [] }
            switch request.method {
            case .invite:
                return [
                    response(request, 183, "one", proxy, "early one"), response(request, 183, "two", proxy, "early two"),
                    response(request, 200, "three", proxy, "answer three"), response(request, 200, "two", proxy, "answer two"),
                ]
            case .bye: return [SIPResponse(to: request, status: 200).serialize()]
            default: return []
            }
        }
        let alice = network.phone("alice", "192.0.2.1")
        let id = network.call(alice, SIPURI(user: "x", host: .ip(proxy.address.ip), port: 5060))
        network.run(until: 1)
        for tag in ["two", "three"] {
            guard let invite = proxy.requests(.invite).first else { return }
            network.send(response(invite, 200, tag, proxy, "again"), from: proxy.address, to: alice.address)
        }
        network.run(until: 2)
        #expect(alice.story == ["183 early one", "183 early two", "answered 200 answer three"])
        #expect(proxy.requests(.ack).map { $0.headers.to?.tag }.sorted { ($0 ?? "") < ($1 ?? "") } == ["three", "three", "two", "two"])
        #expect(proxy.requests(.bye).map { $0.headers.to?.tag } == ["two"])
        // The same ACK goes out again, byte for byte.
        let acks = proxy.requests(.ack).filter { $0.headers.to?.tag == "three" }
        #expect(acks.count == 2 && acks[0] == acks[1])
        network.tell(alice, .hangUp(id, reason: nil))
        network.run(until: 80)
        #expect(proxy.requests(.bye).map { $0.headers.to?.tag } == ["two", "three"])
        #expect(alice.leftovers == noLeftovers)
    }

    /// A 2xx 20 s after the call ended is still acknowledged and ended.
    @Test func lateSuccessAfterTheEnd() {
        let proxy = network.script("192.0.2.9")
        var invite: SIPRequest?
        proxy.react = { message in
            guard case .request(let request) = message else { return [] }
            if request.method == .invite { invite = request }
            if request.method == .ack { return [] }
            return [response(request, 200, request.method == .invite ? "one" : "x", proxy, "a")]
        }
        let alice = network.phone("alice", "192.0.2.1")
        let id = network.call(alice, SIPURI(user: "x", host: .ip(proxy.address.ip), port: 5060))
        network.run(until: 1)
        network.tell(alice, .hangUp(id, reason: nil))
        network.run(until: 20)
        if let invite { network.send(response(invite, 200, "late", proxy, "b"), from: proxy.address, to: alice.address) }
        network.run(until: 80)
        #expect(proxy.requests(.bye).map { $0.headers.to?.tag } == ["one", "late"])
        #expect(proxy.requests(.ack).map { $0.headers.to?.tag } == ["one", "late"])
        #expect(alice.story.filter { $0.hasPrefix("ended") }.count == 1)
        #expect(alice.leftovers == noLeftovers)
    }

    @Test func redirectionIsNotFollowed() {
        let proxy = network.script("192.0.2.9")
        proxy.react = { message in
            guard case .request(let request) = message, request.method == .invite else { return [] }
            return [response(request, 302, "one", proxy)]
        }
        let alice = network.phone("alice", "192.0.2.1")
        _ = network.call(alice, SIPURI(user: "x", host: .ip(proxy.address.ip), port: 5060))
        network.run(until: 80)
        guard case .ended(_, let end) = alice.events.last?.event else {
            Issue.record("not ended")
            return
        }
        #expect(end.status == 302 && end.redirectedTo.map(\.description) == ["sip:one@192.0.2.9:5060"])
        #expect(proxy.requests(.invite).count == 1)
        #expect(alice.leftovers == noLeftovers)
    }

    /// No response to CANCEL nor INVITE after a 180: the INVITE is given up after 64·T1 (§9.1).
    @Test func silenceAfterCancel() {
        let proxy = network.script("192.0.2.9")
        proxy.react = { message in
            guard case .request(let request) = message, request.method == .invite else { return [] }
            return [response(request, 180, "one", proxy)]
        }
        let alice = network.phone("alice", "192.0.2.1")
        let id = network.call(alice, SIPURI(user: "x", host: .ip(proxy.address.ip), port: 5060))
        network.run(until: 1)
        network.tell(alice, .hangUp(id, reason: "enough"))
        network.run(until: 80)
        #expect(proxy.requests(.cancel).count == 11)
        #expect(proxy.requests(.cancel).first?.headers[.reason] == "SIP;cause=200;text=\"enough\"")
        #expect(proxy.requests(.cancel).first?.headers.topVia?.branch == proxy.requests(.invite).first?.headers.topVia?.branch)
        #expect(alice.leftovers == noLeftovers)
    }
}
