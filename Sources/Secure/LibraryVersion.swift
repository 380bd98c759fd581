import COpenSSL

/// The cryptographic library in use, for `--version`.
public enum LibraryVersion {
    /// "OpenSSL 3.0.22 …"
    public static var openSSL: String { OpenSSL_version(OPENSSL_VERSION).map { String(cString: $0) } ?? "OpenSSL" }
}
