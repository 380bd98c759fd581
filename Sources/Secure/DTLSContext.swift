import COpenSSL

/// Owns an `SSL_CTX`: what one association allows.
final class DTLSContext {
    private let context: OpaquePointer

    init(role: DTLSRole, identity: CertificateIdentity, configuration: DTLSConfiguration) throws(DTLSFailure) {
        ERR_clear_error()
        guard let context = SSL_CTX_new(DTLS_method()) else { throw .library(reason: libraryReason()) }
        guard Self.prepare(context, role: role, identity: identity, configuration: configuration) else {
            SSL_CTX_free(context)
            throw .library(reason: libraryReason())
        }
        self.context = context
    }

    deinit { SSL_CTX_free(context) }

    private static func prepare(_ c: OpaquePointer, role: DTLSRole, identity: CertificateIdentity, configuration: DTLSConfiguration) -> Bool {
        let profiles = configuration.srtpProfiles ?? (role == .client ? SRTPProfile.dtlsOffered : SRTPProfile.dtlsAccepted)
        let names = profiles.compactMap(\.opensslName).joined(separator: ":")
        guard ossl_ctx_set_min_version(c, DTLS1_2_VERSION) == 1, ossl_ctx_set_max_version(c, DTLS1_2_VERSION) == 1,
            SSL_CTX_set_cipher_list(c, configuration.cipherList) == 1,
            ossl_ctx_set_groups(c, configuration.groups) == 1,
            SSL_CTX_use_certificate(c, identity.certificate) == 1,
            SSL_CTX_use_PrivateKey(c, identity.key) == 1,
            SSL_CTX_set_tlsext_use_srtp(c, names) == 0  // this one returns 0 on success
        else { return false }
        ossl_ctx_no_query_mtu(c)
        ossl_ctx_no_renegotiation(c)
        ossl_ctx_no_session_reuse(c)
        ossl_ctx_set_max_cert_list(c, DTLSRecordFilter.maximumMessage)
        // Certificates are signed by themselves: any is let through here, and the fingerprint decides before a key is used (RFC 5763 §5).
        SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
        SSL_CTX_set_cert_verify_callback(c, { _, _ in 1 }, nil)
        if configuration.keyLog {
            SSL_CTX_set_keylog_callback(c) { ssl, line in
                guard let line else { return }
                DatagramQueue.of(ssl: ssl)?.keyLog.append(String(cString: line))
            }
        }
        return true
    }

    /// A fresh `SSL` that reads and writes `queue`; owned by the caller.
    func makeSSL(role: DTLSRole, queue: DatagramQueue) -> OpaquePointer? {
        guard let ssl = SSL_new(context) else { return nil }
        guard let bio = queue.makeBIO() else {
            SSL_free(ssl)
            return nil
        }
        SSL_set_bio(ssl, bio, bio)
        ossl_set_mtu(ssl, queue.mtu)
        DTLS_set_timer_cb(ssl) { ssl, current in DatagramQueue.of(ssl: ssl)?.nextTimeout(after: current) ?? 1_000_000 }
        if role == .client { SSL_set_connect_state(ssl) } else { SSL_set_accept_state(ssl) }
        return ssl
    }
}
