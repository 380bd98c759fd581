import Core

/// The payload of a retransmission (RFC 4588 §4): the number of the lost packet, then its payload.
public enum RTXPayload {
    /// Bytes before the original payload.
    public static let headLength = 2

    /// The original sequence number; nil when there is no payload behind it, as in the padding that browsers send to probe.
    public static func originalSequence(_ payload: RawSpan) -> UInt16? { payload.byteCount > headLength ? payload.u16(at: 0) : nil }

    public static func wrap(_ sequence: UInt16, _ payload: [UInt8]) -> [UInt8] {
        [UInt8(truncatingIfNeeded: sequence >> 8), UInt8(truncatingIfNeeded: sequence)] + payload
    }
}
