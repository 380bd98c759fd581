import Core

/// Why a crypto line was not taken.
public enum SDESError: Error, Sendable, Hashable {
    /// Not `tag suite inline:key`.
    case malformed
    case unknownSuite
    /// Key and salt have another length than the suite wants, or are not base64.
    case badKey
    /// Several keys or an MKI.
    case masterKeyIdentifier
    /// Zero, or more packets than SRTP can count (2^48).
    case badLifetime
    /// A parameter of the session, for which RFC 4568 §6.3 demands that the line is refused when it is not supported.
    case sessionParameter
}

/// One `a=crypto` line (RFC 4568): a tag, a suite and the master key of the direction that its writer sends.
public struct SDESKey: Sendable, Equatable {
    /// 0…999999999; an answer repeats the tag that it accepts.
    public var tag: Int
    public var profile: SRTPProfile
    public var master: SRTPMasterKey
    /// Packets the writer protects at most with this key; nil when it does not say. Kept for display: the phone's own limit is the profile's.
    public var lifetime: UInt64?

    public init(tag: Int, profile: SRTPProfile, master: SRTPMasterKey, lifetime: UInt64? = nil) {
        self.tag = tag
        self.profile = profile
        self.master = master
        self.lifetime = lifetime
    }

    /// A fresh key.
    public static func make(tag: Int, profile: SRTPProfile, random: RandomSource) -> SDESKey {
        SDESKey(tag: tag, profile: profile, master: SRTPMasterKey(key: random.bytes(profile.keyLength), salt: random.bytes(profile.saltLength)))
    }

    /// The attribute's value: `1 AES_CM_128_HMAC_SHA1_80 inline:…|2^31`.
    public init(attribute: some StringProtocol) throws(SDESError) {
        let parts = attribute.split(whereSeparator: { $0 == " " || $0 == "\t" })
        guard parts.count >= 3 else { throw .malformed }
        try self.init(tag: parts[0], suite: parts[1], keyParameters: parts[2], sessionParameters: parts.dropFirst(3).map { String($0) })
    }

    /// The parts of the attribute. Session parameters other than none are refused.
    public init(
        tag: some StringProtocol, suite: some StringProtocol, keyParameters: some StringProtocol, sessionParameters: [String] = []
    ) throws(SDESError) {
        guard tag.utf8.count <= 9, tag.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(tag) else { throw .malformed }
        guard let profile = SRTPProfile(sdesSuite: suite) else { throw .unknownSuite }
        // WSH is a hint that may be ignored (RFC 4568 §6.3.7), everything else changes the keys or the packets.
        guard sessionParameters.allSatisfy({ $0.hasPrefix("WSH=") }) else { throw .sessionParameter }
        guard !keyParameters.contains(";") else { throw .masterKeyIdentifier }
        let pieces = keyParameters.split(separator: "|", omittingEmptySubsequences: false)
        let method = "inline:"
        guard let first = pieces.first, first.prefix(method.count).lowercased() == method else { throw .malformed }
        guard let bytes = Base64.decode(first.dropFirst(method.count)), bytes.count == profile.keyLength + profile.saltLength else { throw .badKey }
        switch pieces.count {
        case 1: self.lifetime = nil
        case 2 where pieces[1].contains(":"): throw .masterKeyIdentifier
        case 2: self.lifetime = try Self.packets(pieces[1])
        case 3: throw .masterKeyIdentifier
        default: throw .malformed
        }
        self.tag = number
        self.profile = profile
        self.master = SRTPMasterKey(key: Array(bytes.prefix(profile.keyLength)), salt: Array(bytes.dropFirst(profile.keyLength)))
    }

    /// `2^31` or a decimal number.
    private static func packets(_ text: some StringProtocol) throws(SDESError) -> UInt64 {
        let limit: UInt64 = 1 << 48
        if text.hasPrefix("2^") {
            guard let exponent = UInt64(text.dropFirst(2)), exponent <= 48 else { throw .badLifetime }
            return 1 << exponent
        }
        guard let packets = UInt64(text), packets >= 1, packets <= limit else { throw .badLifetime }
        return packets
    }

    /// `inline:…`, the third part of the line.
    public var keyParameters: String { "inline:" + Base64.encode(master.key + master.salt) }

    /// The attribute's value without parameters nobody needs: `1 AES_CM_128_HMAC_SHA1_80 inline:…`.
    public var attribute: String { "\(tag) \(profile.sdesSuite) \(keyParameters)" }
}
