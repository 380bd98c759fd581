import Core

extension StunMessage {
    /// True when the attribute is there; where one is repeated the first counts (RFC 8489 §14).
    public func contains(_ attribute: StunAttribute) -> Bool { slots.contains { $0.type == attribute } }

    /// The attribute's bytes without padding.
    public func value(_ attribute: StunAttribute) -> ArraySlice<UInt8>? {
        guard let slot = slots.first(where: { $0.type == attribute }), slot.offset + slot.count <= bytes.count else { return nil }
        return bytes[slot.offset..<slot.offset + slot.count]
    }

    /// Where the attribute's bytes lie in the datagram.
    func range(of attribute: StunAttribute) -> Range<Int>? {
        guard let slot = slots.first(where: { $0.type == attribute }), slot.offset + slot.count <= bytes.count else { return nil }
        return slot.offset..<slot.offset + slot.count
    }

    /// All attributes in their order.
    public var attributes: [StunAttribute] { slots.map(\.type) }

    /// Comprehension-required attributes that this program does not know: a request is answered 420 with them.
    public var unknownRequired: [StunAttribute] { slots.map(\.type).filter { $0.isComprehensionRequired && !$0.isKnown } }

    public func u32(_ attribute: StunAttribute) -> UInt32? {
        guard let value = value(attribute), value.count == 4 else { return nil }
        return value.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    }

    public func u64(_ attribute: StunAttribute) -> UInt64? {
        guard let value = value(attribute), value.count == 8 else { return nil }
        return value.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    }

    /// Bytes as text; invalid UTF-8 is replaced. Must be sanitised before it is shown.
    public func text(_ attribute: StunAttribute) -> String? { value(attribute).map { String(decoding: $0, as: UTF8.self) } }

    public var username: String? { text(.username) }
    public var realm: String? { text(.realm) }
    public var nonce: [UInt8]? { value(.nonce).map(Array.init) }
    public var software: String? { text(.software) }
    public var priority: UInt32? { u32(.priority) }
    public var hasUseCandidate: Bool { contains(.useCandidate) }
    /// The tie-breaker of a controlling agent.
    public var iceControlling: UInt64? { u64(.iceControlling) }
    /// The tie-breaker of a controlled agent.
    public var iceControlled: UInt64? { u64(.iceControlled) }

    /// RFC 8489 §14.8: 300 to 699 and the reason, which must be sanitised before it is shown.
    public var errorCode: (code: Int, reason: String)? {
        guard let value = value(.errorCode), value.count >= 4 else { return nil }
        let start = value.startIndex
        let hundreds = Int(value[start + 2] & 7)
        let rest = Int(value[start + 3])
        guard (3...6).contains(hundreds), rest < 100 else { return nil }
        return (hundreds * 100 + rest, String(decoding: value[(start + 4)...], as: UTF8.self))
    }

    /// The types listed in UNKNOWN-ATTRIBUTES.
    public var unknownAttributes: [StunAttribute] {
        guard let value = value(.unknownAttributes) else { return [] }
        return stride(from: value.startIndex, to: value.endIndex - 1, by: 2).map {
            StunAttribute(rawValue: UInt16(value[$0]) << 8 | UInt16(value[$0 + 1]))
        }
    }

    /// MAPPED-ADDRESS or ALTERNATE-SERVER (RFC 8489 §14.1).
    public func address(_ attribute: StunAttribute) -> SocketAddress? { address(attribute, masked: false) }

    /// XOR-MAPPED-ADDRESS, XOR-PEER-ADDRESS or XOR-RELAYED-ADDRESS (RFC 8489 §14.2).
    public func xorAddress(_ attribute: StunAttribute) -> SocketAddress? { address(attribute, masked: true) }

    /// What a Binding response says our address is; the plain form only when the other is missing.
    public var mapped: SocketAddress? { xorAddress(.xorMappedAddress) ?? address(.mappedAddress) }

    private func address(_ attribute: StunAttribute, masked: Bool) -> SocketAddress? {
        guard let value = value(attribute), value.count >= 8 else { return nil }
        let start = value.startIndex
        let family = value[start + 1]
        guard (family == 1 && value.count == 8) || (family == 2 && value.count == 20) else { return nil }
        let mask = masked ? Self.mask(transactionID) : [UInt8](repeating: 0, count: 16)
        let port = UInt16(value[start + 2] ^ mask[0]) << 8 | UInt16(value[start + 3] ^ mask[1])
        guard let ip = IPAddress(bytes: zip(value[(start + 4)...], mask).map { $0 ^ $1 }) else { return nil }
        return SocketAddress(ip, port)
    }

    /// The cookie followed by the transaction id.
    static func mask(_ id: StunTransactionID) -> [UInt8] { [0x21, 0x12, 0xA4, 0x42] + id.bytes }
}
