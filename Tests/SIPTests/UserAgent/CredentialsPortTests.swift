import Core
import Testing

@testable import SIP

/// Credentials go to the account's own servers, port included (RFC 3261 §22).
@Suite struct CredentialsPortTests {
    /// Whether an INVITE to `port` of the registrar's host carries credentials after a challenge.
    private func sendsCredentials(port: UInt16) throws -> Bool {
        var agent = UserAgent(configuration: UserAgentConfiguration(), random: RandomSource(seed: 3))
        let local = SocketAddress(.v4(0xC000_0201), 5060)
        let remote = SocketAddress(.v4(0xC000_0209), port)
        let own = try #require(SIPURI("sip:alice@192.0.2.9"))
        let target = try #require(SIPURI("sip:bob@192.0.2.9:\(port)"))
        agent.handle(.listening(.udp, local), at: .zero)
        agent.handle(.addAccount(SIPAccount(id: "a", uri: own, credentials: Credentials(username: "alice", password: "secret"))), at: .zero)
        agent.handle(.invite(agent.makeSessionID(), to: target, account: "a", body: nil, contentType: "application/sdp"), at: .zero)
        var isChallenged = false
        for _ in 0..<8 {
            var outputs: [UserAgent.Output] = []
            while let output = agent.poll() { outputs.append(output) }
            for output in outputs {
                switch output {
                case .resolve(let id, _): agent.handle(.resolved(id, [ResolvedTarget(transport: .udp, address: remote, local: local)]), at: .zero)
                case .transmit(let transmit):
                    guard case .request(let request) = try SIPMessage.parse(transmit.bytes), request.method == .invite else { continue }
                    if request.headers.contains(.authorization) { return true }
                    guard !isChallenged else { continue }
                    isChallenged = true
                    var refusal = SIPResponse(to: request, status: 401, reason: nil, toTag: "x")
                    refusal.headers.add(.wwwAuthenticate, "Digest realm=\"r\", nonce=\"n\", algorithm=MD5, qop=\"auth\"")
                    agent.receive(refusal.serialize(), flow: SIPFlow(transport: .udp, local: local, remote: remote), at: .zero)
                default: break
                }
            }
        }
        #expect(isChallenged)
        return false
    }

    @Test func toTheAccountsOwnPort() throws { #expect(try sendsCredentials(port: 5060)) }
    @Test func notToAnotherPortOfTheSameHost() throws { #expect(try !sendsCredentials(port: 5090)) }
}
