import Core
import Digest

/// Why a datagram is no STUN message.
public enum StunError: Error, Hashable, Sendable {
    case tooShort
    /// The first two bits or the magic cookie are wrong.
    case notStun
    /// The header's length is no multiple of four or differs from the datagram's.
    case lengthMismatch
    case truncatedAttribute(StunAttribute)
    case tooManyAttributes
    /// An integrity or fingerprint attribute of impossible length.
    case malformedAttribute(StunAttribute)
    case fingerprintNotLast
    case badFingerprint
}

/// One parsed STUN message (RFC 8489 §5). Keeps the original bytes, over which integrity is computed.
public struct StunMessage: Sendable, Hashable {
    public static let magicCookie: UInt32 = 0x2112_A442
    public static let headerBytes = 20
    static let fingerprintMask: UInt32 = 0x5354_554E
    static let attributeLimit = 64

    /// Where an attribute's value lies in `bytes`.
    struct Slot: Sendable, Hashable {
        var type: StunAttribute
        var offset: Int
        var count: Int
    }

    public let messageClass: StunClass
    public let method: StunMethod
    public let transactionID: StunTransactionID
    /// The datagram as it came.
    public let bytes: [UInt8]
    /// Attributes in their order, without those that follow MESSAGE-INTEGRITY and must be ignored (RFC 8489 §14.5).
    let slots: [Slot]

    /// RFC 7983: a first byte of 0 to 3 is STUN.
    public static func isStun(firstByte: UInt8) -> Bool { firstByte <= 3 }

    /// The first byte and the magic cookie fit.
    public static func isStun(_ datagram: RawSpan) -> Bool {
        guard datagram.byteCount >= headerBytes, let first = datagram.u8(at: 0) else { return false }
        return isStun(firstByte: first) && datagram.u32(at: 4) == magicCookie
    }

    /// Parses one datagram. A FINGERPRINT, when present, is verified here.
    public static func parse(_ datagram: RawSpan) throws(StunError) -> StunMessage {
        guard let type = datagram.u16(at: 0), let length = datagram.u16(at: 2), let cookie = datagram.u32(at: 4),
            let high = datagram.u64(at: 8), let low = datagram.u32(at: 16)
        else { throw .tooShort }
        guard type & 0xC000 == 0, cookie == magicCookie else { throw .notStun }
        guard length & 3 == 0, Int(length) + headerBytes == datagram.byteCount else { throw .lengthMismatch }

        var slots: [Slot] = []
        var protection = Protection.open
        var offset = headerBytes
        while offset < datagram.byteCount {
            guard let rawType = datagram.u16(at: offset), let rawCount = datagram.u16(at: offset + 2) else { throw .tooShort }
            let slot = Slot(type: StunAttribute(rawValue: rawType), offset: offset + 4, count: Int(rawCount))
            let end = slot.offset + (slot.count + 3) & ~3
            guard end <= datagram.byteCount else { throw .truncatedAttribute(slot.type) }
            if protection == .fingerprinted { throw .fingerprintNotLast }
            guard slot.hasPossibleLength else { throw .malformedAttribute(slot.type) }
            if protection.accepts(slot.type) {
                guard slots.count < attributeLimit else { throw .tooManyAttributes }
                slots.append(slot)
                if slot.type == .fingerprint {
                    let expected = Digest.crc32(datagram.copy(at: 0, count: offset) ?? []) ^ fingerprintMask
                    guard datagram.u32(at: slot.offset) == expected else { throw .badFingerprint }
                }
            }
            protection = protection.after(slot.type)
            offset = end
        }
        return StunMessage(
            messageClass: StunClass(type: type), method: StunMethod(type: type), transactionID: StunTransactionID(high: high, low: low),
            bytes: datagram.copy(), slots: slots)
    }

    /// What has been passed so far while reading attributes in order.
    private enum Protection {
        case open, integrity, integritySHA256, fingerprinted

        func accepts(_ type: StunAttribute) -> Bool {
            switch self {
            case .open: true
            case .integrity: type == .messageIntegritySHA256 || type == .fingerprint
            case .integritySHA256: type == .fingerprint
            case .fingerprinted: false
            }
        }

        func after(_ type: StunAttribute) -> Protection {
            switch (self, type) {
            case (_, .fingerprint): .fingerprinted
            case (.open, .messageIntegrity): .integrity
            case (.open, .messageIntegritySHA256), (.integrity, .messageIntegritySHA256): .integritySHA256
            default: self
            }
        }
    }
}

extension StunMessage.Slot {
    /// Lengths that RFC 8489 §14.5 to §14.7 fix.
    fileprivate var hasPossibleLength: Bool {
        switch type {
        case .messageIntegrity: count == 20
        case .messageIntegritySHA256: count >= 16 && count <= 32 && count & 3 == 0
        case .fingerprint: count == 4
        default: true
        }
    }
}

extension StunClass {
    /// C1 is bit 8, C0 is bit 4 of the message type.
    init(type: UInt16) {
        switch (type & 0x0100 != 0, type & 0x0010 != 0) {
        case (false, false): self = .request
        case (false, true): self = .indication
        case (true, false): self = .success
        case (true, true): self = .error
        }
    }
}

extension StunMethod {
    /// The twelve bits M11 to M0 around the two class bits.
    init(type: UInt16) {
        self.init(rawValue: (type & 0x000F) | (type & 0x00E0) >> 1 | (type & 0x3E00) >> 2)
    }

    /// The message type for this method and a class.
    func type(_ messageClass: StunClass) -> UInt16 {
        let m = rawValue
        let c = UInt16(messageClass.rawValue)
        return (m & 0x000F) | (m & 0x0070) << 1 | (m & 0x0F80) << 2 | (c & 1) << 4 | (c & 2) << 7
    }
}
