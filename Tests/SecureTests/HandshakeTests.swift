import CVirtualTime
import Core
import Secure
import Testing

@Suite struct HandshakeTests {
    @Test func virtualClockIsLinked() {
        let before = virtual_time_reads()
        let link = Link()
        link.start()
        link.run(until: at(1000))
        #expect(virtual_time_reads() > before)
    }

    @Test func bothRolesConnect() throws {
        let link = Link()
        link.start()
        link.run(until: at(1000))
        #expect(link.client.states == [.connecting, .connected])
        #expect(link.server.states == [.connecting, .connected])
        #expect(link.keysAgree)
        let negotiated = try #require(link.client.association.negotiated)
        #expect(negotiated.tlsVersion == "FEFD")
        #expect(negotiated.dtlsCipher == "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384")
        #expect(negotiated.srtpProfile == .aeadAES256GCM)
        #expect(negotiated.remoteFingerprint == Identities.bob.fingerprint(.sha512))
        #expect(negotiated.remoteCertificate == Identities.bob.der)
        // Two round trips and no retransmission.
        #expect(link.now == at(40))
        #expect(link.client.association.statistics.retransmissions == 0)
        #expect(link.client.association.deadline == nil)
        #expect(link.server.association.deadline == nil)
    }

    @Test func firstFlightIsSynchronousAndNoDatagramIsAboveTheMTU() {
        let side = Side(.client, Identities.alice)
        #expect(side.association.state == .new)
        side.association.start(at: .zero)
        let flight = side.drain(at: .zero)
        #expect(flight.count == 1)
        #expect(flight.allSatisfy { $0.count <= 1200 && $0.first == 22 })
        #expect(side.association.deadline == at(50))
    }

    @Test func smallMTU() {
        var configuration = DTLSConfiguration()
        configuration.mtu = 300
        let link = Link(client: configuration, server: configuration)
        var largest = 0
        link.filter = { _, _, datagram in
            largest = max(largest, datagram.count)
            return [datagram]
        }
        link.start()
        link.run(until: at(2000))
        #expect(link.keysAgree)
        #expect(largest <= 300)
    }

    @Test(arguments: [
        ([SRTPProfile.aeadAES128GCM], SRTPProfile.aeadAES128GCM),
        ([.aesCM128Tag80], .aesCM128Tag80),
        ([.aesCM128Tag80, .aeadAES256GCM, .aeadAES128GCM], .aeadAES256GCM),
        ([.aesCM128Tag32], .aesCM128Tag32),
        ([.aesCM128Tag32, .aesCM128Tag80], .aesCM128Tag80),
    ])
    func serverChoosesTheProfile(offered: [SRTPProfile], chosen: SRTPProfile) {
        var configuration = DTLSConfiguration()
        configuration.srtpProfiles = offered
        let link = Link(client: configuration)
        link.start()
        link.run(until: at(1000))
        #expect(link.keysAgree)
        #expect(link.server.association.negotiated?.srtpProfile == chosen)
    }

    @Test func shortTagIsNeverOffered() {
        var server = DTLSConfiguration()
        server.srtpProfiles = [.aesCM128Tag32]
        let link = Link(server: server)
        link.start()
        link.run(until: at(1000))
        #expect(link.client.failure == .noCommonSRTPProfile)
        #expect(link.server.failure == .noCommonSRTPProfile)
        #expect(link.client.states == [.connecting, .failed])
        #expect(link.client.association.negotiated == nil)
        #expect(link.server.association.negotiated == nil)
    }

    @Test func noCommonCipherIsToldAtOnce() {
        var client = DTLSConfiguration()
        client.cipherList = "ECDHE-ECDSA-CHACHA20-POLY1305"
        var server = DTLSConfiguration()
        server.cipherList = "ECDHE-ECDSA-AES256-GCM-SHA384"
        let link = Link(client: client, server: server)
        link.start()
        link.run(until: at(40_000))
        #expect(link.server.failure == .handshake(reason: "no shared cipher"))
        // The alert came in clear: the client waits whether somebody else answers, then believes it.
        #expect(link.client.failure == .alert(40))
        #expect(link.now == at(10_020))
    }

    @Test func unusableCipherListIsAFailureNotACrash() {
        var configuration = DTLSConfiguration()
        configuration.cipherList = "nothing"
        let side = Side(.client, Identities.alice, configuration)
        side.association.start(at: .zero)
        _ = side.drain(at: .zero)
        #expect(side.states == [.connecting, .failed])
        #expect(side.failure == .library(reason: "no cipher match"))
    }

    @Test func closeNotifyEndsBothSides() {
        let link = Link()
        link.start()
        link.run(until: at(1000))
        link.client.association.close(at: link.now)
        link.pump()
        link.run(until: at(2000), stopWhenDone: false)
        #expect(link.client.states == [.connecting, .connected, .closed])
        #expect(link.server.states == [.connecting, .connected, .closed])
        #expect(link.server.association.negotiated == nil)
        #expect(link.server.association.deadline == nil)
    }

    @Test func closeBeforeTheEndIsQuiet() {
        let side = Side(.client, Identities.alice)
        side.association.start(at: .zero)
        _ = side.drain(at: .zero)
        side.association.close(at: at(10))
        #expect(side.drain(at: at(10)).isEmpty)
        #expect(side.states == [.connecting, .closed])
        side.association.close(at: at(20))
        side.association.start(at: at(20))
        side.association.handleTimeout(at: at(50_000))
        #expect(side.association.poll() == nil)
    }

    @Test func keyLogOnlyWhenAsked() {
        var configuration = DTLSConfiguration()
        configuration.keyLog = true
        let link = Link(client: configuration)
        link.start()
        link.run(until: at(1000))
        #expect(link.client.keyLog.count == 1)
        #expect(link.client.keyLog.allSatisfy { $0.hasPrefix("CLIENT_RANDOM ") })
        #expect(link.server.keyLog.isEmpty)
    }

    @Test func datagramsBeforeStartAreKept() {
        let client = Side(.client, Identities.alice)
        let server = Side(.server, Identities.bob)
        client.association.start(at: .zero)
        for _ in 0..<20 { server.association.receive([1, 2, 3].span.bytes, at: .zero) }
        for datagram in client.drain(at: .zero) { server.association.receive(datagram.span.bytes, at: .zero) }
        #expect(server.drain(at: .zero).isEmpty)
        server.association.start(at: at(10))
        #expect(server.drain(at: at(10)).count == 1)
        #expect(server.association.statistics.recordsDropped == 7)
    }

    @Test func serverDemandsACertificate() throws {
        let link = Link()
        var demanded = false
        link.filter = { fromClient, _, datagram in
            // CertificateRequest is message 13 of the server's flight.
            if !fromClient, records(datagram).contains(where: { $0[0] == 22 && $0[3] == 0 && $0[4] == 0 && $0[13] == 13 }) { demanded = true }
            return [datagram]
        }
        link.start()
        link.run(until: at(1000))
        #expect(demanded)
        #expect(link.server.association.negotiated?.remoteCertificate == Identities.alice.der)
    }

    @Test func bothKnowWhatWasOffered() {
        var client = DTLSConfiguration()
        client.srtpProfiles = [.aesCM128Tag80, .aeadAES128GCM]
        let link = Link(client: client)
        #expect(link.server.association.profilesOffered == nil)
        link.start()
        link.run(until: at(5000))
        #expect(link.bothConnected)
        for side in [link.client, link.server] {
            #expect(side.association.profilesOffered == ["AES_CM_128_HMAC_SHA1_80", "AEAD_AES_128_GCM"])
        }
    }
}
