import Core
import Testing

@testable import SIP

/// The outbound proxy of calls without an account.
@Suite struct ProxyTests {
    private func query(direct: SIPURI?) -> ResolutionQuery? {
        var configuration = UserAgentConfiguration()
        configuration.proxy = SIPURI("sip:192.0.2.9:5070")
        var agent = UserAgent(configuration: configuration, random: RandomSource(seed: 1))
        agent.directTarget = direct
        guard let target = SIPURI("sip:bob@192.0.2.7") else { return nil }
        let session = agent.makeSessionID()
        agent.handle(.invite(session, to: target, account: nil, body: nil, contentType: "application/sdp"), at: .zero)
        while let output = agent.poll() {
            if case .resolve(_, let query) = output { return query }
        }
        return nil
    }

    @Test func theProxyIsTheNextHop() {
        #expect(query(direct: nil) == ResolutionQuery(host: .ip(.v4(0xC000_0209)), port: 5070))
    }

    @Test func butNotToATargetInThisProcess() {
        #expect(query(direct: SIPURI("sip:bob@192.0.2.7")) == ResolutionQuery(host: .ip(.v4(0xC000_0207))))
    }
}
