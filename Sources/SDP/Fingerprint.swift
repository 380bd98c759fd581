import Core

/// a=fingerprint (RFC 8122 §5): the hash of a certificate. Compared by bytes, so the peer's letter case does not matter.
public struct Fingerprint: Hashable, Sendable, CustomStringConvertible {
    /// Lower case, e.g. "sha-256".
    public let algorithm: String
    public let bytes: [UInt8]

    public init(algorithm: String, bytes: [UInt8]) {
        self.algorithm = algorithm.lowercased()
        self.bytes = bytes
    }

    /// From "sha-256 AB:CD:…"; the length is not checked here (`hasRightLength`).
    public init?(_ value: some StringProtocol) {
        let fields = value.fields
        guard fields.count == 2, let bytes = Core.bytes(hexadecimal: fields[1]), !bytes.isEmpty else { return nil }
        self.init(algorithm: String(fields[0]), bytes: bytes)
    }

    /// The hashes that are accepted without a quirk, strongest first.
    public static let accepted = ["sha-512", "sha-384", "sha-256"]

    /// Bytes of a known hash, nil for another name.
    public static func length(of algorithm: String) -> Int? {
        switch algorithm {
        case "md2", "md5": 16
        case "sha-1": 20
        case "sha-224": 28
        case "sha-256": 32
        case "sha-384": 48
        case "sha-512": 64
        default: nil
        }
    }

    /// SHA-1: accepted by a quirk only, and to be shown as weak.
    public var isWeak: Bool { algorithm == "sha-1" }

    public var hasRightLength: Bool { Fingerprint.length(of: algorithm) == bytes.count }

    /// "sha-256 AB:CD:…"; upper case, since some peers refuse lower.
    public var description: String {
        algorithm + " " + bytes.map { [$0].hexadecimal.uppercased() }.joined(separator: ":")
    }

    /// The values to check a certificate against: all those of the strongest accepted hash that is offered with the right
    /// length (RFC 8122 §5: a match with one is enough). SHA-1 only with `acceptsSHA1`.
    public static func select(
        _ offered: [Fingerprint], malformed: Bool = false, acceptsSHA1: Bool = false
    ) -> Result<[Fingerprint], NegotiationError> {
        for algorithm in accepted + (acceptsSHA1 ? ["sha-1"] : []) {
            let values = offered.filter { $0.algorithm == algorithm && $0.hasRightLength }
            if !values.isEmpty { return .success(values) }
        }
        if offered.isEmpty { return .failure(malformed ? .fingerprintMalformed : .fingerprintMissing) }
        let candidates = accepted + ["sha-1"]
        if let wrong = offered.first(where: { candidates.contains($0.algorithm) && !$0.hasRightLength }) {
            return .failure(.fingerprintWrongLength(algorithm: wrong.algorithm))
        }
        if offered.contains(where: \.isWeak) { return .failure(.fingerprintSHA1Only) }
        return .failure(.fingerprintUnsupported(offered.map(\.algorithm)))
    }
}
