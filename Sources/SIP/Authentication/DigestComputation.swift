/// The arithmetic of RFC 7616 §3.4 (and RFC 2069 without qop), free of any state.
struct DigestComputation: Sendable {
    var algorithm: DigestAlgorithm
    var credentials: Credentials
    var realm: String
    var nonce: String
    var qop: DigestQOP?
    /// Eight hexadecimal digits on the wire.
    var nonceCount: UInt32
    var cnonce: String
    var method: String
    /// The digest-uri: the Request-URI.
    var uri: String
    var body: [UInt8] = []

    var nonceCountText: String {
        let text = String(nonceCount, radix: 16)
        return String(repeating: "0", count: max(0, 8 - text.utf8.count)) + text
    }

    /// The request-digest; nil when the library refuses the algorithm.
    var response: String? {
        guard let a1 = secret, let a2 = algorithm.hexadecimal(Array("\(method):\(uri)".utf8) + bodySuffix) else { return nil }
        guard let qop else { return algorithm.hexadecimal("\(a1):\(nonce):\(a2)".utf8) }
        return algorithm.hexadecimal("\(a1):\(nonce):\(nonceCountText):\(cnonce):\(qop.rawValue):\(a2)".utf8)
    }

    /// The name as `userhash=true` sends it.
    var hashedUsername: String? { algorithm.hexadecimal("\(credentials.username):\(realm)".utf8) }

    private var secret: String? {
        let plain = algorithm.hexadecimal("\(credentials.username):\(realm):\(credentials.password)".utf8)
        guard algorithm.isSession, let plain else { return plain }
        return algorithm.hexadecimal("\(plain):\(nonce):\(cnonce)".utf8)
    }

    private var bodySuffix: [UInt8] {
        guard qop == .authInt else { return [] }
        return Array(":\(algorithm.hexadecimal(body) ?? "")".utf8)
    }
}
