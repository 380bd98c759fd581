import Core
import Digest

/// The key of MESSAGE-INTEGRITY (RFC 8489 §9). Passwords must already be prepared by OpaqueString.
public struct StunKey: Hashable, Sendable {
    public let bytes: [UInt8]

    /// Short-term credentials: the password itself (§9.1.1).
    public static func shortTerm(password: String) -> StunKey { StunKey(bytes: Array(password.utf8)) }

    /// Long-term credentials: the hash of `username:realm:password`, MD5 unless the server asked for SHA-256 (§18.5.1).
    public static func longTerm(username: String, realm: String, password: String, _ algorithm: HashAlgorithm = .md5) -> StunKey {
        StunKey(bytes: Digest.hash(algorithm, Array("\(username):\(realm):\(password)".utf8)))
    }
}

/// Which integrity attribute a message carries.
public enum StunIntegrity: Sendable {
    case sha1, sha256
}

extension StunMessage {
    /// The strongest integrity attribute present; nil when there is none.
    public var integrity: StunIntegrity? {
        contains(.messageIntegritySHA256) ? .sha256 : contains(.messageIntegrity) ? .sha1 : nil
    }

    /// True when the strongest integrity attribute present was made with `key`. Takes the same time whatever the bytes are.
    public func verify(_ key: StunKey) -> Bool {
        let type: StunAttribute = contains(.messageIntegritySHA256) ? .messageIntegritySHA256 : .messageIntegrity
        guard let slot = slots.first(where: { $0.type == type }), let value = value(type), !key.bytes.isEmpty else { return false }
        // The length in the header counts up to and including the attribute that is verified.
        var signed = ByteWriter(capacity: slot.offset)
        signed.append(bytes[..<(slot.offset - 4)])
        signed.setU16(UInt16(truncatingIfNeeded: slot.offset + slot.count - Self.headerBytes), at: 2)
        let algorithm: HashAlgorithm = type == .messageIntegrity ? .sha1 : .sha256
        let expected = Digest.hmac(algorithm, key: key.bytes, signed.bytes).prefix(slot.count)
        return Digest.equal(expected, value)
    }
}
