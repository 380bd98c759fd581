import Core
import Engine
import Interface
import Simulator
import Testing

/// Row 5: `a=setup` that is missing or senseless (RFC 5763 §5, RFC 8842 §5.3).
@Suite struct Row05Tests {
    /// The first `a=setup` in the offer and in the answer, as they leave.
    private func setups(_ pair: Pair) -> () -> [String] {
        var seen: [String: String] = [:]
        pair.simulation.filters.append { datagram in
            if datagram.kind == .sip, let text = SIPText(datagram.payload), text.line("m=audio ") != nil {
                let name = text.method == nil ? "answer" : "offer"
                seen[name] = seen[name] ?? text.line("a=setup:") ?? "none"
            }
            return [datagram]
        }
        return { [seen["offer"] ?? "", seen["answer"] ?? ""] }
    }

    /// Missing in an offer: as actpass, we are active. RFC 4145's default would make both wait.
    @Test(arguments: [true, false]) func row05_missingInTheOffer(hasIce: Bool) {
        let pair = Pair(both: {
            $0.security = .dtls
            $0.ice = hasIce
        })
        let seen = setups(pair)
        pair.editPeer(of: .callee) { $0.removeLines("a=setup") }
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(1))
        #expect(seen() == ["actpass", "active"])
        #expect(pair.dtlsRole(of: pair.bob) == "client" && pair.dtlsRole(of: pair.alice) == "server")
        pair.expectVerified()
        pair.expectAudio()
        pair.finish()
    }

    /// Missing in an answer to our actpass, or actpass again, which is none: we are passive.
    @Test(arguments: ["", "a=setup:actpass"], [true, false]) func row05_missingInTheAnswer(line: String, hasIce: Bool) {
        let pair = Pair(both: {
            $0.security = .dtls
            $0.ice = hasIce
        })
        pair.editPeer(of: .caller) { text in
            if line.isEmpty { text.removeLines("a=setup") } else { text.replaceLines("a=setup", with: line) }
        }
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(1))
        #expect(pair.dtlsRole(of: pair.alice) == "server" && pair.dtlsRole(of: pair.bob) == "client")
        pair.expectVerified()
        pair.expectAudio()
        pair.finish()
    }

    @Test(arguments: Role.allCases) func row05_holdconn(role: Role) {
        let pair = Pair(both: { $0.security = .dtls })
        pair.editPeer(of: role) { $0.replaceLines("a=setup", with: "a=setup:holdconn") }
        pair.dial()
        pair.simulation.run(for: .seconds(5))
        #expect(pair.alice.result?.outcome == .notAcceptable)
        if role == .callee {
            #expect(pair.alice.result?.status == 488 && pair.bob.results.isEmpty)
            #expect(pair.bob.sentences("offer-refused").contains { $0.contains("holdconn") })
        } else {
            #expect(pair.alice.endReason?.contains("holdconn") == true)
            #expect(pair.bob.hasEnded)
        }
        #expect(!pair.alice.hasMedia && !pair.bob.hasMedia && pair.simulation.sent[.rtp] == nil)
        pair.finish()
    }

    /// A role that is given is taken.
    @Test(arguments: [("active", "server"), ("passive", "client")]) func row05_givenInTheOffer(setup: String, role: String) {
        let pair = Pair(both: { $0.security = .dtls })
        pair.editPeer(of: .callee) { $0.replaceLines("a=setup", with: "a=setup:\(setup)") }
        #expect(pair.connect())
        #expect(pair.dtlsRole(of: pair.bob) == role)
        pair.expectVerified()
        pair.finish()
    }
}
