import Core
import Engine
import Foundation
import Interface
import Runtime
import Testing

extension RuntimeTests {
    struct LoopbackCallTests {
        private func connected(_ phone: TestPhone) async throws {
            _ = try await phone.event("ICE") { event in
                if case .callIce(_, "rtp", let state, _) = event, state == "connected" || state == "completed" { true } else { nil }
            }
            let transport = try await phone.event("DTLS") { event in
                if case .callDtls(_, let transport) = event, transport.dtlsState == "connected" { transport } else { nil }
            }
            #expect(transport.remoteFingerprint?.verified == true)
            #expect(transport.srtpCipher != nil && transport.dtlsCipher != nil && transport.tlsVersion == "FEFD")
        }

        private func check(_ result: CallResult, _ mode: SecurityMode, endedBy: String) {
            #expect(result.security == mode && result.securityOffered == mode)
            #expect(result.status == 200 && result.endedBy == endedBy)
            // No audio thread: no packet flows. A call under a second counts as answered.
            #expect(result.outcome == .answered || result.outcome == .oneWay)
            let transport = result.transports.first
            #expect((transport?.srtpCipher != nil) == (mode != .none))
            #expect(transport?.dtlsState == (mode == .dtls ? "connected" : "none"))
            let states = mode == .dtls ? ["connected", "completed"] : ["none"]
            #expect(transport.map { states.contains($0.iceState) } == true)
            #expect((transport?.selectedCandidatePair != nil) == (mode == .dtls))
        }

        @Test(arguments: [SecurityMode.dtls, .sdes, .none], ["udp", "tcp"])
        func aCallIsAnsweredAndEnded(mode: SecurityMode, transport: String) async throws {
            let policy = try #require(SecurityPolicy(rawValue: mode.rawValue))
            let callee = try await TestPhone.started(["udp:127.0.0.1:0", "tcp:127.0.0.1:0"]) {
                $0.security = policy
                $0.autoAnswer = true
            }
            let caller = try await TestPhone.started { $0.security = policy }
            let port = try await callee.port(transport)
            await caller.client.send(.dial(uri: "sip:bob@127.0.0.1:\(port);transport=\(transport)"))
            let incoming = try await callee.event("incoming call") { event in
                if case .callIncoming(_, _, _, _, let security, _) = event { security } else { nil }
            }
            #expect(incoming == mode)
            let call = try await caller.reached(.answered)
            _ = try await callee.reached(.answered)
            if mode == .dtls {
                try await connected(caller)
                try await connected(callee)
            }
            await caller.client.send(.hangUp(call))
            check(try await caller.result(), mode, endedBy: "local")
            check(try await callee.result(), mode, endedBy: "remote")
            try await caller.quit()
            try await callee.quit()
        }

        static let hasIPv6 =
            (try? String(contentsOfFile: "/proc/net/if_inet6", encoding: .utf8))?.contains("00000000000000000000000000000001 ") == true

        /// The default `--listen`, all addresses: the route picks the one to name, and ICE takes every interface. And IPv6.
        @Test(arguments: [("udp:0.0.0.0:0", "127.0.0.1")] + (hasIPv6 ? [("udp:[::]:0", "[::1]"), ("udp:[::1]:0", "[::1]")] : []))
        func wildcardAndIPv6Listeners(listener: String, host: String) async throws {
            let callee = try await TestPhone.started([listener]) {
                $0.security = .dtls
                $0.autoAnswer = true
            }
            let caller = try await TestPhone.started([listener])
            await caller.client.send(.dial(uri: "sip:bob@\(host):\(try await callee.port("udp"))"))
            let call = try await caller.reached(.answered)
            try await connected(caller)
            try await connected(callee)
            await caller.client.send(.hangUp(call))
            check(try await caller.result(), .dtls, endedBy: "local")
            check(try await callee.result(), .dtls, endedBy: "remote")
            try await caller.quit()
            try await callee.quit()
        }

        /// The caller offers DTLS first; the callee takes plain RTP only.
        @Test func preferStepsDownAndSaysSo() async throws {
            let callee = try await TestPhone.started {
                $0.security = .none
                $0.autoAnswer = true
            }
            let caller = try await TestPhone.started()
            await caller.client.send(.dial(uri: "sip:bob@127.0.0.1:\(try await callee.port("udp"))"))
            let call = try await caller.reached(.answered)
            await caller.client.send(.hangUp(call))
            let result = try await caller.result()
            #expect(result.security == SecurityMode.none)
            let steps = caller.log.events.count { if case .notice(.warning, "security-downgrade", _, call) = $0 { true } else { false } }
            #expect(steps == 2)
            try await caller.quit()
            try await callee.quit()
        }

        /// Ending by the called side, and a call that a person declines.
        @Test func theCalleeDeclines() async throws {
            let callee = try await TestPhone.started()
            let caller = try await TestPhone.started()
            await caller.client.send(.dial(uri: "sip:bob@127.0.0.1:\(try await callee.port("udp"))"))
            let ringing = try await callee.event("incoming call") { if case .callIncoming(let id, _, _, _, _, _) = $0 { id } else { nil } }
            _ = try await caller.reached(.ringing)
            await callee.client.send(.decline(ringing))
            let result = try await caller.result()
            #expect(result.outcome == .declined && result.status == 603 && result.endedBy == "remote")
            try await caller.quit()
            try await callee.quit()
        }

        /// The peer goes away without a word while it rings: quitting must not wait for it for ever.
        @Test func quittingAgainstASilentPeer() async throws {
            let silent = try RawSocket(.udp)
            let caller = try await TestPhone.started()
            await caller.client.send(.dial(uri: "sip:bob@127.0.0.1:\(silent.port)"))
            _ = try await caller.reached(.calling)
            try await caller.quit()
            #expect(caller.log.events.contains { if case .result = $0 { true } else { false } })
        }
    }
}
