import Core

/// Why bytes are not an IVF file of VP8, in one line.
public enum IVFError: Error, Equatable, Sendable, CustomStringConvertible {
    case notIVF
    case unsupportedVersion(Int)
    /// The four letters of its codec, as they are.
    case notVP8(String)
    case badTimeBase
    /// Where the frame begins that reaches beyond the end.
    case truncated(offset: Int)
    case emptyFrame(offset: Int)
    case noFrames
    case noKeyFrame
    case tooManyFrames

    public var description: String {
        switch self {
        case .notIVF: "not an IVF file (its header is missing)"
        case .unsupportedVersion(let version): "IVF version \(version) is not known"
        case .notVP8(let name): "holds \(Sanitiser.text(name)), not VP8"
        case .badTimeBase: "its time base is not a number of seconds"
        case .truncated(let offset): "the frame at byte \(offset) is cut off"
        case .emptyFrame(let offset): "the frame at byte \(offset) is empty"
        case .noFrames: "has no frames"
        case .noKeyFrame: "does not begin with a key frame"
        case .tooManyFrames: "has more frames than are taken"
        }
    }
}

/// A whole IVF file with VP8: a 32-byte header, then frames with 12-byte headers, little-endian.
public struct IVFFile: Sendable, Equatable {
    public struct Frame: Sendable, Equatable {
        /// Into the file's bytes.
        public var range: Range<Int>
        /// 1/90,000 s.
        public var time: UInt64
        public var isKeyFrame: Bool
    }

    public static let byteLimit = 512 << 20
    public static let frameLimit = 4_000_000
    private static let headerLength = 32
    private static let frameHeaderLength = 12

    public let width: Int
    public let height: Int
    public let frames: [Frame]
    private let bytes: [UInt8]

    public init(_ bytes: [UInt8]) throws(IVFError) {
        guard bytes.count >= Self.headerLength, bytes[0..<4].elementsEqual("DKIF".utf8) else { throw .notIVF }
        let version = Self.number(bytes, 4, 2)
        guard version == 0 else { throw .unsupportedVersion(Int(version)) }
        guard bytes[8..<12].elementsEqual("VP80".utf8) else { throw .notVP8(String(decoding: bytes[8..<12], as: UTF8.self)) }
        let length = Int(Self.number(bytes, 6, 2))
        guard length >= Self.headerLength, length <= bytes.count else { throw .notIVF }
        width = Int(Self.number(bytes, 12, 2))
        height = Int(Self.number(bytes, 14, 2))
        let rate = Self.number(bytes, 16, 4)
        let scale = Self.number(bytes, 20, 4)
        guard rate > 0, scale > 0 else { throw .badTimeBase }
        frames = try Self.frames(bytes, from: length, rate: rate, scale: scale)
        self.bytes = bytes
    }

    private static func frames(_ bytes: [UInt8], from start: Int, rate: UInt64, scale: UInt64) throws(IVFError) -> [Frame] {
        var frames: [Frame] = []
        var offset = start
        var first: UInt64?
        while offset < bytes.count {
            guard bytes.count - offset >= frameHeaderLength else { throw .truncated(offset: offset) }
            let size = Int(number(bytes, offset, 4))
            let stamp = number(bytes, offset + 4, 8)
            let data = offset + frameHeaderLength
            guard size > 0 else { throw .emptyFrame(offset: offset) }
            guard size <= bytes.count - data else { throw .truncated(offset: offset) }
            guard frames.count < frameLimit else { throw .tooManyFrames }
            let isKeyFrame = bytes[data] & 1 == 0
            if frames.isEmpty, !isKeyFrame { throw .noKeyFrame }
            let begin = first ?? stamp
            first = begin
            let time = multiplied(stamp >= begin ? stamp - begin : 0, by: 90_000 * scale, over: rate)
            // Time does not run backwards, whatever the file says.
            frames.append(Frame(range: data..<data + size, time: max(time, frames.last?.time ?? 0), isKeyFrame: isKeyFrame))
            offset = data + size
        }
        guard !frames.isEmpty else { throw .noFrames }
        return frames
    }

    /// Saturates where the product does not fit.
    private static func multiplied(_ a: UInt64, by b: UInt64, over divisor: UInt64) -> UInt64 {
        let product = a.multipliedFullWidth(by: b)
        guard product.high < divisor else { return .max >> 1 }
        return min(.max >> 1, divisor.dividingFullWidth(product).quotient)
    }

    private static func number(_ bytes: [UInt8], _ offset: Int, _ count: Int) -> UInt64 {
        var out: UInt64 = 0
        for index in (0..<count).reversed() { out = out << 8 | UInt64(bytes[offset + index]) }
        return out
    }

    public func bytes(of index: Int) -> ArraySlice<UInt8> { frames.indices.contains(index) ? bytes[frames[index].range] : [] }

    /// How long this frame is shown, 1/90,000 s: until the next one, and the last one as long as the one before it. At least 1 ms, 10 s at most.
    public func duration(of index: Int) -> UInt64 {
        guard frames.count > 1 else { return 3000 }
        let from = min(max(0, index), frames.count - 2)
        return min(max(90, frames[from + 1].time - frames[from].time), 900_000)
    }

    /// The nearest key frame that is not later.
    public func keyFrame(atOrBefore index: Int) -> Int? { frames[...min(max(0, index), frames.count - 1)].lastIndex(where: \.isKeyFrame) }
}
