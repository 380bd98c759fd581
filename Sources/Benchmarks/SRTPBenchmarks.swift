import CSRTP
import Core
import Secure

/// `SRTPContext` beside libsrtp alone: the same policy, the same packets, in turns.
enum SRTPBenchmarks {
    private static let count = 2000
    private static let stride = 1536

    static func run() throws {
        Report.head("SRTP, one packet (payload bytes)")
        for profile in [SRTPProfile.aesCM128Tag80, .aeadAES128GCM, .aeadAES256GCM] {
            for size in [160, 1200] { try compare(profile, size: size) }
        }
    }

    private static func compare(_ profile: SRTPProfile, size: Int) throws {
        let key = SRTPMasterKey(
            key: (0..<profile.keyLength).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ 1) },
            salt: (0..<profile.saltLength).map { UInt8(truncatingIfNeeded: $0 &* 11 &+ 3) })
        let out = try SRTPContext(profile: profile, key: key, direction: .outbound)
        let back = try SRTPContext(profile: profile, key: key, direction: .inbound)
        let bare = try BareSession(profile, key: key.key + key.salt)
        let ours = Packets(count: count, stride: stride, length: 12 + size)
        let theirs = Packets(count: count, stride: stride, length: 12 + size)
        var figures = [[Double]](repeating: [], count: 4)
        for round in 0...12 {
            ours.fill()
            theirs.fill()
            let a = try time { for i in 0..<count { ours.lengths[i] = try out.protectRTP(ours[i], length: ours.lengths[i]) } }
            let b = try time { for i in 0..<count { theirs.lengths[i] = try bare.protect(theirs[i], theirs.lengths[i]) } }
            let c = try time { for i in 0..<count { ours.lengths[i] = try back.unprotectRTP(ours[i], length: ours.lengths[i]) } }
            let d = try time { for i in 0..<count { theirs.lengths[i] = try bare.unprotect(theirs[i], theirs.lengths[i]) } }
            guard round > 0 else { continue }
            for (index, value) in [a, b, c, d].enumerated() { figures[index].append(value) }
        }
        let both = { (x: Int, y: Int) in Measurement(rounds: zip(figures[x], figures[y]).map(+)) }
        Report.line("\(profile.rawValue) \(size) protect", Measurement(rounds: figures[0]))
        Report.line("\(profile.rawValue) \(size) unprotect", Measurement(rounds: figures[2]))
        Report.compare("\(profile.rawValue) \(size) both", both(0, 2), both(1, 3), bareName: "libsrtp")
    }

    private static func time(_ body: () throws -> Void) rethrows -> Double {
        let start = Measure.cpu()
        try body()
        return Double(Measure.cpu() &- start) / Double(count)
    }
}

/// RTP packets of one stream, one behind the other; the sequence numbers go on from filling to filling.
private final class Packets {
    var lengths: [Int]
    private let memory: UnsafeMutableRawBufferPointer
    private let stride: Int
    private let length: Int
    private var sequence: UInt16 = 0

    init(count: Int, stride: Int, length: Int) {
        lengths = [Int](repeating: length, count: count)
        memory = .allocate(byteCount: count * stride, alignment: 16)
        memory.initializeMemory(as: UInt8.self, repeating: 0x5A)
        self.stride = stride
        self.length = length
    }

    deinit { memory.deallocate() }

    subscript(index: Int) -> UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(rebasing: memory[index * stride..<(index + 1) * stride]) }

    func fill() {
        for i in lengths.indices {
            let packet = self[i]
            lengths[i] = length
            packet[0] = 0x80
            packet[1] = 96
            packet.storeBytes(of: sequence.bigEndian, toByteOffset: 2, as: UInt16.self)
            packet.storeBytes(of: (UInt32(sequence) &* 960).bigEndian, toByteOffset: 4, as: UInt32.self)
            packet.storeBytes(of: UInt32(0x1234_5678).bigEndian, toByteOffset: 8, as: UInt32.self)
            sequence &+= 1
        }
    }
}

/// libsrtp as its manual says, with nothing around it.
private final class BareSession {
    private var outbound: srtp_t?
    private var inbound: srtp_t?

    struct Failure: Error { var status: UInt32 }

    init(_ profile: SRTPProfile, key: [UInt8]) throws {
        var key = key
        try key.withUnsafeMutableBufferPointer { bytes in
            for direction in [ssrc_any_outbound, ssrc_any_inbound] {
                var policy = srtp_policy_t()
                switch profile {
                case .aeadAES128GCM:
                    srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp)
                    srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp)
                case .aeadAES256GCM:
                    srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtp)
                    srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtcp)
                default:
                    srtp_crypto_policy_set_rtp_default(&policy.rtp)
                    srtp_crypto_policy_set_rtcp_default(&policy.rtcp)
                }
                policy.ssrc.type = direction
                policy.window_size = 1024
                policy.key = bytes.baseAddress
                var created: srtp_t?
                let status = srtp_create(&created, &policy)
                guard status == srtp_err_status_ok else { throw Failure(status: status.rawValue) }
                if direction == ssrc_any_outbound { outbound = created } else { inbound = created }
            }
        }
    }

    deinit {
        if let outbound { srtp_dealloc(outbound) }
        if let inbound { srtp_dealloc(inbound) }
    }

    func protect(_ packet: UnsafeMutableRawBufferPointer, _ length: Int) throws -> Int {
        var count = Int32(truncatingIfNeeded: length)
        let status = srtp_protect(outbound, packet.baseAddress, &count)
        guard status == srtp_err_status_ok else { throw Failure(status: status.rawValue) }
        return Int(count)
    }

    func unprotect(_ packet: UnsafeMutableRawBufferPointer, _ length: Int) throws -> Int {
        var count = Int32(truncatingIfNeeded: length)
        let status = srtp_unprotect(inbound, packet.baseAddress, &count)
        guard status == srtp_err_status_ok else { throw Failure(status: status.rawValue) }
        return Int(count)
    }
}
