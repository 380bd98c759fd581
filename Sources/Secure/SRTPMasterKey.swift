import COpenSSL

/// An SRTP master key and salt. The memory is overwritten when the last copy goes away.
public struct SRTPMasterKey: Sendable {
    private let secret: SecretBytes
    private let keyLength: Int

    public init(key: [UInt8], salt: [UInt8]) {
        secret = SecretBytes(key + salt)
        keyLength = key.count
    }

    public var keyCount: Int { keyLength }
    public var saltCount: Int { secret.bytes.count - keyLength }
    /// A copy of the key.
    public var key: [UInt8] { Array(secret.bytes.prefix(keyLength)) }
    /// A copy of the salt.
    public var salt: [UInt8] { Array(secret.bytes.dropFirst(keyLength)) }

    /// True when the lengths are those of `profile`.
    public func fits(_ profile: SRTPProfile) -> Bool { keyCount == profile.keyLength && saltCount == profile.saltLength }

    /// Key, then salt.
    func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R { body(UnsafeRawBufferPointer(secret.bytes)) }
}

extension SRTPMasterKey: Equatable {
    public static func == (a: SRTPMasterKey, b: SRTPMasterKey) -> Bool {
        guard a.keyLength == b.keyLength, a.secret.bytes.count == b.secret.bytes.count else { return false }
        return a.secret.bytes.isEmpty || CRYPTO_memcmp(a.secret.bytes.baseAddress, b.secret.bytes.baseAddress, a.secret.bytes.count) == 0
    }
}

extension SRTPMasterKey: CustomStringConvertible {
    /// Never the key: descriptions end up in logs.
    public var description: String { "SRTPMasterKey(\(keyCount)+\(saltCount) bytes)" }
}

/// What two sides need for one SRTP session: the profile and a master key for each direction.
public struct SRTPKeyPair: Sendable, Equatable {
    public var profile: SRTPProfile
    /// Protects what we send.
    public var local: SRTPMasterKey
    /// Unprotects what we receive.
    public var remote: SRTPMasterKey

    public init(profile: SRTPProfile, local: SRTPMasterKey, remote: SRTPMasterKey) {
        self.profile = profile
        self.local = local
        self.remote = remote
    }
}

/// Immutable bytes that are wiped at the end of their life; hence safe to share between threads.
private final class SecretBytes: @unchecked Sendable {
    let bytes: UnsafeMutableBufferPointer<UInt8>

    init(_ source: [UInt8]) {
        bytes = .allocate(capacity: source.count)
        _ = bytes.initialize(from: source)
    }

    deinit {
        OPENSSL_cleanse(bytes.baseAddress, bytes.count)
        bytes.deallocate()
    }
}
