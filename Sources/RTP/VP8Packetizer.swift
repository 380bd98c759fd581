import Core

/// Cuts VP8 frames into payloads (RFC 7741 §4): a descriptor with a 15-bit picture id, then a piece of the frame.
struct VP8Packetizer: Sendable {
    private static let descriptorLength = 4

    /// Of the frame before.
    private(set) var pictureID: UInt16

    /// - Parameter pictureID: random; 15 bits count.
    init(pictureID: UInt16) { self.pictureID = pictureID & 0x7FFF }

    /// Another sender's ids went before: goes on behind them.
    mutating func continueAfter(_ pictureID: UInt16) { self.pictureID = pictureID & 0x7FFF }

    /// The payloads of one frame, of nearly the same size; none for an empty frame.
    /// - Parameter maximumPayload: bytes with the descriptor.
    mutating func payloads(of frame: some RandomAccessCollection<UInt8>, maximumPayload: Int) -> [[UInt8]] {
        let room = max(1, maximumPayload - Self.descriptorLength)
        let total = frame.count
        guard total > 0 else { return [] }
        pictureID = (pictureID + 1) & 0x7FFF
        let count = (total + room - 1) / room
        var rest = frame[...]
        return (0..<count).map { index in
            let length = (rest.count + count - index - 1) / (count - index)
            let piece = rest.prefix(length)
            rest = rest.dropFirst(length)
            var descriptor = VP8Descriptor()
            descriptor.startsPartition = index == 0
            descriptor.pictureID = pictureID
            descriptor.hasLongPictureID = true
            var writer = ByteWriter(capacity: Self.descriptorLength + length)
            descriptor.write(to: &writer)
            writer.append(Array(piece))
            return writer.bytes
        }
    }
}
