import COpenSSL
import Core

/// Owns an `SSL_CTX`: what one association allows.
final class DTLSContext {
    private let context: OpaquePointer
    /// Nil: the fingerprint alone decides.
    private let authority: CertificateAuthority?

    init(role: DTLSRole, identity: CertificateIdentity, configuration: DTLSConfiguration) throws(DTLSFailure) {
        ERR_clear_error()
        authority = try CertificateAuthority(configuration.verification)
        guard let context = SSL_CTX_new(DTLS_method()) else { throw .library(reason: libraryReason()) }
        do throws(DTLSFailure) {
            try CipherPolicy.apply(configuration.cipherList, to: context)
        } catch {
            SSL_CTX_free(context)
            throw error
        }
        guard Self.prepare(context, role: role, identity: identity, configuration: configuration) else {
            SSL_CTX_free(context)
            throw .library(reason: libraryReason())
        }
        self.context = context
    }

    /// Why the chain behind the peer's certificate does not count; nil when it does, or need not.
    func refusal(of ssl: OpaquePointer) -> DTLSFailure? {
        authority?.refusal(of: SSL_get0_peer_certificate(ssl), chain: SSL_get_peer_cert_chain(ssl)).map { .untrustedCertificate(reason: $0) }
    }

    deinit { SSL_CTX_free(context) }

    private static func prepare(_ c: OpaquePointer, role: DTLSRole, identity: CertificateIdentity, configuration: DTLSConfiguration) -> Bool {
        let profiles = configuration.srtpProfiles ?? (role == .client ? SRTPProfile.dtlsOffered : SRTPProfile.dtlsAccepted)
        let names = profiles.compactMap(\.opensslName).joined(separator: ":")
        guard ossl_ctx_set_min_version(c, DTLS1_2_VERSION) == 1, ossl_ctx_set_max_version(c, DTLS1_2_VERSION) == 1,
            ossl_ctx_set_groups(c, configuration.groups) == 1,
            SSL_CTX_use_certificate(c, identity.certificate) == 1,
            SSL_CTX_use_PrivateKey(c, identity.key) == 1,
            SSL_CTX_set_tlsext_use_srtp(c, names) == 0  // this one returns 0 on success
        else { return false }
        ossl_ctx_no_query_mtu(c)
        ossl_ctx_no_renegotiation(c)
        // With it the library ends a session by one forged record of a CBC suite; without it such a record is dropped.
        ossl_ctx_no_encrypt_then_mac(c)
        ossl_ctx_no_session_reuse(c)
        ossl_ctx_set_max_cert_list(c, DTLSRecordFilter.maximumMessage)
        // Certificates are signed by themselves: any is let through here, and the fingerprint (and, when asked for, the chain) decides before a
        // key is used (RFC 5763 §5).
        SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
        SSL_CTX_set_cert_verify_callback(c, { _, _ in 1 }, nil)
        if role == .server {
            SSL_CTX_set_client_hello_cb(
                c,
                { ssl, _, _ in
                    DatagramQueue.of(ssl: ssl)?.offeredProfiles = DTLSContext.offeredProfiles(ssl)
                    return SSL_CLIENT_HELLO_SUCCESS
                }, nil)
        }
        if configuration.keyLog {
            SSL_CTX_set_keylog_callback(c) { ssl, line in
                guard let line else { return }
                DatagramQueue.of(ssl: ssl)?.keyLog.append(String(cString: line))
            }
        }
        return true
    }

    /// The use_srtp extension of the ClientHello at hand (RFC 5764 §4.1.1).
    private static func offeredProfiles(_ ssl: OpaquePointer?) -> [UInt16] {
        var start: UnsafePointer<UInt8>?
        var length = 0
        guard let ssl, SSL_client_hello_get0_ext(ssl, UInt32(TLSEXT_TYPE_use_srtp), &start, &length) == 1, let start else { return [] }
        let bytes = UnsafeRawBufferPointer(start: start, count: length).bytes
        guard let size = bytes.u16(at: 0) else { return [] }
        return stride(from: 2, to: 2 + min(Int(size), 64), by: 2).compactMap { bytes.u16(at: $0) }
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
