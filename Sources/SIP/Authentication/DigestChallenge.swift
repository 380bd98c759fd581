/// One Digest challenge of a 401 or 407 (RFC 3261 §22, RFC 7616 §3.3, RFC 8760).
public struct DigestChallenge: Sendable, Hashable {
    /// Where the challenge stood, which decides where the answer goes.
    public enum Source: Sendable, Hashable {
        /// WWW-Authenticate, of a registrar or a user agent.
        case server
        case proxy

        public var challengeName: HeaderName { self == .server ? .wwwAuthenticate : .proxyAuthenticate }
        public var credentialsName: HeaderName { self == .server ? .authorization : .proxyAuthorization }
    }

    public var source: Source
    public var realm: String
    public var nonce: String
    public var opaque: String?
    /// MD5 when the challenge names none; nil when it names one that is not known here.
    public var algorithm: DigestAlgorithm?
    /// The spelling of the algorithm, which the answer repeats; nil when the challenge names none.
    public var algorithmName: String?
    /// Of the offered ones those known here; empty when `hasQOP` is false (RFC 2069) or none is known.
    public var qop: [DigestQOP]
    public var hasQOP: Bool
    /// The credentials were right, but the nonce is too old: try again with this one.
    public var isStale: Bool
    /// The server wants the user's name hashed (RFC 7616 §3.4.4).
    public var usesHashedUsername: Bool

    /// True when an answer can be computed.
    public var isSupported: Bool { algorithm != nil && (!hasQOP || !qop.isEmpty) }

    /// The qop to use: auth before auth-int; nil when the challenge has none.
    public var chosenQOP: DigestQOP? { qop.contains(.auth) ? .auth : qop.first }

    /// All Digest challenges of a message, in their order; other schemes and malformed ones are left out.
    public static func challenges(in headers: SIPHeaders) -> [DigestChallenge] {
        [Source.server, .proxy].flatMap { source in
            headers.all(source.challengeName).flatMap { line in
                AuthenticationParameters.parse(line).compactMap { DigestChallenge($0, source) }
            }
        }
    }

    init?(_ parsed: AuthenticationParameters, _ source: Source) {
        guard parsed.isDigest, let realm = parsed["realm"], let nonce = parsed["nonce"] else { return nil }
        self.source = source
        self.realm = realm
        self.nonce = nonce
        opaque = parsed["opaque"]
        algorithmName = parsed["algorithm"].flatMap { $0.isEmpty ? nil : $0 }
        algorithm = algorithmName.map { DigestAlgorithm(name: $0) } ?? .md5
        let offered = parsed["qop"].map { SIPHeaders.split($0) } ?? []
        hasQOP = !offered.isEmpty
        qop = offered.compactMap { DigestQOP(rawValue: SIPSyntax.lowercased($0)) }
        isStale = parsed["stale"].map { SIPSyntax.equalIgnoringCase($0, "true") } ?? false
        usesHashedUsername = parsed["userhash"].map { SIPSyntax.equalIgnoringCase($0, "true") } ?? false
    }

    /// For each realm and source the strongest challenge that can be answered; of equals the first (RFC 8760 §2.3).
    static func strongest(_ challenges: [DigestChallenge]) -> [DigestChallenge] {
        var best: [DigestChallenge] = []
        for challenge in challenges where challenge.isSupported {
            guard let i = best.firstIndex(where: { $0.realm == challenge.realm && $0.source == challenge.source }) else {
                best.append(challenge)
                continue
            }
            if let old = best[i].algorithm, let new = challenge.algorithm, old < new { best[i] = challenge }
        }
        return best
    }
}
