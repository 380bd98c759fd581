/// Why an offer or an answer cannot be used. For an offer the SIP answer is 488.
public enum NegotiationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The offer has no enabled section of the wanted kind.
    case noAcceptableMedia
    case noCommonCodec
    /// The offer's security is not what the policy accepts.
    case securityUnacceptable(profile: String)
    /// The answer drops the security that was offered, or a re-offer the one in force.
    case securityDropped(offered: MediaSecurity, profile: String)
    /// Every section of the offer was rejected.
    case refused
    case mediaCountMismatch(offered: Int, answered: Int)
    case mediaKindMismatch
    case profileMismatch(offered: String, answered: String)
    case holdconn
    /// Both sides claim the same DTLS role.
    case setupConflict
    case fingerprintMissing
    case fingerprintMalformed
    case fingerprintSHA1Only
    /// The algorithms that came.
    case fingerprintUnsupported([String])
    /// No a=crypto line can be used.
    case cryptoUnacceptable
    /// The answer's a=crypto is none of those offered.
    case cryptoMismatch

    public var description: String {
        switch self {
        case .noAcceptableMedia: "no audio is offered"
        case .noCommonCodec: "no common codec"
        case .securityUnacceptable(let profile): "\(profile) as offered is not what the security setting accepts"
        case .securityDropped(let offered, let profile): "\(profile) drops the \(offered.rawValue) that was agreed or offered"
        case .refused: "every media section was refused"
        case .mediaCountMismatch(let offered, let answered): "\(offered) media sections were offered, \(answered) answered"
        case .mediaKindMismatch: "the answer's media are not in the offer's order"
        case .profileMismatch(let offered, let answered): "\(offered) was offered, \(answered) answered"
        case .holdconn: "setup:holdconn is not supported"
        case .setupConflict: "both sides want the same DTLS role"
        case .fingerprintMissing: "the fingerprint is missing"
        case .fingerprintMalformed: "the fingerprint has the wrong length or form"
        case .fingerprintSHA1Only: "the only fingerprint is SHA-1, which is too weak"
        case .fingerprintUnsupported(let names): "no known fingerprint hash (\(names.joined(separator: ", ")))"
        case .cryptoUnacceptable: "no usable crypto line"
        case .cryptoMismatch: "the answer's crypto line was not offered"
        }
    }
}
