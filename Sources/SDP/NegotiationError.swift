/// Why an offer or an answer cannot be used. For an offer the SIP answer is 488.
public enum NegotiationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The offer has no enabled section of the wanted kind.
    case noAcceptableMedia
    case noCommonCodec
    /// The offer's security is not what the policy accepts.
    case securityUnacceptable(profile: String)
    /// The answer drops the security that was offered, or a re-offer the one in force.
    case securityDropped(offered: MediaSecurity, profile: String, how: SecurityDrop)
    /// Every section of the offer was rejected.
    case refused
    case mediaCountMismatch(offered: Int, answered: Int)
    case mediaKindMismatch
    case profileMismatch(offered: String, answered: String)
    case holdconn
    /// Both sides claim the same DTLS role.
    case setupConflict
    case fingerprintMissing
    /// No line of the form "hash XX:XX:…".
    case fingerprintMalformed
    /// The value is not as long as the hash that it names.
    case fingerprintWrongLength(algorithm: String)
    case fingerprintSHA1Only
    /// The algorithms that came.
    case fingerprintUnsupported([String])
    /// The peer shares one port for RTP and RTCP or has none (RFC 8858), or the answer does not share the port of an offer that must.
    case rtcpMuxRequired
    /// No a=crypto line can be used.
    case cryptoUnacceptable
    /// The answer's a=crypto is none of those offered.
    case cryptoMismatch

    public var description: String {
        switch self {
        case .noAcceptableMedia: "no audio is offered"
        case .noCommonCodec: "no common codec"
        case .securityUnacceptable(let profile): "\(profile) as offered is not what the security setting accepts"
        case .securityDropped(let offered, let profile, let how): how.sentence(offered: offered, profile: profile)
        case .refused: "every media section was refused"
        case .mediaCountMismatch(let offered, let answered): "\(offered) media sections were offered, \(answered) answered"
        case .mediaKindMismatch: "the answer's media are not in the offer's order"
        case .profileMismatch(let offered, let answered): "\(offered) was offered, \(answered) answered"
        case .holdconn: "setup:holdconn is not supported"
        case .setupConflict: "both sides want the same DTLS role"
        case .fingerprintMissing: "the fingerprint is missing"
        case .fingerprintMalformed: "the fingerprint cannot be read"
        case .fingerprintWrongLength(let algorithm): "the fingerprint has not the length of a \(algorithm) value"
        case .fingerprintSHA1Only: "the only fingerprint is SHA-1, which is too weak"
        case .fingerprintUnsupported(let names): "no fingerprint of an accepted hash (\(names.joined(separator: ", ")) came)"
        case .rtcpMuxRequired: "RTP and RTCP would need a port each, and one side has only one"
        case .cryptoUnacceptable: "no usable crypto line"
        case .cryptoMismatch: "the answer's crypto line was not offered"
        }
    }
}

/// How a description is weaker than what was offered or is in force.
public enum SecurityDrop: Hashable, Sendable {
    /// A profile without encryption.
    case profile
    /// DTLS-SRTP without a fingerprint, and without anything in its place.
    case noFingerprint
    /// Crypto lines in place of a fingerprint.
    case cryptoInstead
    /// SDES without a crypto line.
    case noCrypto

    func sentence(offered: MediaSecurity, profile: String) -> String {
        let name = offered == .dtls ? "DTLS-SRTP" : "SRTP"
        return switch self {
        case .profile: "\(profile) came in place of \(name): the encryption would be lost"
        case .noFingerprint: "\(name) was offered or agreed, and \(profile) came without a fingerprint"
        case .cryptoInstead: "\(name) was offered or agreed, and \(profile) came with crypto lines in place of the fingerprint"
        case .noCrypto: "\(name) was offered or agreed, and \(profile) came without a crypto line"
        }
    }
}
