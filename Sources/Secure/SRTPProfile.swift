/// The protection profiles of SRTP that this phone knows. Raw values are the names of the contract, of RFC 5764 §4.1.2, RFC 7714 §14.2 and
/// of SDES (RFC 4568 §6.2, RFC 6188 §3, RFC 7714 §14.1).
public enum SRTPProfile: String, Sendable, CaseIterable {
    case aeadAES256GCM = "AEAD_AES_256_GCM"
    case aeadAES128GCM = "AEAD_AES_128_GCM"
    case aesCM128Tag80 = "AES_CM_128_HMAC_SHA1_80"
    case aesCM128Tag32 = "AES_CM_128_HMAC_SHA1_32"
    case aes256CMTag80 = "AES_256_CM_HMAC_SHA1_80"
    case aes256CMTag32 = "AES_256_CM_HMAC_SHA1_32"

    /// Offered in use_srtp, in order of preference.
    public static let dtlsOffered: [SRTPProfile] = [.aeadAES256GCM, .aeadAES128GCM, .aesCM128Tag80]
    /// Accepted as DTLS server: the short tag too, last.
    public static let dtlsAccepted: [SRTPProfile] = dtlsOffered + [.aesCM128Tag32]

    /// The name of the suite in a crypto line. Nil for an unknown one.
    public init?(sdesSuite: some StringProtocol) { self.init(rawValue: String(sdesSuite)) }
    public var sdesSuite: String { rawValue }

    /// The number in the use_srtp extension (IANA "DTLS-SRTP Protection Profiles"); nil where none is registered.
    public var dtlsIdentifier: UInt16? {
        switch self {
        case .aesCM128Tag80: 1
        case .aesCM128Tag32: 2
        case .aeadAES128GCM: 7
        case .aeadAES256GCM: 8
        case .aes256CMTag80, .aes256CMTag32: nil
        }
    }

    public init?(dtlsIdentifier: UInt16) {
        guard let found = Self.allCases.first(where: { $0.dtlsIdentifier == dtlsIdentifier }) else { return nil }
        self = found
    }

    var opensslName: String? {
        switch self {
        case .aesCM128Tag80: "SRTP_AES128_CM_SHA1_80"
        case .aesCM128Tag32: "SRTP_AES128_CM_SHA1_32"
        case .aeadAES128GCM: "SRTP_AEAD_AES_128_GCM"
        case .aeadAES256GCM: "SRTP_AEAD_AES_256_GCM"
        case .aes256CMTag80, .aes256CMTag32: nil
        }
    }

    public var isAEAD: Bool { self == .aeadAES256GCM || self == .aeadAES128GCM }

    /// Bytes of the master key.
    public var keyLength: Int {
        switch self {
        case .aeadAES128GCM, .aesCM128Tag80, .aesCM128Tag32: 16
        case .aeadAES256GCM, .aes256CMTag80, .aes256CMTag32: 32
        }
    }

    /// Bytes of the master salt.
    public var saltLength: Int { isAEAD ? 12 : 14 }

    /// Bytes that protection adds to an RTP packet.
    public var rtpOverhead: Int {
        switch self {
        case .aeadAES256GCM, .aeadAES128GCM: 16
        case .aesCM128Tag80, .aes256CMTag80: 10
        case .aesCM128Tag32, .aes256CMTag32: 4
        }
    }

    /// Bytes that protection adds to an RTCP packet: the tag (never the short one: RFC 5764 §4.1.2) and the index.
    public var rtcpOverhead: Int { isAEAD ? 20 : 14 }
}
