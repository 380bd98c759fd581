import Digest

/// A digest algorithm of RFC 7616 §3.3 and RFC 8760 §2.1.
public enum DigestAlgorithm: String, Sendable, CaseIterable, Comparable {
    case md5 = "MD5"
    case md5Session = "MD5-sess"
    case sha256 = "SHA-256"
    case sha256Session = "SHA-256-sess"
    case sha512_256 = "SHA-512-256"
    case sha512_256Session = "SHA-512-256-sess"

    /// The name without its case; nil for an algorithm that is not known here.
    public init?(name: some StringProtocol) {
        let name = String(name)
        guard let found = DigestAlgorithm.allCases.first(where: { SIPSyntax.equalIgnoringCase($0.rawValue, name) }) else { return nil }
        self = found
    }

    /// True for the `-sess` variants, whose secret depends on the first nonce and cnonce.
    public var isSession: Bool {
        switch self {
        case .md5Session, .sha256Session, .sha512_256Session: true
        case .md5, .sha256, .sha512_256: false
        }
    }

    public var hash: HashAlgorithm {
        switch self {
        case .md5, .md5Session: .md5
        case .sha256, .sha256Session: .sha256
        case .sha512_256, .sha512_256Session: .sha512_256
        }
    }

    private var strength: Int { (DigestAlgorithm.allCases.firstIndex(of: self) ?? 0) / 2 }

    /// Weaker than the other: MD5, SHA-256, SHA-512-256. A `-sess` variant is as strong as its plain one.
    public static func < (a: DigestAlgorithm, b: DigestAlgorithm) -> Bool { a.strength < b.strength }

    /// The hash of `text` as lower-case hexadecimal digits; nil when the library refuses the algorithm.
    func hexadecimal(_ text: some Collection<UInt8>) -> String? {
        let digest = Digest.hash(hash, text)
        guard !digest.isEmpty else { return nil }
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}

/// Quality of protection (RFC 7616 §3.4.3).
public enum DigestQOP: String, Sendable {
    case auth
    case authInt = "auth-int"
}
