import Core
import Digest

/// What a server's 401 or 438 told: the way to authenticate (RFC 8489 §9.2).
struct TurnChallenge: Sendable {
    let realm: String
    let nonce: [UInt8]
    let key: StunKey
    /// SHA-256 as soon as the server names password algorithms (§9.2.4).
    let integrity: StunIntegrity
    /// PASSWORD-ALGORITHMS as it came: sent back, so that nobody can take away the better one.
    let offered: [UInt8]?
    let algorithm: UInt16
    /// The user's name travels as a hash (§9.2.4, "username anonymity").
    let hidesUsername: Bool

    /// What §14.4 and RFC 8656 allow for realm and nonce.
    private static let lengthLimit = 763
    private static let md5: UInt16 = 1
    private static let sha256: UInt16 = 2

    /// nil when the message cannot be answered: no realm or nonce, no algorithm that we know, or a list that was taken out on the way.
    init?(_ message: StunMessage, server: TurnServer, previous: TurnChallenge?) {
        guard let nonce = message.nonce, !nonce.isEmpty, nonce.count <= Self.lengthLimit else { return nil }
        // 438 repeats the realm; where it does not, the former one stands.
        guard let realm = message.realm ?? previous?.realm, realm.utf8.count <= Self.lengthLimit else { return nil }
        let features = Self.features(nonce)
        let list = message.value(.passwordAlgorithms).map(Array.init)
        var chosen = Self.md5
        if let list {
            guard let best = Self.algorithms(list).first(where: { $0 == Self.md5 || $0 == Self.sha256 }) else { return nil }
            chosen = best
        } else if features.namesAlgorithms {
            return nil
        }
        self.realm = realm
        self.nonce = nonce
        offered = list
        algorithm = chosen
        integrity = list == nil ? .sha1 : .sha256
        hidesUsername = features.hidesUsername
        key = .longTerm(username: server.username, realm: realm, password: server.password, chosen == Self.sha256 ? .sha256 : .md5)
    }

    func add(to builder: inout StunBuilder, username: String) {
        if hidesUsername {
            builder.add(.userhash, Digest.hash(.sha256, Array("\(username):\(realm)".utf8)))
        } else {
            builder.add(.username, text: username)
        }
        builder.add(.realm, text: realm)
        builder.add(.nonce, nonce)
        guard let offered else { return }
        builder.add(.passwordAlgorithms, offered)
        builder.add(.passwordAlgorithm, u32: UInt32(algorithm) << 16)
    }

    /// §9.2: a nonce may begin with a cookie and 24 bits of what the server can do. The RFC counts the bits from the left and its own example
    /// from the right, so both are read.
    private static func features(_ nonce: [UInt8]) -> (namesAlgorithms: Bool, hidesUsername: Bool) {
        let cookie = Array("obMatJos2".utf8)
        guard nonce.starts(with: cookie), nonce.count >= cookie.count + 4 else { return (false, false) }
        var bits: UInt32 = 0
        for byte in nonce[cookie.count..<cookie.count + 4] {
            guard let value = alphabet.firstIndex(of: byte) else { return (false, false) }
            bits = bits << 6 | UInt32(value)
        }
        return (bits & 0x80_0001 != 0, bits & 0x40_0002 != 0)
    }

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// §14.11: pairs of number and padded parameters.
    private static func algorithms(_ list: [UInt8]) -> [UInt16] {
        var out: [UInt16] = []
        var offset = 0
        while offset + 4 <= list.count {
            out.append(UInt16(list[offset]) << 8 | UInt16(list[offset + 1]))
            let length = Int(list[offset + 2]) << 8 | Int(list[offset + 3])
            offset += 4 + (length + 3) & ~3
        }
        return out
    }
}
