import COpenSSL
import Core

/// Hash functions and HMAC over libcrypto.
public enum HashAlgorithm: String, Sendable, CaseIterable {
    case md5, sha1, sha256, sha384, sha512, sha512_256

    /// The length of a hash, in bytes.
    public var byteCount: Int {
        switch self {
        case .md5: 16
        case .sha1: 20
        case .sha256, .sha512_256: 32
        case .sha384: 48
        case .sha512: 64
        }
    }

    var message: OpaquePointer? {
        switch self {
        case .md5: EVP_md5()
        case .sha1: EVP_sha1()
        case .sha256: EVP_sha256()
        case .sha384: EVP_sha384()
        case .sha512: EVP_sha512()
        case .sha512_256: EVP_sha512_256()
        }
    }
}

public enum Digest {
    /// The hash of `data`; empty when the library refuses the algorithm (a FIPS build refuses MD5).
    public static func hash(_ algorithm: HashAlgorithm, _ data: some Collection<UInt8>) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: 64)
        var length: UInt32 = 0
        let input = Array(data)
        guard EVP_Digest(input, input.count, &out, &length, algorithm.message, nil) == 1 else { return [] }
        return Array(out.prefix(Int(length)))
    }

    /// RFC 2104. Empty on failure of the library.
    public static func hmac(_ algorithm: HashAlgorithm, key: [UInt8], _ data: some Collection<UInt8>) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: 64)
        var length: UInt32 = 0
        let input = Array(data)
        guard HMAC(algorithm.message, key, Int32(key.count), input, input.count, &out, &length) != nil else { return [] }
        return Array(out.prefix(Int(length)))
    }

    /// CRC-32 of ISO 3309, as STUN's FINGERPRINT uses it (before its XOR).
    public static func crc32(_ data: some Collection<UInt8>) -> UInt32 {
        var crc: UInt32 = 0xFFFF_FFFF
        for byte in data { crc = crcTable[Int((crc ^ UInt32(byte)) & 0xFF)] ^ (crc >> 8) }
        return ~crc
    }

    private static let crcTable: [UInt32] = (0..<256).map { n in
        (0..<8).reduce(UInt32(n)) { c, _ in c & 1 == 1 ? 0xEDB8_8320 ^ (c >> 1) : c >> 1 }
    }

    /// Compares in time that depends on the lengths only.
    public static func equal(_ a: some Collection<UInt8>, _ b: some Collection<UInt8>) -> Bool {
        guard a.count == b.count else { return false }
        return zip(a, b).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
