import Core
import RTP
import Testing

@Suite struct PacketKindTests {
    static let expected: [(ClosedRange<UInt8>, PacketKind)] = [
        (0...3, .stun), (4...15, .unknown), (16...19, .zrtp), (20...63, .dtls), (64...79, .turnChannel), (80...127, .unknown), (128...191, .rtp),
        (192...255, .unknown),
    ]

    @Test(arguments: expected) func firstByte(range: ClosedRange<UInt8>, kind: PacketKind) {
        let wrong = range.filter { PacketKind.classify(firstByte: $0, secondByte: 0) != kind }
        #expect(wrong.isEmpty)
    }

    @Test func secondByteTellsRTCP() {
        let control = (0...255).filter { PacketKind.classify(firstByte: 0x80, secondByte: UInt8($0)) == .rtcp }
        #expect(control == Array(192...223))
        #expect(PacketKind.classify([UInt8]().span.bytes) == .unknown)
        #expect(PacketKind.classify([UInt8(0x80)].span.bytes) == .unknown)
        #expect(PacketKind.classify([UInt8(0x80), 200].span.bytes) == .rtcp)
    }
}
