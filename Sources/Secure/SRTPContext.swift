import CSRTP
import Core

/// One direction of an SRTP and SRTCP session (RFC 3711, RFC 7714) over libsrtp2. Belongs to one thread.
///
/// Packets are changed in place. Each SSRC has its own roll-over counter and replay window (1024 packets).
public final class SRTPContext {
    public enum Direction: Sendable {
        /// `unprotect…` only.
        case inbound
        /// `protect…` only.
        case outbound
    }

    /// SSRCs at most. Inbound, the one not heard of for the longest time is forgotten first; outbound, one more is refused.
    public static let maximumStreams = 64

    public let profile: SRTPProfile
    public let direction: Direction
    private let session: srtp_t
    /// Known SSRCs, least recently used first.
    private var streams: [UInt32] = []

    /// - Throws: `.badKeyLength`, or `.other` when the library refuses.
    public init(profile: SRTPProfile, key: SRTPMasterKey, direction: Direction) throws(SRTPError) {
        guard Self.libraryReady else { throw .other(Int32(truncatingIfNeeded: srtp_err_status_init_fail.rawValue)) }
        guard key.fits(profile) else { throw .badKeyLength }
        var created: srtp_t?
        let status = key.withUnsafeBytes { bytes -> srtp_err_status_t in
            var policy = srtp_policy_t()
            profile.fill(rtp: &policy.rtp, rtcp: &policy.rtcp)
            policy.ssrc.type = direction == .inbound ? ssrc_any_inbound : ssrc_any_outbound
            policy.window_size = 1024
            policy.allow_repeat_tx = 0
            // The library reads the key only, though its type says otherwise.
            policy.key = UnsafeMutablePointer(mutating: bytes.bindMemory(to: UInt8.self).baseAddress)
            return srtp_create(&created, &policy)
        }
        guard status == srtp_err_status_ok, let created else { throw SRTPError(status) }
        session = created
        self.profile = profile
        self.direction = direction
    }

    deinit { _ = srtp_dealloc(session) }

    /// How many SSRCs have a state now.
    public var streamCount: Int { streams.count }

    /// The roll-over counter of an SSRC, or nil for one that is not known.
    public func rolloverCounter(ssrc: UInt32) -> UInt32? {
        var roc: UInt32 = 0
        return srtp_get_stream_roc(session, ssrc, &roc) == srtp_err_status_ok ? roc : nil
    }

    // MARK: RTP

    /// Encrypts and authenticates the first `length` bytes of `buffer`, which needs room for `profile.rtpOverhead` more.
    /// - Returns: the new length.
    public func protectRTP(_ buffer: UnsafeMutableRawBufferPointer, length: Int) throws(SRTPError) -> Int {
        let ssrc = try Self.checkRTP(UnsafeRawBufferPointer(buffer), length: length, trailer: 0)
        guard buffer.count - length >= profile.rtpOverhead else { throw .bufferTooSmall }
        try admit(ssrc, .outbound)
        let result = try run(srtp_protect, buffer, length)
        noteStream(ssrc)
        return result
    }

    /// Authenticates and decrypts the first `length` bytes of `buffer`. After an error the bytes are worthless.
    /// - Returns: the length of the plain packet.
    public func unprotectRTP(_ buffer: UnsafeMutableRawBufferPointer, length: Int) throws(SRTPError) -> Int {
        let ssrc = try Self.checkRTP(UnsafeRawBufferPointer(buffer), length: length, trailer: profile.rtpOverhead)
        try admit(ssrc, .inbound)
        let result = try run(srtp_unprotect, buffer, length)
        noteStream(ssrc)
        return result
    }

    // MARK: RTCP

    /// As `protectRTP`, for a compound packet; needs room for `profile.rtcpOverhead`.
    public func protectRTCP(_ buffer: UnsafeMutableRawBufferPointer, length: Int) throws(SRTPError) -> Int {
        let ssrc = try Self.checkRTCP(UnsafeRawBufferPointer(buffer), length: length, trailer: 0)
        guard buffer.count - length >= profile.rtcpOverhead else { throw .bufferTooSmall }
        try admit(ssrc, .outbound)
        let result = try run(srtp_protect_rtcp, buffer, length)
        noteStream(ssrc)
        return result
    }

    public func unprotectRTCP(_ buffer: UnsafeMutableRawBufferPointer, length: Int) throws(SRTPError) -> Int {
        let ssrc = try Self.checkRTCP(UnsafeRawBufferPointer(buffer), length: length, trailer: profile.rtcpOverhead)
        try admit(ssrc, .inbound)
        let result = try run(srtp_unprotect_rtcp, buffer, length)
        noteStream(ssrc)
        return result
    }

    // MARK: arrays

    public func protectRTP(_ packet: inout [UInt8]) throws(SRTPError) { try array(&packet, extra: profile.rtpOverhead, protectRTP) }
    public func unprotectRTP(_ packet: inout [UInt8]) throws(SRTPError) { try array(&packet, extra: 0, unprotectRTP) }
    public func protectRTCP(_ packet: inout [UInt8]) throws(SRTPError) { try array(&packet, extra: profile.rtcpOverhead, protectRTCP) }
    public func unprotectRTCP(_ packet: inout [UInt8]) throws(SRTPError) { try array(&packet, extra: 0, unprotectRTCP) }

    private typealias InPlace = (UnsafeMutableRawBufferPointer, Int) throws(SRTPError) -> Int

    private func array(_ packet: inout [UInt8], extra: Int, _ operation: InPlace) throws(SRTPError) {
        let length = packet.count
        packet.append(contentsOf: repeatElement(0, count: extra))
        let result = packet.withUnsafeMutableBytes { buffer -> Result<Int, SRTPError> in
            do throws(SRTPError) { return .success(try operation(buffer, length)) } catch { return .failure(error) }
        }
        switch result {
        case .success(let count):
            packet.removeLast(max(0, packet.count - count))
        case .failure(let error):
            packet.removeLast(extra)
            throw error
        }
    }

    // MARK: private

    private typealias Operation = (srtp_t?, UnsafeMutableRawPointer?, UnsafeMutablePointer<Int32>?) -> srtp_err_status_t

    private func run(_ operation: Operation, _ buffer: UnsafeMutableRawBufferPointer, _ length: Int) throws(SRTPError) -> Int {
        guard var count = Int32(exactly: length) else { throw .malformed }
        let status = operation(session, buffer.baseAddress, &count)
        guard status == srtp_err_status_ok else { throw SRTPError(status) }
        guard count >= 0, Int(count) <= buffer.count else { throw .other(-1) }
        return Int(count)
    }

    /// Sent streams are never forgotten, since a fresh counter under the same key would repeat the key stream: there are no more than the maximum.
    private func admit(_ ssrc: UInt32, _ wanted: Direction) throws(SRTPError) {
        guard wanted == direction else { throw .wrongDirection }
        if wanted == .outbound, streams.last != ssrc, streams.count >= Self.maximumStreams, !streams.contains(ssrc) { throw .tooManyStreams }
    }

    /// Called after success only: a stream comes into being with its first authentic packet, so a stranger cannot fill the table.
    private func noteStream(_ ssrc: UInt32) {
        if streams.last == ssrc { return }
        if let index = streams.lastIndex(of: ssrc) {
            streams.remove(at: index)
        } else if streams.count >= Self.maximumStreams {
            forget(streams.removeFirst())
        }
        streams.append(ssrc)
    }

    private func forget(_ ssrc: UInt32) {
        // libsrtp 2.5 wants the number in network order here, and in host order everywhere else; another version may not.
        _ = srtp_remove_stream(session, ssrc.bigEndian)
        if rolloverCounter(ssrc: ssrc) != nil { _ = srtp_remove_stream(session, ssrc) }
    }

    /// RFC 3550 §5.1: fixed header, CSRC list and header extension must be there, and the tag behind them. Returns the SSRC.
    private static func checkRTP(_ b: UnsafeRawBufferPointer, length: Int, trailer: Int) throws(SRTPError) -> UInt32 {
        guard length >= 12 + trailer, length <= b.count, length <= 65_535, b[0] >> 6 == 2 else { throw .malformed }
        var header = 12 + 4 * Int(b[0] & 0x0F)
        if b[0] & 0x10 != 0 {
            guard length >= header + 4 else { throw .malformed }
            header += 4 + 4 * (Int(b[header + 2]) << 8 | Int(b[header + 3]))
        }
        guard length >= header + trailer else { throw .malformed }
        return word(b, 8)
    }

    /// RFC 3550 §6.4: header and SSRC, and the index and tag behind them. Returns the SSRC of the sender.
    private static func checkRTCP(_ b: UnsafeRawBufferPointer, length: Int, trailer: Int) throws(SRTPError) -> UInt32 {
        guard length >= 8 + trailer, length <= b.count, length <= 65_535, b[0] >> 6 == 2 else { throw .malformed }
        return word(b, 4)
    }

    private static func word(_ b: UnsafeRawBufferPointer, _ offset: Int) -> UInt32 {
        UInt32(bigEndian: b.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    /// Once in the process; the language makes it safe between threads.
    private static let libraryReady: Bool = {
        srtp_keep_crypto()
        return srtp_init() == srtp_err_status_ok
    }()

    /// Loads the library and lets it test itself (some 5 ms), so that the first call need not wait for that. From any thread.
    public static func prepare() { _ = libraryReady }

    /// "libsrtp2 2.5.0", for `--version`.
    public static var libraryVersion: String { srtp_get_version_string().map { String(cString: $0) } ?? "" }
}

extension SRTPProfile {
    /// RTP and RTCP differ in the profiles with the short tag: SRTCP keeps 80 bits (RFC 5764 §4.1.2, RFC 4568 §6.2).
    fileprivate func fill(rtp: inout srtp_crypto_policy_t, rtcp: inout srtp_crypto_policy_t) {
        switch self {
        case .aeadAES256GCM:
            srtp_crypto_policy_set_aes_gcm_256_16_auth(&rtp)
            srtp_crypto_policy_set_aes_gcm_256_16_auth(&rtcp)
        case .aeadAES128GCM:
            srtp_crypto_policy_set_aes_gcm_128_16_auth(&rtp)
            srtp_crypto_policy_set_aes_gcm_128_16_auth(&rtcp)
        case .aesCM128Tag80:
            srtp_crypto_policy_set_rtp_default(&rtp)
            srtp_crypto_policy_set_rtcp_default(&rtcp)
        case .aesCM128Tag32:
            srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&rtp)
            srtp_crypto_policy_set_rtcp_default(&rtcp)
        case .aes256CMTag80:
            srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&rtp)
            srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&rtcp)
        case .aes256CMTag32:
            srtp_crypto_policy_set_aes_cm_256_hmac_sha1_32(&rtp)
            srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&rtcp)
        }
    }
}
