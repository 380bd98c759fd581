import Core

/// Cuts the bytes of a TURN connection into STUN messages and ChannelData, whose padding to four bytes it takes off (RFC 8656 §3.5, §12.5).
public struct TurnStreamFramer: Sendable {
    public enum Failure: Error, Hashable, Sendable {
        /// A message begins with bits that are neither STUN nor ChannelData.
        case notTurn
    }

    private var buffer: [UInt8] = []
    private var start = 0

    public init() {}

    public mutating func append(_ bytes: [UInt8]) {
        if start > 0 {
            buffer.removeFirst(start)
            start = 0
        }
        buffer += bytes
    }

    /// The next whole message; nil when more bytes must come. After an error the stream is of no more use.
    public mutating func next() throws(Failure) -> [UInt8]? {
        guard buffer.count - start >= 4 else { return nil }
        let length = Int(buffer[start + 2]) << 8 | Int(buffer[start + 3])
        let count: Int
        let padded: Int
        switch buffer[start] >> 6 {
        case 0:
            count = StunMessage.headerBytes + length
            padded = count
        case 1:
            count = 4 + length
            padded = (count + 3) & ~3
        default: throw .notTurn
        }
        guard buffer.count - start >= padded else { return nil }
        defer { start += padded }
        return Array(buffer[start..<start + count])
    }
}
