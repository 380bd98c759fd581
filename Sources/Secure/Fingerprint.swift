import Core
import Digest

/// A hash function that may stand in `a=fingerprint` (RFC 8122 §5), weakest first. MD5 and MD2 are not here: they are ignored.
public enum FingerprintAlgorithm: String, Sendable, CaseIterable, Comparable {
    case sha1 = "sha-1"
    case sha256 = "sha-256"
    case sha384 = "sha-384"
    case sha512 = "sha-512"

    /// Tokens of RFC 8122 are compared without case.
    public init?(token: some StringProtocol) { self.init(rawValue: token.lowercased()) }

    /// Accepted by a quirk only, and to be shown as weak.
    public var isWeak: Bool { self == .sha1 }

    /// The length of a value, in bytes.
    public var byteCount: Int { hash.byteCount }

    var hash: HashAlgorithm {
        switch self {
        case .sha1: .sha1
        case .sha256: .sha256
        case .sha384: .sha384
        case .sha512: .sha512
        }
    }

    public static func < (a: FingerprintAlgorithm, b: FingerprintAlgorithm) -> Bool { a.byteCount < b.byteCount }
}

/// What is accepted from a peer's SDP.
public struct FingerprintPolicy: Sendable, Hashable {
    /// SHA-1 counts only when this is true and nothing stronger was signalled. Default false.
    public var allowsSHA1: Bool

    public init(allowsSHA1: Bool = false) { self.allowsSHA1 = allowsSHA1 }
}

/// The hash of a certificate's DER form (RFC 8122 §5).
public struct CertificateFingerprint: Sendable, Hashable, CustomStringConvertible {
    public let algorithm: FingerprintAlgorithm
    public let bytes: [UInt8]

    /// Nil when the number of bytes is not that of the algorithm.
    public init?(algorithm: FingerprintAlgorithm, bytes: [UInt8]) {
        guard bytes.count == algorithm.byteCount else { return nil }
        self.algorithm = algorithm
        self.bytes = bytes
    }

    /// The two tokens of the attribute, e.g. "sha-256" and "AB:CD:…", digits in either case. Nil for an unknown algorithm (which RFC 8122
    /// lets us ignore), a wrong length or anything but pairs of digits with colons between them.
    public init?(algorithm token: some StringProtocol, value: some StringProtocol) {
        guard let algorithm = FingerprintAlgorithm(token: token), let bytes = Self.parse(value, count: algorithm.byteCount) else { return nil }
        self.algorithm = algorithm
        self.bytes = bytes
    }

    /// The attribute's value, "sha-256 AB:CD:…".
    public init?(attribute: some StringProtocol) {
        let parts = attribute.split(separator: " ", omittingEmptySubsequences: true)
        guard parts.count == 2 else { return nil }
        self.init(algorithm: parts[0], value: parts[1])
    }

    /// The hash of a certificate in DER form.
    public init(of certificate: [UInt8], algorithm: FingerprintAlgorithm) {
        self.algorithm = algorithm
        self.bytes = Digest.hash(algorithm.hash, certificate)
    }

    /// "AB:CD:…", upper-case, as every peer accepts it.
    public var value: String {
        let digits = Array("0123456789ABCDEF".utf8)
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count * 3)
        for byte in bytes {
            if !out.isEmpty { out.append(UInt8(ascii: ":")) }
            out.append(digits[Int(byte >> 4)])
            out.append(digits[Int(byte & 15)])
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// "sha-256 AB:CD:…", the value of `a=fingerprint`.
    public var description: String { "\(algorithm.rawValue) \(value)" }

    /// The strongest algorithm that counts among `signalled`, or nil when none does.
    public static func strongest(of signalled: [CertificateFingerprint], policy: FingerprintPolicy) -> FingerprintAlgorithm? {
        signalled.map(\.algorithm).filter { $0 != .sha1 || policy.allowsSHA1 }.max()
    }

    /// RFC 8122 §5: the certificate must equal at least one value of the strongest algorithm signalled.
    public static func match(certificate: [UInt8], signalled: [CertificateFingerprint], policy: FingerprintPolicy) -> FingerprintMatch {
        guard let algorithm = strongest(of: signalled, policy: policy) else { return .nothingUsable }
        let presented = CertificateFingerprint(of: certificate, algorithm: algorithm)
        guard presented.bytes.count == algorithm.byteCount else { return .mismatch(presented) }
        let equal = signalled.contains { $0.algorithm == algorithm && Digest.equal($0.bytes, presented.bytes) }
        return equal ? .match(presented) : .mismatch(presented)
    }

    private static func parse(_ text: some StringProtocol, count: Int) -> [UInt8]? {
        var out: [UInt8] = []
        for pair in text.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false) {
            guard pair.count == 2, out.count < count else { return nil }
            var byte: UInt8 = 0
            for c in pair {
                guard let digit = Self.digit(c) else { return nil }
                byte = byte << 4 | digit
            }
            out.append(byte)
        }
        return out.count == count ? out : nil
    }

    private static func digit(_ c: UInt8) -> UInt8? {
        switch c {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): c - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): c - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): c - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

/// The outcome of comparing a certificate with what was signalled.
public enum FingerprintMatch: Sendable, Equatable {
    case match(CertificateFingerprint)
    case mismatch(CertificateFingerprint)
    /// Nothing was signalled, or only algorithms that do not count.
    case nothingUsable
}
