import Core

/// The SRTP suites of a=crypto (RFC 4568 §6.2, RFC 6188, RFC 7714 §14), by their IANA names.
public enum CryptoSuite: String, Hashable, Sendable, CaseIterable {
    case aeadAES256GCM = "AEAD_AES_256_GCM"
    case aeadAES128GCM = "AEAD_AES_128_GCM"
    case aes256CM80 = "AES_256_CM_HMAC_SHA1_80"
    case aes256CM32 = "AES_256_CM_HMAC_SHA1_32"
    case aesCM80 = "AES_CM_128_HMAC_SHA1_80"
    case aesCM32 = "AES_CM_128_HMAC_SHA1_32"

    /// Bytes of the master key.
    public var keyLength: Int {
        switch self {
        case .aeadAES256GCM, .aes256CM80, .aes256CM32: 32
        case .aeadAES128GCM, .aesCM80, .aesCM32: 16
        }
    }

    /// Bytes of the master salt.
    public var saltLength: Int {
        switch self {
        case .aeadAES256GCM, .aeadAES128GCM: 12
        default: 14
        }
    }

    /// What is accepted, strongest first.
    public static let preferred: [CryptoSuite] = [.aeadAES256GCM, .aeadAES128GCM, .aesCM80, .aesCM32]
}

/// One key of a=crypto: `inline:base64|lifetime|MKI:length` (RFC 4568 §6.1).
public struct CryptoKey: Hashable, Sendable {
    /// Master key and salt, concatenated.
    public var material: [UInt8]
    /// As written, e.g. "2^31".
    public var lifetime: String?
    public var mki: MasterKeyIdentifier?

    public struct MasterKeyIdentifier: Hashable, Sendable {
        public var value: UInt64
        /// Bytes of the MKI field in each packet.
        public var length: Int

        public init(value: UInt64, length: Int) {
            self.value = value
            self.length = length
        }
    }

    public init(material: [UInt8], lifetime: String? = nil, mki: MasterKeyIdentifier? = nil) {
        self.material = material
        self.lifetime = lifetime
        self.mki = mki
    }

    init?(_ text: Substring) {
        let (method, info) = text.cut(.colon)
        guard method.matches("inline"), let info else { return nil }
        let parts = info.parts(.bar)
        guard parts.count <= 3, let first = parts.first, let material = Base64.decode(first), !material.isEmpty else { return nil }
        self.init(material: material)
        for part in parts.dropFirst() {
            let (left, right) = part.cut(.colon)
            if let right {
                guard mki == nil, let value = left.decimal(UInt64.self), let length = right.decimal(Int.self), (1...128).contains(length) else {
                    return nil
                }
                mki = MasterKeyIdentifier(value: value, length: length)
            } else {
                guard lifetime == nil, mki == nil, !part.isEmpty else { return nil }
                lifetime = String(part)
            }
        }
    }

    var text: String {
        "inline:" + Base64.encode(material) + (lifetime.map { "|\($0)" } ?? "") + (mki.map { "|\($0.value):\($0.length)" } ?? "")
    }
}

/// a=crypto (RFC 4568 §9.1).
public struct CryptoLine: Hashable, Sendable, CustomStringConvertible {
    /// 1 to 9 digits.
    public var tag: UInt32
    /// As written; `suite` when it is known.
    public var suiteName: String
    public var keys: [CryptoKey]
    public var sessionParameters: [String]

    public init(tag: UInt32, suite: CryptoSuite, key: [UInt8]) {
        self.tag = tag
        suiteName = suite.rawValue
        keys = [CryptoKey(material: key)]
        sessionParameters = []
    }

    /// A line with a fresh key and salt.
    public static func generate(tag: UInt32, suite: CryptoSuite, random: RandomSource) -> CryptoLine {
        CryptoLine(tag: tag, suite: suite, key: random.bytes(suite.keyLength + suite.saltLength))
    }

    public init?(_ value: some StringProtocol) {
        let fields = value.fields
        guard fields.count >= 3, fields[0].utf8.count <= 9, let tag = fields[0].decimal(UInt32.self) else { return nil }
        var keys: [CryptoKey] = []
        for part in fields[2].parts(.semicolon) {
            guard let key = CryptoKey(part) else { return nil }
            keys.append(key)
        }
        self.tag = tag
        suiteName = String(fields[1])
        self.keys = keys
        sessionParameters = fields[3...].map { String($0) }
    }

    public var suite: CryptoSuite? { CryptoSuite(rawValue: suiteName.uppercased()) }

    /// The key and salt to use: the only key, of the right length, without MKI and without a session parameter that changes
    /// the packets (RFC 4568 §6.3: an unknown one makes the line unusable unless it begins with "-").
    public var usableKey: [UInt8]? {
        guard let suite, keys.count == 1, let key = keys.first, key.mki == nil else { return nil }
        guard key.material.count == suite.keyLength + suite.saltLength else { return nil }
        guard sessionParameters.allSatisfy({ $0.hasPrefix("-") || $0.uppercased().hasPrefix("WSH=") }) else { return nil }
        return key.material
    }

    /// The attribute's value.
    public var description: String {
        (["\(tag)", suiteName, keys.map(\.text).joined(separator: ";")] + sessionParameters).joined(separator: " ")
    }

    /// The strongest usable line by the order of `suites`.
    static func select(_ offered: [CryptoLine], suites: [CryptoSuite]) -> CryptoLine? {
        for suite in suites {
            if let line = offered.first(where: { $0.suite == suite && $0.usableKey != nil }) { return line }
        }
        return nil
    }
}
