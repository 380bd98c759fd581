import Core
import Testing

@testable import SIP

/// Which servers a URI leads to (RFC 3263, RFC 2782, RFC 7118).
@Suite struct ResolverTests {
    @Test(arguments: [
        ("sip:a@192.0.2.1", "udp 192.0.2.1:5060"), ("sip:a@192.0.2.1;transport=tcp", "tcp 192.0.2.1:5060"),
        ("sips:a@192.0.2.1", "tls 192.0.2.1:5061"),
        ("sip:a@[2001:db8::1]:5070;transport=ws", "ws [2001:db8::1]:5070"), ("sips:a@192.0.2.1;transport=ws", "wss 192.0.2.1:443"),
    ])
    func numericHostsAskNothing(uri: String, expected: String) {
        let dns = ScriptedDNS()
        #expect(dns.resolve(uri) == [expected])
        #expect(dns.asked.isEmpty && dns.resolver.deadline == nil)
    }

    /// An explicit port: addresses only.
    @Test func explicitPortNeedsNoService() {
        let dns = ScriptedDNS()
        dns.address("pbx.example", "192.0.2.1")
        dns.service("_sip._udp.pbx.example", "other.example", port: 9)
        #expect(dns.resolve("sip:a@pbx.example:5070") == ["udp 192.0.2.1:5070"])
        #expect(dns.resolve("sip:a@PBX.example:5070;transport=wss") == ["wss 192.0.2.1:5070"])
        #expect(dns.asked.map(\.question.type) == [.a])
    }

    @Test func pointersChooseTheTransport() {
        let dns = ScriptedDNS()
        dns.pointer("example.com", "SIP+D2U", "_sip._udp.example.com", order: 20)
        dns.pointer("example.com", "sips+d2t", "_sips._tcp.example.com", order: 10, preference: 5)
        dns.pointer("example.com", "SIPS+D2W", "ws.example.net", order: 10, preference: 1)
        dns.pointer("example.com", "SIP+D2T", "nowhere.example.com", order: 1, flags: "u")
        dns.pointer("example.com", "E2U+sip", "enum.example.com", order: 1)
        dns.service("_sip._udp.example.com", "u.example.com", port: 5060)
        dns.service("_sips._tcp.example.com", "t.example.com", port: 5062)
        dns.service("ws.example.net", "w.example.com", port: 8443)
        for (i, host) in ["u", "t", "w"].enumerated() { dns.address("\(host).example.com", "192.0.2.\(i + 1)") }
        #expect(dns.resolve("sip:a@example.com") == ["wss 192.0.2.3:8443", "tls 192.0.2.2:5062", "udp 192.0.2.1:5060"])
        #expect(dns.resolve("sip:a@example.com", [.udp, .tcp]) == ["udp 192.0.2.1:5060"])
        #expect(dns.resolve("sips:a@example.com", [.udp, .tls]) == ["tls 192.0.2.2:5062"])
        // A transport in the URI needs no pointer.
        #expect(dns.resolve("sip:a@example.com;transport=tls") == ["tls 192.0.2.2:5062"])
    }

    @Test func withoutPointersServicesAreAskedInOrder() {
        let dns = ScriptedDNS()
        dns.service("_sip._tcp.example.com", "t.example.com", port: 5060)
        dns.service("_sip._udp.example.com", "u.example.com", port: 5066)
        dns.address("t.example.com", "192.0.2.2")
        dns.address("u.example.com", "192.0.2.1")
        #expect(dns.resolve("sip:a@example.com", [.udp, .tcp]) == ["udp 192.0.2.1:5066", "tcp 192.0.2.2:5060"])
        #expect(dns.asked.first?.question == DNSQuestion("example.com", .naptr))
    }

    @Test(arguments: [
        ("sip:a@example.com", "udp 192.0.2.1:5060"), ("sips:a@example.com", "tls 192.0.2.1:5061"),
        ("sip:a@example.com;transport=ws", "ws 192.0.2.1:80"),
    ])
    func withoutServicesTheDefaultPort(uri: String, expected: String) {
        let dns = ScriptedDNS()
        dns.address("example.com", "192.0.2.1")
        #expect(dns.resolve(uri) == [expected])
    }

    @Test func familiesTakeTurns() {
        let dns = ScriptedDNS(hasIPv6: true)
        for ip in ["192.0.2.1", "192.0.2.2", "2001:db8::1", "0.0.0.0", "224.0.0.1"] { dns.address("example.com", ip) }
        #expect(dns.resolve("sip:a@example.com:5060") == ["udp [2001:db8::1]:5060", "udp 192.0.2.1:5060", "udp 192.0.2.2:5060"])
        let old = ScriptedDNS()
        old.zone = dns.zone
        #expect(old.resolve("sip:a@example.com:5060") == ["udp 192.0.2.1:5060", "udp 192.0.2.2:5060"])
        #expect(old.asked.map(\.question.type) == [.a])
    }

    /// RFC 2782: by priority, then at random in proportion to the weights.
    @Test func weightsShareTheLoad() {
        var first: [String: Int] = [:]
        for seed in UInt64(1)...600 {
            let dns = ScriptedDNS(seed: seed)
            dns.service("_sip._udp.example.com", "backup.example.com", port: 5060, priority: 20, weight: 1000)
            dns.service("_sip._udp.example.com", "small.example.com", port: 5060, priority: 10, weight: 10)
            dns.service("_sip._udp.example.com", "none.example.com", port: 5060, priority: 10)
            dns.service("_sip._udp.example.com", "big.example.com", port: 5060, priority: 10, weight: 30)
            for (i, host) in ["backup", "small", "none", "big"].enumerated() { dns.address("\(host).example.com", "192.0.2.\(i)") }
            let targets = dns.resolve("sip:a@example.com;transport=udp")
            #expect(targets.count == 4 && targets.last == "udp 192.0.2.0:5060")
            first[targets[0], default: 0] += 1
        }
        // 30 of 41, 10 of 41, 1 of 41.
        #expect((400...480).contains(first["udp 192.0.2.3:5060"] ?? 0))
        #expect((110...185).contains(first["udp 192.0.2.1:5060"] ?? 0))
        #expect((1...35).contains(first["udp 192.0.2.2:5060"] ?? 0))
    }

    @Test func dotMeansNoService() {
        let dns = ScriptedDNS()
        dns.service("_sips._tcp.example.com", ".", port: 0)
        dns.address("example.com", "192.0.2.1")
        #expect(dns.resolve("sips:a@example.com;transport=tls") == ["failed: no address for example.com"])
    }

    @Test func hostsFileComesFirst() {
        let dns = ScriptedDNS(hosts: ["pbx": [.v4(0xC000_0207)]])
        #expect(dns.resolve("sip:a@pbx") == ["udp 192.0.2.7:5060"])
        #expect(dns.resolve("sip:a@localhost;transport=tcp") == ["tcp 127.0.0.1:5060"])
        #expect(dns.asked.isEmpty)
    }

    /// Names of multicast DNS never leave, not even by way of records.
    @Test func localNamesStayHere() {
        let dns = ScriptedDNS()
        dns.service("_sip._udp.example.com", "printer.local", port: 5060)
        dns.add("example.com", .a, .cname("x.local", ttl: 9))
        #expect(dns.resolve("sip:a@phone.local") == ["failed: phone.local is a name of multicast DNS"])
        #expect(dns.resolve("sip:a@example.com;transport=udp") == ["failed: no address for example.com"])
        #expect(dns.resolve("sip:a@example.com:5060") == ["failed: no address for example.com"])
        #expect(dns.asked.allSatisfy { !$0.question.name.hasSuffix("local") })
    }

    @Test func namesWithoutDotUseTheMachinesDomains() {
        let dns = ScriptedDNS(search: ["corp.example"])
        dns.address("pbx.corp.example", "192.0.2.5")
        #expect(dns.resolve("sip:a@pbx:5060") == ["udp 192.0.2.5:5060"])
    }

    /// TLS verifies the URI's domain, not what SRV names (RFC 5922 §4).
    @Test func nameToVerifyStays() {
        let dns = ScriptedDNS()
        dns.service("_sips._tcp.example.com", "evil.example.net", port: 5061)
        dns.address("evil.example.net", "192.0.2.66")
        let id = dns.start("sips:a@example.com;transport=tls")
        #expect(dns.text(id) == ["tls 192.0.2.66:5061"] && dns.names[id] == "example.com")
    }

    @Test func answersAreKeptForTheirTime() {
        let dns = ScriptedDNS()
        dns.address("example.com", "192.0.2.1", ttl: 60)
        _ = dns.resolve("sip:a@example.com:5060", until: 0)
        _ = dns.resolve("sip:a@example.com:5061", until: 50)
        #expect(dns.asked.count == 1)
        dns.run(until: 11)
        _ = dns.resolve("sip:a@example.com:5060", until: 0)
        #expect(dns.asked.count == 2)
        for i in 0..<400 { _ = dns.resolve("sip:a@n\(i).example:5060", until: 0) }
        #expect(dns.resolver.cachedCount == 256)
    }
}

/// Servers that fail, and answers of enemies.
@Suite struct ResolverServerTests {
    @Test func silentServerIsLeftAfterASecond() {
        let dns = ScriptedDNS([.silent, .answers])
        dns.address("example.com", "192.0.2.1")
        let id = dns.start("sip:a@example.com:5060")
        dns.run(until: 5)
        #expect(dns.text(id) == ["udp 192.0.2.1:5060"])
        #expect(dns.asked.map(\.server) == [0, 1] && dns.endedAt[id] == .zero + .seconds(1))
    }

    @Test func refusalIsLeftAtOnce() {
        let dns = ScriptedDNS([.refuses, .answers])
        dns.address("example.com", "192.0.2.1")
        let id = dns.start("sip:a@example.com:5060")
        #expect(dns.text(id) == ["udp 192.0.2.1:5060"] && dns.endedAt[id] == .zero)
    }

    /// Two rounds; and never longer than 8 s.
    @Test(arguments: [(2, 4.0, 4), (6, 8.0, 8)])
    func allSilentFails(servers: Int, seconds: Double, transmissions: Int) {
        let dns = ScriptedDNS(Array(repeating: .silent, count: servers))
        let id = dns.start("sip:a@example.com:5060")
        dns.run(until: 20)
        #expect(dns.failed[id] != nil && dns.asked.count == transmissions)
        #expect(dns.endedAt[id] == .zero + .milliseconds(Int(seconds * 1000)))
        #expect(dns.resolver.pendingCount == 0 && dns.resolver.deadline == nil)
    }

    /// What is known when time is over is used.
    @Test func halfAnAnswerIsBetterThanNone() {
        let dns = ScriptedDNS(
            Array(
                repeating: .lies { id, question in
                    question.type == .a
                        ? DNSAnswer(id: id, question: question, records: [.a(.v4(1), ttl: 1)]) : DNSAnswer(id: id &+ 1, question: question)
                }, count: 6), hasIPv6: true)
        let id = dns.start("sip:a@example.com:5060")
        dns.run(until: 20)
        #expect(dns.text(id) == ["udp 0.0.0.1:5060"] && dns.endedAt[id] == .zero + .seconds(8))
    }

    @Test func truncatedAnswerIsAskedByStream() {
        let dns = ScriptedDNS([.truncates])
        for i in 1...40 { dns.address("example.com", "192.0.2.\(i)") }
        #expect(dns.resolve("sip:a@example.com:5060").count == 40)
        #expect(dns.asked.map(\.overStream) == [false, true])
    }

    /// The datagram came twice: it is asked by stream once, and the stream's answer counts.
    @Test func lateTruncatedDatagramIsNoNews() {
        var number: UInt16 = 0
        let truncated = { (id: UInt16, question: DNSQuestion) in
            number = id
            return DNSAnswer(id: id, question: question, truncated: true, records: [.a(.v4(0xC000_0201), ttl: 1)])
        }
        let dns = ScriptedDNS([.lies(truncated)])
        dns.ignoresStreams = true
        let id = dns.start("sip:a@example.com:5060")
        let question = DNSQuestion("example.com", .a)
        for _ in 0..<5 { dns.tell(.answer(truncated(number, question), server: 0)) }
        #expect(dns.asked.map(\.overStream) == [false, true])
        dns.tell(.answer(DNSAnswer(id: number, question: question, records: [.a(.v4(0xC000_0202), ttl: 1)]), server: 0))
        #expect(dns.text(id) == ["udp 192.0.2.2:5060"])
    }

    @Test func strangersAnswersChangeNothing() {
        let dns = ScriptedDNS([.silent, .silent])
        let id = dns.start("sip:a@example.com:5060")
        let forged = [DNSRecord.a(.v4(0x0606_0606), ttl: 60)]
        let question = DNSQuestion("example.com", .a)
        for number in UInt16.min...UInt16.max {
            // The right number by chance, but another question, or from a server that was not asked.
            dns.tell(.answer(DNSAnswer(id: number, question: DNSQuestion("example.org", .a), records: forged), server: 0))
            dns.tell(.answer(DNSAnswer(id: number, question: question, records: forged), server: 1))
        }
        #expect(dns.resolved[id] == nil && dns.resolver.strays == 131_072)
    }

    @Test func loopsAndChainsEnd() {
        let loop = ScriptedDNS()
        loop.add("a.example", .a, .cname("b.example", ttl: 5))
        loop.add("b.example", .a, .cname("a.example", ttl: 5))
        #expect(loop.resolve("sip:x@a.example:5060", until: 1) == ["failed: no address for a.example"])
        #expect(loop.asked.count == 2)
        for (length, isFound) in [(8, true), (9, false)] {
            let chain = ScriptedDNS()
            for i in 0..<length { chain.add("n\(i).example", .a, .cname("n\(i + 1).example", ttl: 5)) }
            chain.address("n\(length).example", "192.0.2.9")
            #expect(chain.resolve("sip:x@n0.example:5060") == [isFound ? "udp 192.0.2.9:5060" : "failed: no address for n0.example"])
        }
    }

    /// Hundreds of records make no hundreds of questions.
    @Test func hugeAnswersAreBounded() {
        let dns = ScriptedDNS(hasIPv6: true)
        for i in 0..<500 {
            dns.service("_sip._udp.example.com", "t\(i).example.com", port: 5060)
            for j in 0..<200 { dns.address("t\(i).example.com", "10.\(i % 256).\(i / 256).\(j)") }
        }
        let found = dns.resolve("sip:a@example.com;transport=udp")
        #expect(found.count == 64 && dns.asked.count == 33)
        dns.pointer("many.example", "SIP+D2U", String(repeating: "x", count: 300))
        for i in 0..<100 { dns.pointer("many.example", "SIP+D2U", "s\(i).example") }
        _ = dns.resolve("sip:a@many.example")
        #expect(dns.asked.count < 33 + 20)
    }

    @Test func lookUpsAreLimitedAndShared() {
        let dns = ScriptedDNS([.silent])
        let ids = (0..<40).map { _ in dns.start("sip:a@example.com:5060") }
        #expect(dns.asked.count == 1)
        #expect(dns.failed.count == 8 && dns.failed[ids[39]] == "too many look-ups at once")
        for id in ids { dns.tell(.cancel(id)) }
        #expect(dns.resolver.pendingCount == 0 && dns.resolver.deadline == nil)
    }

    /// Any answers at all, in any order: every look-up ends in time, and nothing is left.
    @Test func nonsenseEndsInTime() {
        let names = ["a.example", "b.example", "c.local", ".", "", "_sip._udp.a.example", String(repeating: "x", count: 300), "192.0.2.1"]
        for seed in UInt64(1)...300 {
            let random = RandomSource(seed: seed)
            let pick = { (n: Int) in Int(random.next() % UInt64(n)) }
            let record = { () -> DNSRecord in
                let name = names[pick(names.count)]
                let number = UInt16(truncatingIfNeeded: random.next())
                switch pick(5) {
                case 0: return .a(.v4(UInt32(truncatingIfNeeded: random.next())), ttl: .max)
                case 1: return .aaaa(.v6(random.next(), random.next()), ttl: 0)
                case 2: return .srv(priority: number, weight: .max, port: number, target: name, ttl: 1)
                case 3:
                    return .naptr(order: number, preference: number, flags: "S", service: "SIP+D2U", regexp: "", replacement: name, ttl: 1)
                default: return .cname(name, ttl: 5)
                }
            }
            let lie = { (id: UInt16, question: DNSQuestion) in
                DNSAnswer(
                    id: pick(4) == 0 ? id &+ 1 : id, question: question, rcode: pick(3) == 0 ? pick(16) : 0, truncated: pick(4) == 0,
                    records: (0..<pick(6)).map { _ in record() })
            }
            let dns = ScriptedDNS([.lies(lie), .lies(lie)], hasIPv6: true, seed: seed)
            let ids = ["sip:x@a.example", "sips:x@b.example", "sip:x@a.example:5060", "sip:x@c.local"].map { dns.start($0) }
            dns.run(until: 8.1)
            for id in ids { #expect((dns.resolved[id] != nil) != (dns.failed[id] != nil)) }
            #expect(dns.resolver.pendingCount == 0 && dns.resolver.deadline == nil)
        }
    }

    @Test func deliveryFailureAsksTheNextServer() {
        let dns = ScriptedDNS([.silent, .answers])
        dns.address("example.com", "192.0.2.1")
        let id = dns.start("sip:a@example.com:5060")
        for number in UInt16.min...UInt16.max { dns.tell(.serverFailed(id: number)) }
        #expect(dns.text(id) == ["udp 192.0.2.1:5060"] && dns.endedAt[id] == .zero)
    }
}
