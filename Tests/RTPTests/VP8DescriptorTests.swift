import Core
import Testing

@testable import RTP

/// Every form of the payload descriptor (RFC 7741 §4.2).
@Suite struct VP8DescriptorTests {
    struct Form: Sendable, CustomTestStringConvertible {
        var text: String
        var length: Int
        var picture: UInt16?
        var isLong = false
        var levelZero: UInt8?
        var layer: UInt8?
        var isSync = false
        var key: UInt8?
        var testDescription: String { text }
    }

    static let forms: [Form] = [
        Form(text: "10", length: 1),
        Form(text: "90 00", length: 2),
        Form(text: "90 80 7f", length: 3, picture: 0x7F),
        Form(text: "90 80 ff ff", length: 4, picture: 0x7FFF, isLong: true),
        Form(text: "90 80 80 05", length: 4, picture: 5, isLong: true),
        Form(text: "90 40 c8", length: 3, levelZero: 200),
        Form(text: "90 20 60", length: 3, layer: 1, isSync: true),
        Form(text: "90 10 1f", length: 3, key: 31),
        Form(text: "90 30 d1", length: 3, layer: 3, key: 17),
        Form(text: "90 60 09 80", length: 4, levelZero: 9, layer: 2),
        Form(text: "90 a0 11 40", length: 4, picture: 0x11, layer: 1),
        Form(text: "90 c0 11 ff", length: 4, picture: 0x11, levelZero: 255),
        Form(text: "90 e0 92 34 07 a0", length: 6, picture: 0x1234, isLong: true, levelZero: 7, layer: 2, isSync: true),
        Form(text: "90 f0 92 34 07 a9", length: 6, picture: 0x1234, isLong: true, levelZero: 7, layer: 2, isSync: true, key: 9),
    ]

    @Test(arguments: forms) func readsAndWrites(form: Form) throws {
        let bytes = hex(form.text)
        let descriptor = try VP8Descriptor((bytes + [0xAA]).span.bytes)
        #expect(descriptor.length == form.length && descriptor.startsFrame && !descriptor.isNonReference)
        #expect(descriptor.pictureID == form.picture && descriptor.hasLongPictureID == form.isLong)
        #expect(descriptor.temporalLevelZeroIndex == form.levelZero && descriptor.temporalLayer == form.layer)
        #expect(descriptor.isLayerSync == form.isSync && descriptor.keyIndex == form.key)
        // An extension byte without anything is not written again.
        if form.text != "90 00" {
            var writer = ByteWriter()
            descriptor.write(to: &writer)
            #expect(writer.bytes == bytes)
        }
        // Cut anywhere, and with nothing behind it: no descriptor.
        for count in 0...bytes.count {
            #expect(throws: VP8DescriptorError.truncated) { try VP8Descriptor(Array(bytes.prefix(count)).span.bytes) }
        }
    }

    /// The reserved bits say nothing.
    @Test func firstByte() throws {
        for first in UInt8(0)...0x7F {
            let descriptor = try VP8Descriptor([first, 0].span.bytes)
            #expect(descriptor.isNonReference == (first & 0x20 != 0) && descriptor.startsPartition == (first & 0x10 != 0))
            #expect(descriptor.partitionIndex == first & 7 && descriptor.startsFrame == (first & 0x17 == 0x10) && descriptor.length == 1)
        }
    }

    /// All flags with all of what may follow: what is read can be written, and reads the same again.
    @Test func allFlags() throws {
        let random = RandomSource(seed: 5)
        for flags in UInt8(0)...255 {
            for _ in 0..<8 {
                let bytes = [0x80 | UInt8(truncatingIfNeeded: random.next()) & 0x7F, flags] + random.bytes(6)
                let read = try VP8Descriptor(bytes.span.bytes)
                var writer = ByteWriter()
                read.write(to: &writer)
                let again = try VP8Descriptor((writer.bytes + [0]).span.bytes)
                #expect(again.pictureID == read.pictureID && again.temporalLevelZeroIndex == read.temporalLevelZeroIndex)
                #expect(again.temporalLayer == read.temporalLayer && again.keyIndex == read.keyIndex && again.isLayerSync == read.isLayerSync)
                #expect(again.startsFrame == read.startsFrame && again.isNonReference == read.isNonReference)
                #expect(read.length <= 6 && (flags & 0xF0 == 0 || again.length == read.length))
            }
        }
    }

    @Test func packetizer() throws {
        let random = RandomSource(seed: 6)
        var packetizer = VP8Packetizer(pictureID: 0x7FFE)
        var id: UInt16 = 0x7FFE
        for count in [1, 2, 1095, 1096, 1097, 5000, 20_000] {
            let frame = random.bytes(count)
            let payloads = packetizer.payloads(of: frame, maximumPayload: 1100)
            id = (id + 1) & 0x7FFF
            #expect(payloads.count == (count + 1095) / 1096 && payloads.allSatisfy { $0.count <= 1100 })
            var whole: [UInt8] = []
            for (index, payload) in payloads.enumerated() {
                let descriptor = try VP8Descriptor(payload.span.bytes)
                #expect(descriptor.startsFrame == (index == 0) && descriptor.pictureID == id && descriptor.hasLongPictureID && descriptor.length == 4)
                whole += payload[4...]
            }
            #expect(whole == frame)
        }
        // An empty frame takes no picture id.
        #expect(packetizer.payloads(of: [], maximumPayload: 1100).isEmpty && packetizer.pictureID == id)
        // Room for one byte at least.
        #expect(packetizer.payloads(of: [1, 2, 3], maximumPayload: 0).count == 3)
    }
}
