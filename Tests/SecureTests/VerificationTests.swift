import Core
import Secure
import Testing

/// Row 1: what is verified, and what a cipher list may say.
@Suite struct VerificationTests {
    /// A certificate of this CA, and another one of nobody.
    static let authority = """
        -----BEGIN CERTIFICATE-----
        MIIBijCCATGgAwIBAgIUeLbZ48a2uAGQzNM1APIgsOB/VpUwCgYIKoZIzj0EAwIw
        EjEQMA4GA1UEAwwHVGVzdCBDQTAgFw0yNjExMjUyMjMyNThaGA8yMTI2MTEwMTIy
        MzI1OFowEjEQMA4GA1UEAwwHVGVzdCBDQTBZMBMGByqGSM49AgEGCCqGSM49AwEH
        A0IABBO3wOavLoJb487f8hxgIRAG1IoYlNtjGqCJAOey6UMtZGNPBx1Z3Jl3Aje2
        yFgY9OOpgAM6v7P3OQNkVEF2evCjYzBhMB0GA1UdDgQWBBSYwUGH5TycPugLdhiK
        Lvy17ifTnjAfBgNVHSMEGDAWgBSYwUGH5TycPugLdhiKLvy17ifTnjAPBgNVHRMB
        Af8EBTADAQH/MA4GA1UdDwEB/wQEAwICBDAKBggqhkjOPQQDAgNHADBEAiBnkXwt
        96aukOdb7Z+bzY66hMJ7moLLC9dRNMeUbT7YZQIgHByqpHEWmqC4gis+w8nhPpsm
        2+aboqyAUipTHlNAD5o=
        -----END CERTIFICATE-----

        """
    static let leaf = """
        -----BEGIN CERTIFICATE-----
        MIIBCzCBsgIBBzAKBggqhkjOPQQDAjASMRAwDgYDVQQDDAdUZXN0IENBMCAXDTI2
        MTEyNTIyMzI1OFoYDzIxMjYxMTAxMjIzMjU4WjAQMQ4wDAYDVQQDDAVwaG9uZTBZ
        MBMGByqGSM49AgEGCCqGSM49AwEHA0IABPakGgcJcVSaDiVkeKinRPRTGf3aD1hw
        g43GPltFgxIPTw1OcSX7bEHPUVBUX7U2QRBsObOgEqWlIXv3TzY1+t4wCgYIKoZI
        zj0EAwIDSAAwRQIgXM31c3pb8aufHH4g8mnLNklcb1aWGA6sdZ1OD4bYPe4CIQDF
        naXNzdj6Yogf5OGKVK8Ganxh0/17gvqkWhuW4qTy9Q==
        -----END CERTIFICATE-----
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgiMFrWDI2AWiu0cgc
        XlCWqqIDhyR/32WgFN4qgfFaCPWhRANCAAT2pBoHCXFUmg4lZHiop0T0Uxn92g9Y
        cIONxj5bRYMSD08NTnEl+2xBz1FQVF+1NkEQbDmzoBKlpSF79082Nfre
        -----END PRIVATE KEY-----

        """
    static let issued: CertificateIdentity? = try? CertificateIdentity(pem: Array(leaf.utf8))
    /// A time at which it is valid.
    static let now: Int64 = 1_800_000_000

    func configuration(_ trust: CertificateTrust, unixTime: Int64 = now) -> DTLSConfiguration {
        var configuration = DTLSConfiguration()
        configuration.verification = .ca(trust, unixTime: unixTime)
        return configuration
    }

    /// One side asks for a chain; the other has this certificate and asks for the fingerprint only.
    func connect(_ role: DTLSRole, _ configuration: DTLSConfiguration, peer: CertificateIdentity, expecting: CertificateIdentity? = nil) -> (
        Side, Side
    ) {
        let strict = Side(role, Identities.alice, configuration)
        let other = Side(role == .client ? .server : .client, peer)
        strict.association.expect(fingerprints: (expecting ?? peer).fingerprints, at: .zero)
        other.association.expect(fingerprints: Identities.alice.fingerprints, at: .zero)
        strict.association.start(at: .zero)
        other.association.start(at: .zero)
        for _ in 0..<6 {
            for datagram in strict.drain(at: .zero) { other.association.receive(datagram.span.bytes, at: .zero) }
            for datagram in other.drain(at: .zero) { strict.association.receive(datagram.span.bytes, at: .zero) }
        }
        return (strict, other)
    }

    @Test(arguments: [DTLSRole.client, .server]) func row1AChainToTheAuthority(role: DTLSRole) throws {
        let issued = try #require(VerificationTests.issued)
        let trust = CertificateTrust.authorities(pem: Array(VerificationTests.authority.utf8))
        let (strict, other) = connect(role, configuration(trust), peer: issued)
        #expect(strict.association.state == .connected && other.association.state == .connected)
        #expect(strict.association.negotiated?.remoteCertificate == issued.der)
    }

    @Test(arguments: [DTLSRole.client, .server]) func row1SelfSignedDoesUnderFingerprintOnly(role: DTLSRole) {
        let (open, _) = connect(role, DTLSConfiguration(), peer: Identities.bob)
        #expect(open.association.state == .connected)
        let trust = CertificateTrust.authorities(pem: Array(VerificationTests.authority.utf8))
        let (strict, _) = connect(role, configuration(trust), peer: Identities.bob)
        #expect(strict.failure == .untrustedCertificate(reason: "self-signed certificate") && strict.association.negotiated == nil)
    }

    /// The chain does not replace the fingerprint, and says nothing before it.
    @Test(arguments: [DTLSRole.client, .server]) func row1TheFingerprintIsNeeded(role: DTLSRole) throws {
        let issued = try #require(VerificationTests.issued)
        let trust = CertificateTrust.authorities(pem: Array(VerificationTests.authority.utf8))
        let (strict, _) = connect(role, configuration(trust), peer: issued, expecting: Identities.bob)
        #expect(strict.failure == .fingerprintMismatch(presented: issued.fingerprint(.sha512)) && strict.association.negotiated == nil)
        let silent = Side(role, Identities.alice, configuration(trust))
        let other = Side(role == .client ? .server : .client, issued)
        for side in [silent, other] { side.association.start(at: .zero) }
        for _ in 0..<6 {
            for datagram in silent.drain(at: .zero) { other.association.receive(datagram.span.bytes, at: .zero) }
            for datagram in other.drain(at: .zero) { silent.association.receive(datagram.span.bytes, at: .zero) }
        }
        // Nothing was signalled yet: no keys, however good the chain is.
        #expect(silent.association.state == .connecting && silent.association.negotiated == nil)
        silent.association.expect(fingerprints: issued.fingerprints, at: at(1))
        #expect(silent.association.state == .connected)
    }

    @Test func row1ExpiredOrUnknown() throws {
        let issued = try #require(VerificationTests.issued)
        let trust = CertificateTrust.authorities(pem: Array(VerificationTests.authority.utf8))
        let (late, _) = connect(.client, configuration(trust, unixTime: 6_000_000_000), peer: issued)
        #expect(late.failure == .untrustedCertificate(reason: "certificate has expired"))
        let (early, _) = connect(.client, configuration(trust, unixTime: 1_000_000_000), peer: issued)
        #expect(early.failure == .untrustedCertificate(reason: "certificate is not yet valid"))
        let stranger = CertificateTrust.authorities(pem: Identities.mallory.pem)
        let (unknown, _) = connect(.client, configuration(stranger), peer: issued)
        #expect(unknown.failure == .untrustedCertificate(reason: "unable to get local issuer certificate"))
        // Trusting that very certificate is enough, root or not.
        let (named, _) = connect(.client, configuration(.authorities(pem: issued.pem)), peer: issued)
        #expect(named.association.state == .connected)
    }

    @Test(arguments: ["", "nothing", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]) func row1AnUnreadableTrustStopsAtOnce(
        pem: String
    ) {
        let configuration = configuration(.authorities(pem: Array(pem.utf8)))
        #expect(throws: DTLSFailure.library(reason: "no certificate to trust can be read")) { try configuration.validate() }
        let side = Side(.client, Identities.alice, configuration)
        side.association.start(at: .zero)
        #expect(side.drain(at: .zero).isEmpty && side.association.state == .failed)
    }

    // MARK: suites

    static let forbidden = [
        "aNULL", "eNULL", "ADH-AES256-GCM-SHA384", "AECDH-AES128-SHA", "NULL-MD5", "ECDHE-ECDSA-NULL-SHA", "HIGH:NULL-SHA256",
        "ECDHE-ECDSA-AES128-GCM-SHA256:AECDH-NULL-SHA", "ALL:COMPLEMENTOFALL:@SECLEVEL=0", "aNULL:@SECLEVEL=0", "PSK-NULL-SHA256",
    ]

    @Test(arguments: forbidden) func row1SuitesThatProtectNothingAreRefused(list: String) {
        var configuration = DTLSConfiguration()
        configuration.cipherList = list
        var names: [String] = []
        do {
            try configuration.validate()
        } catch {
            if case .ciphersRefused(let refused) = error { names = refused }
        }
        #expect(!names.isEmpty && names.allSatisfy { $0.contains("NULL") || $0.hasPrefix("ADH") || $0.hasPrefix("AECDH") })
        for role in [DTLSRole.client, .server] {
            let side = Side(role, Identities.alice, configuration)
            side.association.start(at: .zero)
            #expect(side.drain(at: .zero).isEmpty)
            #expect(side.failure == .ciphersRefused(names) && side.states == [.connecting, .failed])
        }
    }

    @Test(arguments: ["nothing", "RC4-SHA", "DES-CBC-SHA", "EXP-RC4-MD5"]) func row1ListsThatComeToNothing(list: String) {
        var configuration = DTLSConfiguration()
        configuration.cipherList = list
        #expect(throws: DTLSFailure.library(reason: "no cipher match")) { try configuration.validate() }
    }

    @Test(arguments: ["ECDHE-ECDSA-CHACHA20-POLY1305", "HIGH:!aNULL:!eNULL", "ECDHE+AESGCM", "DEFAULT"]) func row1OtherListsWork(list: String) throws
    {
        var configuration = DTLSConfiguration()
        configuration.cipherList = list
        try configuration.validate()
        let link = Link(client: configuration)
        link.start()
        link.run(until: at(1000))
        #expect(link.keysAgree)
    }

    @Test func row1TheDefaultsAreValid() throws {
        try DTLSConfiguration().validate()
        try configuration(.system).validate()
        var groups = DTLSConfiguration()
        groups.groups = "no-such-group"
        #expect(throws: DTLSFailure.self) { try groups.validate() }
    }
}
