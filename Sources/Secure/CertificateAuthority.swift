import COpenSSL

/// Those whose signature counts, and the time by which certificates must be valid: the chain check of `DTLSVerification.ca`.
final class CertificateAuthority {
    /// At most this many certificates are read of one text.
    static let maximum = 1024

    private let store: OpaquePointer
    private let unixTime: Int64

    /// Nil when the fingerprint alone decides.
    /// - Throws: `.library` when the trust cannot be read or is empty.
    init?(_ verification: DTLSVerification) throws(DTLSFailure) {
        guard case .ca(let trust, let unixTime) = verification else { return nil }
        ERR_clear_error()
        guard let store = X509_STORE_new() else { throw .library(reason: libraryReason()) }
        let isReady =
            switch trust {
            case .system: X509_STORE_set_default_paths(store) == 1
            case .authorities(let pem): Self.add(pem, to: store)
            }
        guard isReady else {
            X509_STORE_free(store)
            throw .library(reason: "no certificate to trust can be read")
        }
        // The end of a text and an absent store leave errors behind.
        ERR_clear_error()
        self.store = store
        self.unixTime = unixTime
    }

    deinit { X509_STORE_free(store) }

    private static func add(_ pem: [UInt8], to store: OpaquePointer) -> Bool {
        var count = 0
        return pem.withUnsafeBytes { bytes in
            guard let length = Int32(exactly: bytes.count), let bio = BIO_new_mem_buf(bytes.baseAddress, length) else { return false }
            defer { BIO_free(bio) }
            while count < maximum, let certificate = PEM_read_bio_X509(bio, nil, nil, nil) {
                let added = X509_STORE_add_cert(store, certificate)
                X509_free(certificate)
                guard added == 1 else { return false }
                count += 1
            }
            return count > 0
        }
    }

    /// The library's words why nobody trusted is behind a certificate; nil when somebody is. No name is compared: the signalling names the peer
    /// and vouches for the certificate by its fingerprint.
    func refusal(of certificate: OpaquePointer?, chain: OpaquePointer?) -> String? {
        defer { ERR_clear_error() }
        guard let certificate else { return "no certificate" }
        guard let check = X509_STORE_CTX_new() else { return libraryReason() }
        defer { X509_STORE_CTX_free(check) }
        guard X509_STORE_CTX_init(check, store, certificate, chain) == 1, let parameters = X509_STORE_CTX_get0_param(check) else {
            return libraryReason()
        }
        // Whom a person names is trusted, root or not.
        X509_VERIFY_PARAM_set_flags(parameters, UInt(X509_V_FLAG_PARTIAL_CHAIN))
        X509_VERIFY_PARAM_set_time(parameters, time_t(clamping: unixTime))
        if X509_verify_cert(check) == 1 { return nil }
        let code = X509_STORE_CTX_get_error(check)
        return X509_verify_cert_error_string(Int(code)).map { String(cString: $0) } ?? "error \(code)"
    }
}
