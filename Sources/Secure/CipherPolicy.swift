import COpenSSL

/// What a list of cipher suites must not hold, whatever its text says (RFC 7525 §4.1, RFC 9325 §4.1).
public enum CipherPolicy {
    /// Why a list in OpenSSL's words cannot be used for DTLS 1.2; nil when it can. Suites without authentication or encryption are refused however
    /// they got into the list, and so is what would lower the library's own bar.
    public static func refusal(of list: String) -> String? {
        guard !list.isEmpty, list.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else { return "not a list of cipher suites" }
        if list.contains("@") { return "@ is not allowed: it would change the library's security level" }
        ERR_clear_error()
        defer { ERR_clear_error() }
        guard let context = SSL_CTX_new(DTLS_method()) else { return "the library cannot check it" }
        defer { SSL_CTX_free(context) }
        // All that the words mean is to be seen, not only what the present level lets through.
        SSL_CTX_set_security_level(context, 0)
        guard SSL_CTX_set_cipher_list(context, list) == 1, let ciphers = SSL_CTX_get_ciphers(context) else { return "no such cipher suite" }
        var usable = false
        for index in 0..<ossl_ciphers_count(ciphers) {
            guard let cipher = ossl_ciphers_at(ciphers, index) else { continue }
            let name = SSL_CIPHER_get_name(cipher).map { String(cString: $0) } ?? "?"
            if SSL_CIPHER_get_auth_nid(cipher) == NID_auth_null { return "\(name) has no authentication" }
            if SSL_CIPHER_get_cipher_nid(cipher) == NID_undef { return "\(name) has no encryption" }
            if isForbidden(cipher) { return "\(name) is broken" }
            // TLS 1.3's own stand in every list and do not belong to DTLS 1.2.
            if SSL_CIPHER_get_auth_nid(cipher) != NID_auth_any { usable = true }
        }
        return usable ? nil : "no such cipher suite"
    }

    /// Sets the suites of a context and looks at what the list came to.
    static func apply(_ list: String, to context: OpaquePointer) throws(DTLSFailure) {
        ERR_clear_error()
        guard SSL_CTX_set_cipher_list(context, list) == 1 else { throw .library(reason: libraryReason()) }
        var refused: [String] = []
        for index in 0..<ossl_ctx_cipher_count(context) {
            guard let cipher = ossl_ctx_cipher(context, index), isForbidden(cipher) else { continue }
            refused.append(SSL_CIPHER_get_name(cipher).map { String(cString: $0) } ?? "?")
        }
        if !refused.isEmpty { throw .ciphersRefused(refused) }
    }

    private static func isForbidden(_ cipher: OpaquePointer) -> Bool {
        var algorithmBits: Int32 = 0
        // Export suites and DES have fewer than 128 bits; so has 3DES in truth (112), and "none" has 0.
        let strength = SSL_CIPHER_get_bits(cipher, &algorithmBits)
        return SSL_CIPHER_get_auth_nid(cipher) == NID_auth_null || strength < 128 || broken.contains(SSL_CIPHER_get_cipher_nid(cipher))
            || SSL_CIPHER_get_digest_nid(cipher) == NID_md5
    }

    private static let broken: Set<Int32> = [
        NID_undef, NID_rc4, NID_rc4_40, NID_rc4_hmac_md5, NID_rc2_cbc, NID_rc2_40_cbc, NID_des_cbc, NID_des_ede3_cbc, NID_idea_cbc,
    ]
}

extension DTLSConfiguration {
    /// Whether an association can start with this: asked when the configuration is read, so that a person hears of it then.
    /// - Throws: `.ciphersRefused`, or `.library` for a list, groups or a trust file that cannot be used.
    public func validate() throws(DTLSFailure) {
        _ = try CertificateAuthority(verification)
        ERR_clear_error()
        guard let context = SSL_CTX_new(DTLS_method()) else { throw .library(reason: libraryReason()) }
        defer { SSL_CTX_free(context) }
        try CipherPolicy.apply(cipherList, to: context)
        guard ossl_ctx_set_groups(context, groups) == 1 else { throw .library(reason: libraryReason()) }
    }
}
