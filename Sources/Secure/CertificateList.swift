import COpenSSL

/// Certificates without keys: those whom we trust, or those between ours and a root. Immutable; the library counts references atomically.
public final class CertificateList: @unchecked Sendable {
    let certificates: [OpaquePointer]

    /// At most this many are read of one text.
    static let maximum = 1024

    /// Every certificate of a PEM text; other blocks between them (keys, comments) are passed over.
    /// - Throws: `IdentityError.noCertificate` when there is none, `.library` when one cannot be read.
    public convenience init(pem: [UInt8]) throws(IdentityError) { try self.init(pem: pem, skipping: 0, mayBeEmpty: false) }

    init(pem: [UInt8], skipping: Int, mayBeEmpty: Bool) throws(IdentityError) {
        ERR_clear_error()
        var found: [OpaquePointer] = []
        let reason = pem.withUnsafeBytes { bytes -> Int32? in
            guard let count = Int32(exactly: bytes.count), let bio = BIO_new_mem_buf(bytes.baseAddress, count) else { return nil }
            defer { BIO_free(bio) }
            while found.count < Self.maximum, let certificate = PEM_read_bio_X509(bio, nil, nil, nil) { found.append(certificate) }
            return Int32(truncatingIfNeeded: ERR_GET_REASON(ERR_peek_last_error()))
        }
        let text = libraryReason()
        for certificate in found.prefix(skipping) { X509_free(certificate) }
        certificates = Array(found.dropFirst(skipping))
        // The end of the text is an error of the library too.
        if reason != PEM_R_NO_START_LINE, found.count < Self.maximum {
            throw found.isEmpty && reason == nil ? .noCertificate : .library(reason: text)
        }
        if certificates.isEmpty, !mayBeEmpty { throw .noCertificate }
    }

    deinit { for certificate in certificates { X509_free(certificate) } }

    public var count: Int { certificates.count }
}

/// Our certificate for TLS, its key, and the certificates between it and a root.
public struct TLSIdentity: Sendable {
    public let identity: CertificateIdentity
    let chain: CertificateList

    /// - Parameters: certificatePEM: our certificate first, then those of the CAs between; keyPEM: its private key, without passphrase.
    public init(certificatePEM: [UInt8], keyPEM: [UInt8]) throws(IdentityError) {
        identity = try CertificateIdentity(certificatePEM: certificatePEM, keyPEM: keyPEM)
        chain = try CertificateList(pem: certificatePEM, skipping: 1, mayBeEmpty: true)
    }

    /// A certificate without a chain.
    public init(_ identity: CertificateIdentity) throws(IdentityError) {
        self.identity = identity
        chain = try CertificateList(pem: [], skipping: 0, mayBeEmpty: true)
    }
}
