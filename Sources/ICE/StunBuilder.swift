import Core
import Digest

/// Builds one STUN message: attributes in the order of the calls, then integrity and fingerprint.
public struct StunBuilder: Sendable {
    private var writer = ByteWriter(capacity: 128)
    private let id: StunTransactionID
    /// RFC 8489 §14 leaves the padding's value open; RFC 5769 pads with blanks.
    var paddingByte: UInt8 = 0

    public init(_ messageClass: StunClass, method: StunMethod = .binding, id: StunTransactionID) {
        self.id = id
        writer.u16(method.type(messageClass))
        writer.u16(0)
        writer.u32(StunMessage.magicCookie)
        writer.append(id.bytes)
    }

    /// Values beyond 2,048 bytes are cut: nothing this program sends comes near.
    public mutating func add(_ attribute: StunAttribute, _ value: some Collection<UInt8>) {
        let count = min(value.count, 2048)
        writer.u16(attribute.rawValue)
        writer.u16(UInt16(truncatingIfNeeded: count))
        writer.append(value.prefix(count))
        while writer.count & 3 != 0 { writer.u8(paddingByte) }
    }

    public mutating func add(_ attribute: StunAttribute, text: String) { add(attribute, Array(text.utf8)) }

    public mutating func add(_ attribute: StunAttribute, u32 value: UInt32) {
        var bytes = ByteWriter(capacity: 4)
        bytes.u32(value)
        add(attribute, bytes.bytes)
    }

    public mutating func add(_ attribute: StunAttribute, u64 value: UInt64) {
        var bytes = ByteWriter(capacity: 8)
        bytes.u64(value)
        add(attribute, bytes.bytes)
    }

    /// An attribute without a value, such as USE-CANDIDATE.
    public mutating func add(flag attribute: StunAttribute) { add(attribute, []) }

    public mutating func add(_ attribute: StunAttribute, address: SocketAddress) {
        add(attribute, address: address, mask: [UInt8](repeating: 0, count: 16))
    }

    public mutating func add(_ attribute: StunAttribute, xorAddress address: SocketAddress) {
        add(attribute, address: address, mask: StunMessage.mask(id))
    }

    /// Code 300 to 699, else 500.
    public mutating func addError(_ code: Int, reason: String) {
        let code = (300...699).contains(code) ? code : StunErrorCode.serverError
        var value = ByteWriter(capacity: 4 + reason.utf8.count)
        value.u16(0)
        value.u8(UInt8(truncatingIfNeeded: code / 100))
        value.u8(UInt8(truncatingIfNeeded: code % 100))
        value.append(reason)
        add(.errorCode, value.bytes)
    }

    public mutating func addUnknown(_ attributes: [StunAttribute]) {
        var value = ByteWriter(capacity: attributes.count * 2)
        for attribute in attributes { value.u16(attribute.rawValue) }
        add(.unknownAttributes, value.bytes)
    }

    /// The datagram. Without a key it carries no integrity attribute.
    public consuming func finish(key: StunKey? = nil, integrity: StunIntegrity = .sha1, fingerprint: Bool = true) -> [UInt8] {
        if let key {
            let (type, algorithm, count): (StunAttribute, HashAlgorithm, Int) =
                integrity == .sha1 ? (.messageIntegrity, .sha1, 20) : (.messageIntegritySHA256, .sha256, 32)
            setLength(adding: 4 + count)
            add(type, Digest.hmac(algorithm, key: key.bytes, writer.bytes))
        }
        if fingerprint {
            setLength(adding: 8)
            add(.fingerprint, u32: Digest.crc32(writer.bytes) ^ StunMessage.fingerprintMask)
        }
        setLength(adding: 0)
        return writer.bytes
    }

    private mutating func setLength(adding more: Int) {
        writer.setU16(UInt16(truncatingIfNeeded: writer.count - StunMessage.headerBytes + more), at: 2)
    }

    private mutating func add(_ attribute: StunAttribute, address: SocketAddress, mask: [UInt8]) {
        var value = ByteWriter(capacity: 20)
        value.u8(0)
        value.u8(address.ip.isV4 ? 1 : 2)
        value.u8(UInt8(truncatingIfNeeded: address.port >> 8) ^ mask[0])
        value.u8(UInt8(truncatingIfNeeded: address.port) ^ mask[1])
        value.append(zip(address.ip.bytes, mask).map { $0 ^ $1 })
        add(attribute, value.bytes)
    }
}
