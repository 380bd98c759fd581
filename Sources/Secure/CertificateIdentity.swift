import COpenSSL
import Core
import Digest

/// Why a certificate could not be made or read.
public enum IdentityError: Error, Sendable, Equatable {
    case noCertificate
    /// No private key in the PEM text, or one that is locked with a passphrase.
    case noKey
    /// The key is not that of the certificate.
    case keyMismatch
    case library(reason: String)
}

/// A certificate and its private key. Immutable after its making, and the library counts references atomically: safe to share between threads.
public final class CertificateIdentity: @unchecked Sendable {
    let key: OpaquePointer
    let certificate: OpaquePointer
    /// The certificate in DER form.
    public let der: [UInt8]

    private init(owningKey key: OpaquePointer, certificate: OpaquePointer) {
        self.key = key
        self.certificate = certificate
        der = derBytes(of: certificate)
    }

    deinit {
        EVP_PKEY_free(key)
        X509_free(certificate)
    }

    /// A fresh ECDSA P-256 key with a certificate signed by itself (RFC 8827 §6.5), valid from one day ago for a year from now.
    /// The names in it are random: they tell nothing about the user.
    /// - Parameters: unixTime: seconds since 1970, the wall clock; servers: whom it names beside that, for a server that people connect to.
    public static func selfSigned(unixTime: Int64, servers: [TLSServerName] = []) throws(IdentityError) -> CertificateIdentity {
        ERR_clear_error()
        guard let key = ossl_p256() else { throw .library(reason: libraryReason()) }
        guard let certificate = X509_new() else {
            EVP_PKEY_free(key)
            throw .library(reason: libraryReason())
        }
        let identity = CertificateIdentity.finish(certificate, key: key, unixTime: unixTime, servers: servers)
        guard let identity else {
            EVP_PKEY_free(key)
            X509_free(certificate)
            throw .library(reason: libraryReason())
        }
        return identity
    }

    private static func finish(
        _ certificate: OpaquePointer, key: OpaquePointer, unixTime: Int64, servers: [TLSServerName]
    ) -> CertificateIdentity? {
        var serial = [UInt8](repeating: 0, count: 16)
        guard RAND_bytes(&serial, Int32(serial.count)) == 1 else { return nil }
        let name = serial.suffix(8).hexadecimal
        serial[0] = serial[0] & 0x7F | 0x40
        guard let number = BN_bin2bn(serial, Int32(serial.count), nil) else { return nil }
        defer { BN_free(number) }
        var now = time_t(clamping: unixTime)
        guard X509_set_version(certificate, 2) == 1,
            BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nil,
            X509_time_adj_ex(X509_getm_notBefore(certificate), -1, 0, &now) != nil,
            X509_time_adj_ex(X509_getm_notAfter(certificate), 365, 0, &now) != nil,
            let subject = X509_get_subject_name(certificate),
            X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_FLAG | 1, Array(name.utf8), Int32(name.utf8.count), -1, 0) == 1,
            X509_set_issuer_name(certificate, subject) == 1,
            X509_set_pubkey(certificate, key) == 1,
            servers.isEmpty || ossl_add_names(certificate, servers.map(\.openSSL).joined(separator: ",")) == 1,
            X509_sign(certificate, key, EVP_sha256()) > 0
        else { return nil }
        return CertificateIdentity(owningKey: key, certificate: certificate)
    }

    /// A certificate and its key from PEM text, in either order.
    public convenience init(pem: [UInt8]) throws(IdentityError) { try self.init(certificatePEM: pem, keyPEM: pem) }

    /// A certificate and its key from two PEM texts. The first certificate counts.
    public convenience init(certificatePEM: [UInt8], keyPEM: [UInt8]) throws(IdentityError) {
        ERR_clear_error()
        defer { ERR_clear_error() }
        guard let certificate = Self.read(certificatePEM, { PEM_read_bio_X509($0, nil, refusePassphrase, nil) }) else { throw .noCertificate }
        guard let key = Self.read(keyPEM, { PEM_read_bio_PrivateKey($0, nil, refusePassphrase, nil) }) else {
            X509_free(certificate)
            throw .noKey
        }
        guard X509_check_private_key(certificate, key) == 1 else {
            X509_free(certificate)
            EVP_PKEY_free(key)
            throw .keyMismatch
        }
        self.init(owningKey: key, certificate: certificate)
    }

    private static func read(_ pem: [UInt8], _ parse: (OpaquePointer) -> OpaquePointer?) -> OpaquePointer? {
        pem.withUnsafeBytes { bytes in
            guard let count = Int32(exactly: bytes.count), let bio = BIO_new_mem_buf(bytes.baseAddress, count) else { return nil }
            defer { BIO_free(bio) }
            return parse(bio)
        }
    }

    /// The certificate, then the key in PKCS #8, as PEM text. Whoever writes it to a file gives it mode 0600.
    public var pem: [UInt8] {
        guard let bio = BIO_new(BIO_s_mem()) else { return [] }
        defer { BIO_free(bio) }
        guard PEM_write_bio_X509(bio, certificate) == 1, PEM_write_bio_PKCS8PrivateKey(bio, key, nil, nil, 0, nil, nil) == 1 else { return [] }
        var text: UnsafeMutablePointer<CChar>?
        let count = ossl_bio_mem_data(bio, &text)
        guard count > 0, let text else { return [] }
        let out = Array(UnsafeRawBufferPointer(start: text, count: count))
        OPENSSL_cleanse(text, count)
        return out
    }

    /// False when the certificate is not yet or no longer valid at this time (seconds since 1970).
    public func isValid(unixTime: Int64) -> Bool {
        var now = time_t(clamping: unixTime)
        return X509_cmp_time(X509_get0_notBefore(certificate), &now) < 0 && X509_cmp_time(X509_get0_notAfter(certificate), &now) > 0
    }

    public func fingerprint(_ algorithm: FingerprintAlgorithm) -> CertificateFingerprint {
        CertificateFingerprint(of: der, algorithm: algorithm)
    }

    /// SHA-256 first (some peers know nothing else), then SHA-384 and SHA-512.
    public var fingerprints: [CertificateFingerprint] { [.sha256, .sha384, .sha512].map(fingerprint) }
}

/// The library would otherwise ask on the terminal.
private let refusePassphrase: @convention(c) (UnsafeMutablePointer<CChar>?, Int32, Int32, UnsafeMutableRawPointer?) -> Int32 = { _, _, _, _ in -1 }

/// The DER form of a certificate; empty when the library fails.
func derBytes(of certificate: OpaquePointer) -> [UInt8] {
    var encoded: UnsafeMutablePointer<UInt8>?
    let count = i2d_X509(certificate, &encoded)
    guard count > 0, let encoded else { return [] }
    defer { ossl_free(encoded) }
    return Array(UnsafeBufferPointer(start: encoded, count: Int(count)))
}

/// The reason of the latest error of this thread's queue, and the queue emptied.
func libraryReason() -> String {
    let code = ERR_peek_last_error()
    defer { ERR_clear_error() }
    guard let text = ERR_reason_error_string(code) else { return "error \(code)" }
    return String(cString: text)
}
