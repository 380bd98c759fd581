import COpenSSL

/// What connections of one side allow. Immutable and safe to share between threads.
public struct TLSConfiguration: Sendable {
    /// Whose signature counts.
    public enum Trust: Sendable {
        /// The system's store.
        case system
        case authorities(CertificateList)
    }

    public var trust: Trust
    /// A server's certificate; for a client the one to show when the server asks.
    public var identity: TLSIdentity?
    /// OpenSSL's names for TLS 1.2 suites: ephemeral ECDH with AEAD. Those of TLS 1.3 are all of that kind.
    public var cipherList =
        "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
        + "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
    public var groups = "X25519:P-256:P-384"
    /// When true, connections also give lines of the NSS key log format.
    public var keyLog = false

    public init(trust: Trust = .system, identity: TLSIdentity? = nil) {
        self.trust = trust
        self.identity = identity
    }
}

/// Owns an `SSL_CTX`. Reading the system's store takes some milliseconds: made once, when it is first needed.
public final class TLSContext: @unchecked Sendable {
    public enum Role: Sendable { case client, server }

    public let role: Role
    private let context: OpaquePointer

    /// - Throws: `.library` when the configuration cannot be met; a server needs an identity.
    public init(role: Role, configuration: TLSConfiguration) throws(TLSFailure) {
        ERR_clear_error()
        if role == .server, configuration.identity == nil { throw .library(reason: "a server needs a certificate") }
        guard let context = SSL_CTX_new(role == .client ? TLS_client_method() : TLS_server_method()) else { throw .library(reason: libraryReason()) }
        guard Self.prepare(context, role: role, configuration: configuration) else {
            SSL_CTX_free(context)
            throw .library(reason: libraryReason())
        }
        // A system without a store leaves an error behind and trusts nobody.
        ERR_clear_error()
        self.context = context
        self.role = role
    }

    deinit { SSL_CTX_free(context) }

    private static func prepare(_ c: OpaquePointer, role: Role, configuration: TLSConfiguration) -> Bool {
        guard ossl_ctx_set_min_version(c, TLS1_2_VERSION) == 1, ossl_ctx_set_max_version(c, TLS1_3_VERSION) == 1,
            SSL_CTX_set_cipher_list(c, configuration.cipherList) == 1, ossl_ctx_set_groups(c, configuration.groups) == 1
        else { return false }
        ossl_ctx_no_renegotiation(c)
        ossl_ctx_no_session_reuse(c)
        if role == .server { SSL_CTX_set_num_tickets(c, 0) }
        ossl_ctx_set_max_cert_list(c, 65_536)
        if let own = configuration.identity {
            guard SSL_CTX_use_certificate(c, own.identity.certificate) == 1, SSL_CTX_use_PrivateKey(c, own.identity.key) == 1 else { return false }
            for certificate in own.chain.certificates where ossl_ctx_add1_chain_certificate(c, certificate) != 1 { return false }
        }
        if role == .client {
            guard trust(c, configuration.trust) else { return false }
            SSL_CTX_set_verify(c, SSL_VERIFY_PEER, nil)
            SSL_CTX_set_cert_verify_callback(
                c,
                { store, _ in
                    guard let store, let raw = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()),
                        let connection = TLSConnection.of(ssl: OpaquePointer(raw))
                    else { return 0 }
                    return connection.verify(store) ? 1 : 0
                }, nil)
        }
        if configuration.keyLog {
            SSL_CTX_set_keylog_callback(c) { ssl, line in
                guard let line else { return }
                TLSConnection.of(ssl: ssl)?.keyLog(String(cString: line))
            }
        }
        return true
    }

    private static func trust(_ c: OpaquePointer, _ trust: TLSConfiguration.Trust) -> Bool {
        switch trust {
        case .system:
            // Without a store nobody is trusted: each connection then says "unknown CA".
            _ = SSL_CTX_set_default_verify_paths(c)
            return true
        case .authorities(let list):
            guard let store = SSL_CTX_get_cert_store(c) else { return false }
            for certificate in list.certificates where X509_STORE_add_cert(store, certificate) != 1 { return false }
            // Whom a person names is trusted, root or not.
            X509_VERIFY_PARAM_set_flags(X509_STORE_get0_param(store), UInt(X509_V_FLAG_PARTIAL_CHAIN))
            return true
        }
    }

    /// A fresh `SSL` over two memory BIOs; owned by the caller.
    func makeSSL(name: TLSPeerName?, unixTime: Int64) -> (ssl: OpaquePointer, inbound: OpaquePointer, outbound: OpaquePointer)? {
        ERR_clear_error()
        guard let ssl = SSL_new(context) else { return nil }
        guard let inbound = BIO_new(BIO_s_mem()), let outbound = BIO_new(BIO_s_mem()) else {
            SSL_free(ssl)
            return nil
        }
        SSL_set_bio(ssl, inbound, outbound)
        X509_VERIFY_PARAM_set_time(SSL_get0_param(ssl), time_t(clamping: unixTime))
        if role == .client {
            if let server = name?.serverName, ossl_set_tlsext_host_name(ssl, server) != 1 {
                SSL_free(ssl)
                return nil
            }
            SSL_set_connect_state(ssl)
        } else {
            SSL_set_accept_state(ssl)
        }
        return (ssl, inbound, outbound)
    }
}
