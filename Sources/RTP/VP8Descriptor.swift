import Core

public enum VP8DescriptorError: Error, Equatable, Sendable {
    /// The descriptor reaches beyond the packet, or nothing follows it.
    case truncated
}

/// The payload descriptor before each piece of a VP8 frame (RFC 7741 §4.2).
public struct VP8Descriptor: Equatable, Sendable {
    /// Nothing else depends on this frame.
    public var isNonReference = false
    /// The piece begins a partition.
    public var startsPartition = false
    /// 0 to 7.
    public var partitionIndex: UInt8 = 0
    /// 7 or 15 bits, by `hasLongPictureID`.
    public var pictureID: UInt16?
    public var hasLongPictureID = false
    public var temporalLevelZeroIndex: UInt8?
    /// 0 to 3.
    public var temporalLayer: UInt8?
    public var isLayerSync = false
    /// 0 to 31.
    public var keyIndex: UInt8?
    /// Bytes of the descriptor; the VP8 data follows.
    public private(set) var length = 1

    public init() {}

    /// Reads the descriptor at the beginning of an RTP payload.
    public init(_ payload: RawSpan) throws(VP8DescriptorError) {
        guard let first = payload.u8(at: 0) else { throw .truncated }
        isNonReference = first & 0x20 != 0
        startsPartition = first & 0x10 != 0
        partitionIndex = first & 0x07
        if first & 0x80 != 0 {
            guard let flags = payload.u8(at: 1) else { throw .truncated }
            length = 2
            if flags & 0x80 != 0 {
                guard let short = payload.u8(at: length) else { throw .truncated }
                hasLongPictureID = short & 0x80 != 0
                if hasLongPictureID {
                    guard let long = payload.u16(at: length) else { throw .truncated }
                    pictureID = long & 0x7FFF
                    length += 2
                } else {
                    pictureID = UInt16(short)
                    length += 1
                }
            }
            if flags & 0x40 != 0 {
                guard let index = payload.u8(at: length) else { throw .truncated }
                temporalLevelZeroIndex = index
                length += 1
            }
            if flags & 0x30 != 0 {
                guard let layer = payload.u8(at: length) else { throw .truncated }
                if flags & 0x20 != 0 {
                    temporalLayer = layer >> 6
                    isLayerSync = layer & 0x20 != 0
                }
                if flags & 0x10 != 0 { keyIndex = layer & 0x1F }
                length += 1
            }
        }
        guard length < payload.byteCount else { throw .truncated }
    }

    /// Whether this piece begins a frame.
    public var startsFrame: Bool { startsPartition && partitionIndex == 0 }

    /// Serialises the descriptor; what is nil is left out.
    public func write(to writer: inout ByteWriter) {
        let hasLayer = temporalLayer != nil || keyIndex != nil
        let isExtended = pictureID != nil || temporalLevelZeroIndex != nil || hasLayer
        writer.u8((isExtended ? 0x80 : 0) | (isNonReference ? 0x20 : 0) | (startsPartition ? 0x10 : 0) | (partitionIndex & 0x07))
        guard isExtended else { return }
        var flags: UInt8 = pictureID == nil ? 0 : 0x80
        if temporalLevelZeroIndex != nil { flags |= 0x40 }
        if temporalLayer != nil { flags |= 0x20 }
        if keyIndex != nil { flags |= 0x10 }
        writer.u8(flags)
        if let pictureID {
            if hasLongPictureID || pictureID > 0x7F {
                writer.u16(0x8000 | pictureID)
            } else {
                writer.u8(UInt8(truncatingIfNeeded: pictureID))
            }
        }
        if let temporalLevelZeroIndex { writer.u8(temporalLevelZeroIndex) }
        if hasLayer { writer.u8((temporalLayer ?? 0) << 6 | (isLayerSync ? 0x20 : 0) | ((keyIndex ?? 0) & 0x1F)) }
    }
}

/// The first bytes of a VP8 frame (RFC 7741 §4.3, RFC 6386 §9.1), which follow the descriptor of the piece that starts it.
public struct VP8PayloadHeader: Equatable, Sendable {
    public var isKeyFrame: Bool
    public var version: UInt8
    public var isShown: Bool
    public var firstPartitionSize: Int
    /// Pixels, of key frames only; nil when cut off or without the start code.
    public var width: Int?
    public var height: Int?

    /// - Parameter offset: the descriptor's length.
    public init?(_ payload: RawSpan, at offset: Int) {
        guard offset >= 0, offset < payload.byteCount, let a = payload.u8(at: offset), let b = payload.u8(at: offset + 1),
            let c = payload.u8(at: offset + 2)
        else { return nil }
        isKeyFrame = a & 1 == 0
        version = a >> 1 & 7
        isShown = a & 0x10 != 0
        firstPartitionSize = Int(a >> 5) | Int(b) << 3 | Int(c) << 11
        guard isKeyFrame, payload.u8(at: offset + 3) == 0x9D, payload.u16(at: offset + 4) == 0x012A, let w = payload.u16(at: offset + 6),
            let h = payload.u16(at: offset + 8)
        else { return }
        width = Int(w.byteSwapped & 0x3FFF)
        height = Int(h.byteSwapped & 0x3FFF)
    }
}
