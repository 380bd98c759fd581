import COpenSSL
import Core

/// After the handshake: verification (RFC 5763 §5, RFC 8122 §6.2), key export (RFC 5764 §4.2), late records and the end.
extension DTLSAssociation {
    /// The gate: only from here on is there a key.
    func verify(_ certificate: [UInt8], at now: Instant) {
        guard let expected else { return }
        switch CertificateFingerprint.match(certificate: certificate, signalled: expected.fingerprints, policy: expected.policy) {
        case .match(let fingerprint):
            if let ssl, case .success(let context) = context, let refusal = context.refusal(of: ssl) {
                sayGoodbye(at: now)
                fail(refusal, at: now)
                return
            }
            guard let profile = selectedProfile, let keys = exportKeys(profile) else {
                fail(.library(reason: libraryReason()), at: now)
                return
            }
            let negotiated = DTLSNegotiated(
                tlsVersion: hexadecimalVersion, dtlsCipher: cipherName, srtpProfile: profile, remoteFingerprint: fingerprint,
                remoteCertificate: certificate, keys: keys)
            machine = .connected(negotiated)
            outputs.append(.stateChanged(.connected))
        case .mismatch(let presented):
            sayGoodbye(at: now)
            fail(.fingerprintMismatch(presented: presented), at: now)
        case .nothingUsable:
            sayGoodbye(at: now)
            fail(.noUsableFingerprint, at: now)
        }
    }

    /// client key | server key | client salt | server salt.
    private func exportKeys(_ profile: SRTPProfile) -> SRTPKeyPair? {
        let (key, salt) = (profile.keyLength, profile.saltLength)
        var material = [UInt8](repeating: 0, count: 2 * (key + salt))
        let label = "EXTRACTOR-dtls_srtp"
        ERR_clear_error()
        guard SSL_export_keying_material(ssl, &material, material.count, label, label.utf8.count, nil, 0, 0) == 1 else { return nil }
        let client = SRTPMasterKey(key: Array(material[..<key]), salt: Array(material[(2 * key)..<(2 * key + salt)]))
        let server = SRTPMasterKey(key: Array(material[key..<(2 * key)]), salt: Array(material[(2 * key + salt)...]))
        material.withUnsafeMutableBytes { OPENSSL_cleanse($0.baseAddress, $0.count) }
        return role == .client
            ? SRTPKeyPair(profile: profile, local: client, remote: server) : SRTPKeyPair(profile: profile, local: server, remote: client)
    }

    private var hexadecimalVersion: String {
        let version = UInt16(truncatingIfNeeded: SSL_version(ssl))
        return String(version, radix: 16, uppercase: true)
    }

    private var cipherName: String {
        guard let cipher = SSL_get_current_cipher(ssl), let name = SSL_CIPHER_standard_name(cipher) else { return "" }
        return String(cString: name)
    }

    /// Only records of the encrypted epoch come near the session: a second ClientHello, alerts and ChangeCipherSpec in clear are dropped.
    /// The peer's repeated last flight makes the library repeat ours.
    func receiveEstablished(_ datagram: RawSpan, at now: Instant) {
        filter.records(of: datagram, established: true, overhead: encryptionOverhead) { verdict, record in
            if verdict == .pass { queue.inbound.append(record) } else { counters.recordsDropped &+= 1 }
        }
        if !queue.inbound.isEmpty { readEstablished(at: now) }
    }

    /// The bytes that the suite adds to a record at least; nil while there is no suite. AEAD suites add an explicit nonce and a tag (RFC 5288 §3,
    /// RFC 6655 §3, RFC 7905 §2). CBC suites add a block for the IV and have at least the MAC and a byte of content and of padding in the others.
    var encryptionOverhead: Int? {
        guard let ssl, let cipher = SSL_get_pending_cipher(ssl) ?? SSL_get_current_cipher(ssl) else { return nil }
        guard SSL_CIPHER_is_aead(cipher) == 1 else {
            let mac =
                switch SSL_CIPHER_get_digest_nid(cipher) {
                case NID_sha384: 48
                case NID_sha256: 32
                default: 20
                }
            return 16 + (mac + 2 + 15) / 16 * 16
        }
        let name = SSL_CIPHER_get_name(cipher).map { String(cString: $0) } ?? ""
        return SSL_CIPHER_get_cipher_nid(cipher) == NID_chacha20_poly1305 || name.hasSuffix("CCM8") ? 16 : 24
    }

    func readEstablished(at now: Instant) {
        defer { queue.inbound = [] }
        var application = [UInt8](repeating: 0, count: 2048)
        // Bounded: a record is at most 16 KiB, read in pieces of 2 KiB and thrown away (there are no data channels here).
        for _ in 0..<(16 * (queue.inbound.count + 1)) {
            guard ssl != nil else { return }
            prepare(at: now)
            let result = SSL_read(ssl, &application, Int32(application.count))
            if result > 0 { continue }
            let error = SSL_get_error(ssl, result)
            if error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE {
                if queue.inbound.isEmpty { break }
                continue
            }
            // Only an authenticated close_notify or fatal alert sets this.
            if SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN != 0 {
                peerEnded(byNotice: error == SSL_ERROR_ZERO_RETURN, at: now)
                return
            }
            counters.recordsRefused &+= 1
            break
        }
        drain()
    }

    private func peerEnded(byNotice: Bool, at now: Instant) {
        if byNotice {
            sayGoodbye(at: now)
            finish(.closed)
        } else {
            let reason = Int32(truncatingIfNeeded: ERR_GET_REASON(ERR_peek_last_error()))
            drain()
            fail(.alert(UInt8(exactly: reason - SSL_AD_REASON_OFFSET) ?? 80), at: now)
        }
    }

    /// close_notify, when the session can still say it.
    func sayGoodbye(at now: Instant) {
        guard let ssl, SSL_is_init_finished(ssl) == 1 else { return }
        prepare(at: now)
        _ = SSL_shutdown(ssl)
        drain()
    }
}
