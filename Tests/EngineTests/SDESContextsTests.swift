import SDP
import Secure
import Testing

@testable import Engine

@Suite struct SDESContextsTests {
    private func pair(_ local: UInt8, _ remote: UInt8, _ profile: SRTPProfile = .aesCM128Tag80) -> SRTPKeyPair {
        let key = { (byte: UInt8) in
            SRTPMasterKey(key: [UInt8](repeating: byte, count: profile.keyLength), salt: [UInt8](repeating: byte, count: profile.saltLength))
        }
        return SRTPKeyPair(profile: profile, local: key(local), remote: key(remote))
    }

    /// A fresh context under a key that was used would repeat its key stream.
    @Test func aKeyKeepsItsContext() throws {
        var contexts = SDESContexts()
        let first = try contexts.keys(for: pair(1, 2))
        let peerChanged = try contexts.keys(for: pair(1, 3))
        #expect(peerChanged.outbound === first.outbound && peerChanged.inbound !== first.inbound)
        let bothChanged = try contexts.keys(for: pair(4, 3))
        #expect(bothChanged.outbound !== first.outbound && bothChanged.inbound === peerChanged.inbound)
        let back = try contexts.keys(for: pair(1, 2))
        #expect(back.outbound === first.outbound && back.inbound === first.inbound)
    }

    @Test func anotherSuiteIsAnotherContext() throws {
        var contexts = SDESContexts()
        let long = try contexts.keys(for: pair(1, 2))
        let short = try contexts.keys(for: pair(1, 2, .aesCM128Tag32))
        #expect(short.outbound !== long.outbound && short.profile == .aesCM128Tag32)
    }

    /// The peer may change its key as often as it likes; what is kept of it has a limit.
    @Test func peersKeysAreNotKeptForEver() throws {
        var contexts = SDESContexts()
        let first = try contexts.keys(for: pair(1, 100))
        for byte in UInt8(101)...UInt8(120) { _ = try contexts.keys(for: pair(1, byte)) }
        let again = try contexts.keys(for: pair(1, 100))
        #expect(again.inbound !== first.inbound && again.outbound === first.outbound)
    }
}
