import Core

/// Who sends the ClientHello (RFC 5763 §5): `active` is the client, `passive` the server.
public enum DTLSRole: String, Sendable {
    case client, server
}

/// W3C RTCDtlsTransportState.
public enum DTLSState: String, Sendable {
    case new, connecting, connected, closed, failed
}

/// Why an association failed.
public enum DTLSFailure: Error, Sendable, Equatable {
    /// The peer's certificate is not one of those signalled. No key ever left the association.
    case fingerprintMismatch(presented: CertificateFingerprint)
    /// The certificate has the fingerprint signalled, but `DTLSVerification.ca` found nobody trusted behind it: the library's words.
    case untrustedCertificate(reason: String)
    /// `cipherList` names suites without authentication or encryption, or broken ones: OpenSSL's names.
    case ciphersRefused([String])
    /// No fingerprint was signalled that counts (none at all, or SHA-1, MD5 or unknown ones only).
    case noUsableFingerprint
    /// The handshake succeeded without a common SRTP profile.
    case noCommonSRTPProfile
    /// Nothing (more) came within the limit. `alert` is a fatal alert that the peer, or somebody in its name, sent in clear.
    case timeout(alert: UInt8?)
    /// The peer refused with this alert (RFC 5246 §7.2).
    case alert(UInt8)
    /// The handshake cannot succeed: the library's reason, e.g. "no shared cipher".
    case handshake(reason: String)
    /// The library could not be set up: identity, cipher list or groups refused.
    case library(reason: String)
}

/// Whose signature counts in `DTLSVerification.ca`.
public enum CertificateTrust: Sendable, Equatable {
    /// The system's store.
    case system
    /// The certificates of a PEM text, roots or not.
    case authorities(pem: [UInt8])
}

/// How the peer's certificate is verified. The fingerprint of its signalling always has to match: there is no mode without it.
public enum DTLSVerification: Sendable, Equatable {
    /// The fingerprint alone: certificates are made for the call and signed by themselves (RFC 8827 §6.5).
    case fingerprint
    /// A chain to somebody trusted as well, valid at this time (seconds since 1970).
    case ca(CertificateTrust, unixTime: Int64)
}

/// What the owner may choose. The defaults are those of the phone.
public struct DTLSConfiguration: Sendable {
    /// In order of preference. `nil`: `dtlsOffered` for a client, `dtlsAccepted` for a server. Profiles without a number in use_srtp are left out.
    public var srtpProfiles: [SRTPProfile]?
    public var verification = DTLSVerification.fingerprint
    /// OpenSSL's names for TLS 1.2 suites. Only ephemeral ECDH with AEAD by default. A list that comes to a suite without authentication or
    /// encryption, or to a broken one (RC4, DES, MD5, export) is refused whole.
    public var cipherList =
        "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
        + "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
    public var groups = "X25519:P-256:P-384"
    /// The largest datagram sent, in bytes of UDP payload; at least 256.
    public var mtu = 1200
    /// How long after `start` a handshake may take; at most 30 minutes.
    public var limit: Duration = .seconds(40)
    /// An alert in clear proves nothing, so it ends nothing by itself. The handshake fails when the peer sends nothing else for this long after it.
    public var alertPatience: Duration = .seconds(10)
    /// When true, `poll` also gives lines of the NSS key log format.
    public var keyLog = false

    public init() {}
}

/// What a verified association agreed on.
public struct DTLSNegotiated: Sendable, Equatable {
    /// Four hexadecimal digits, W3C `tlsVersion`: "FEFD" is DTLS 1.2.
    public var tlsVersion: String
    /// The IANA name of the cipher suite, W3C `dtlsCipher`.
    public var dtlsCipher: String
    public var srtpProfile: SRTPProfile
    /// Of the peer's certificate, in the algorithm by which it was verified.
    public var remoteFingerprint: CertificateFingerprint
    /// DER.
    public var remoteCertificate: [UInt8]
    public var keys: SRTPKeyPair
}

/// Counts of what came and went.
public struct DTLSStatistics: Sendable, Equatable {
    public var datagramsReceived = 0
    public var datagramsSent = 0
    public var retransmissions = 0
    /// Records that were not shown to the library: malformed, of a foreign epoch, or out of place.
    public var recordsDropped = 0
    /// Of those: alerts in clear.
    public var plaintextAlerts = 0
    /// A server's fresh starts after a ClientHello that could not be read.
    public var restarts = 0
    /// Records that the library refused after the handshake.
    public var recordsRefused = 0
}

/// What an association wants done.
public enum DTLSOutput: Sendable, Equatable {
    /// One datagram to the peer.
    case transmit([UInt8])
    case stateChanged(DTLSState)
    /// Comes just before `.stateChanged(.failed)`.
    case failed(DTLSFailure)
    /// One line of the NSS key log format, without line end. Only when the configuration asks for it.
    case keyLog(String)
}
