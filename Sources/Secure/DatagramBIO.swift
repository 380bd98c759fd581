import COpenSSL

/// What the library's side of an association reads and writes: one element of `inbound` is one read, one write is one datagram.
/// (A memory BIO would glue datagrams together.)
final class DatagramQueue {
    var inbound: [[UInt8]] = []
    var outbound: [[UInt8]] = []
    var keyLog: [String] = []
    /// The profiles of the peer's use_srtp, by their numbers; nil before its ClientHello, empty when that had none.
    var offeredProfiles: [UInt16]?
    let mtu: Int
    /// Retransmissions of the present flight that the library made.
    var retransmissions = 0
    /// All retransmissions of the association.
    var totalRetransmissions = 0

    init(mtu: Int) { self.mtu = mtu }

    /// The library fails for good at the 13th time-out of a flight. From the 12th retransmission on its timer is set so far away that it never
    /// runs out, and the association repeats the flight itself.
    static let maximumRetransmissions = 12
    var isExhausted: Bool { retransmissions >= Self.maximumRetransmissions }

    /// The schedule, in microseconds: 50 ms doubling to 1 s. 0 asks for the first time-out of a flight.
    func nextTimeout(after current: UInt32) -> UInt32 {
        guard current != 0 else {
            retransmissions = 0
            return 50_000
        }
        retransmissions &+= 1
        totalRetransmissions &+= 1
        return isExhausted ? 3_600_000_000 : min(current &* 2, 1_000_000)
    }

    static func of(_ bio: OpaquePointer?) -> DatagramQueue? {
        guard let bio, let data = BIO_get_data(bio) else { return nil }
        return Unmanaged<DatagramQueue>.fromOpaque(data).takeUnretainedValue()
    }

    static func of(ssl: OpaquePointer?) -> DatagramQueue? { of(SSL_get_rbio(ssl)) }

    /// A BIO over this queue, which must outlive it.
    func makeBIO() -> OpaquePointer? {
        guard let method = Self.method, let bio = BIO_new(method) else { return nil }
        BIO_set_data(bio, Unmanaged.passUnretained(self).toOpaque())
        return bio
    }

    /// A table of functions, made once and never changed.
    private nonisolated(unsafe) static let method: OpaquePointer? = {
        guard let method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "datagrams") else { return nil }
        BIO_meth_set_create(method) { bio in
            BIO_set_init(bio, 1)
            return 1
        }
        BIO_meth_set_write(method) { bio, bytes, count in
            guard let queue = DatagramQueue.of(bio), let bytes, count > 0 else { return -1 }
            queue.outbound.append(Array(UnsafeRawBufferPointer(start: bytes, count: Int(count))))
            return count
        }
        BIO_meth_set_read(method) { bio, bytes, count in
            guard let queue = DatagramQueue.of(bio), let bio, let bytes, count > 0 else { return -1 }
            ossl_bio_clear_retry(bio)
            guard !queue.inbound.isEmpty else {
                ossl_bio_set_retry_read(bio)
                return -1
            }
            let datagram = queue.inbound.removeFirst()
            // What does not fit is lost, as with a socket.
            let length = min(datagram.count, Int(count))
            datagram.withUnsafeBytes { UnsafeMutableRawBufferPointer(start: bytes, count: length).copyMemory(from: .init(rebasing: $0[..<length])) }
            return Int32(length)
        }
        BIO_meth_set_ctrl(method) { bio, command, _, _ in
            switch command {
            case BIO_CTRL_FLUSH, BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT: 1
            case BIO_CTRL_DGRAM_QUERY_MTU, BIO_CTRL_DGRAM_GET_FALLBACK_MTU: DatagramQueue.of(bio)?.mtu ?? 1200
            case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD: 28
            default: 0
            }
        }
        return method
    }()
}
