import Codecs
import Core
import Foundation
import TestPicture
import Testing

@Suite struct VP8Tests {
    /// Writes the fixture anew; the files of other tests were made from it.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["SIDETONE_RECORD_VIDEO"] == "1")) func recordTheFixture() throws {
        let encoder = try VP8Encoder(width: 160, height: 120, kilobits: 300)
        var writer = IVFWriter()
        var out: [UInt8] = []
        for index in 0..<8 {
            let frame = try encoder.encode(Pictures.walk(160, 120, frame: index * 3), keyFrame: index % 4 == 0)
            #expect(frame.isKeyFrame == (index % 4 == 0))
            out += writer.frame(frame.bytes, timestamp: UInt32(index) * 3000)
        }
        try Data(writer.header + out).write(to: URL(fileURLWithPath: Fixtures.path("walk.ivf")))
    }

    private func psnr(_ a: [UInt8], _ b: [UInt8]) -> Double {
        var sum = 0.0
        for (x, y) in zip(a, b) { sum += (Double(x) - Double(y)) * (Double(x) - Double(y)) }
        return 10 * log10(255 * 255 / max(1e-9, sum / Double(max(1, a.count))))
    }

    /// Sides that are no multiple of 16, odd ones too, and the fixture's: what comes out is what went in.
    @Test(arguments: [(160, 120), (161, 97), (16, 16), (1, 1), (640, 480)]) func aDecodedPictureIsTheOneThatWasEncoded(width: Int, height: Int) throws
    {
        let encoder = try VP8Encoder(width: width, height: height, kilobits: 4000)
        let decoder = try VP8Decoder()
        for index in 0..<3 {
            let source = Pictures.walk(width, height, frame: index)
            try decoder.decode(encoder.encode(source, keyFrame: index == 0).bytes)
            let picture = try #require(decoder.takePicture())
            #expect((picture.width, picture.height) == (width, height))
            #expect(psnr(picture.luma, source.luma) > 25)
            #expect(psnr(picture.blue, source.blue) > 20)
            #expect(psnr(picture.red, source.red) > 20)
            #expect(decoder.takePicture() == nil)
        }
    }

    @Test func theFixtureDecodes() throws {
        let decoder = try VP8Decoder()
        for (index, frame) in try Fixtures.walk().enumerated() {
            #expect(VP8FrameHeader(frame)?.isKeyFrame == (index % 4 == 0))
            try decoder.decode(frame)
            let picture = try #require(decoder.takePicture())
            #expect(psnr(picture.luma, Pictures.walk(160, 120, frame: index * 3).luma) > 25)
        }
    }

    @Test func framesMayBeSkippedOnTheWayOut() throws {
        let frames = try Fixtures.walk()
        let all = try VP8Decoder()
        let last = try VP8Decoder()
        var picture: VideoPicture?
        for frame in frames {
            try all.decode(frame)
            picture = all.takePicture()
            try last.decode(frame)
        }
        #expect(picture != nil)
        #expect(last.takePicture() == picture)
    }

    @Test func nothingIsDecodedBeforeAKeyFrame() throws {
        let frames = try Fixtures.walk()
        let decoder = try VP8Decoder()
        #expect(throws: VP8DecoderError.needsKeyFrame) { try decoder.decode(frames[1]) }
        try decoder.decode(frames[0])
        #expect(throws: VP8DecoderError.malformed(code: nil)) { try decoder.decode([]) }
        #expect(throws: VP8DecoderError.needsKeyFrame) { try decoder.decode(frames[1]) }
        #expect(decoder.takePicture() == nil)
        try decoder.decode(frames[4])
        #expect(decoder.takePicture() != nil)
    }

    /// The size is read before libvpx sees the frame, which would ask for the memory.
    @Test(arguments: [(16383, 16383), (1921, 1200), (0, 100), (100, 0), (16383, 141)]) func sizesOverTheLimitAreRefused(width: Int, height: Int)
        throws
    {
        var frame = try Fixtures.walk()[0]
        frame[6] = UInt8(width & 0xFF)
        frame[7] = UInt8(width >> 8)
        frame[8] = UInt8(height & 0xFF)
        frame[9] = UInt8(height >> 8)
        let decoder = try VP8Decoder()
        #expect(throws: VP8DecoderError.pictureSize(width: width, height: height)) { try decoder.decode(frame) }
    }

    @Test func headersAreRead() throws {
        let key = try #require(VP8FrameHeader(Fixtures.walk()[0]))
        #expect(key.isKeyFrame)
        #expect(key.width == 160)
        #expect(key.height == 120)
        #expect(try VP8FrameHeader(Fixtures.walk()[1]) == VP8FrameHeader([1, 0, 0]))
        #expect(VP8FrameHeader([0, 0]) == nil)
        #expect(VP8FrameHeader([0, 0, 0, 0x9D, 0x01, 0x2A, 16, 0, 16]) == nil)
        #expect(VP8FrameHeader([0, 0, 0, 0x9D, 0x01, 0x2B, 16, 0, 16, 0]) == nil)
        // The bits for scaling are no part of the size.
        #expect(VP8FrameHeader([0, 0, 0, 0x9D, 0x01, 0x2A, 16, 0x40, 32, 0x80])?.width == 16)
    }

    /// Torn, flipped, lengthened and mixed frames: an error or a picture of the right size, and a whole key frame always helps.
    @Test(arguments: [UInt64(1), 2, 3, 4]) func hostileFramesCostAnErrorOnly(seed: UInt64) throws {
        let random = RandomSource(seed: seed)
        let frames = try Fixtures.walk()
        let decoder = try VP8Decoder()
        var good = 0
        var refused = 0
        for step in 0..<2500 {
            var frame = frames[Int(random.next() % UInt64(frames.count))]
            switch random.next() % 5 {
            case 0: frame.removeLast(Int(random.next() % UInt64(frame.count)))
            case 1: for _ in 0..<1 + random.next() % 8 { frame[Int(random.next() % UInt64(frame.count))] ^= 1 << UInt8(random.next() % 8) }
            case 2:
                // The sizes of partitions, and the picture's own, stand at the front.
                let at = Int(random.next() % 40)
                for index in at..<min(frame.count, at + 4) { frame[index] = UInt8(truncatingIfNeeded: random.next()) }
            case 3: frame += (0..<Int(random.next() % 500)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            default: break
            }
            do throws(VP8DecoderError) {
                try decoder.decode(frame)
                if let picture = decoder.takePicture() {
                    good += 1
                    #expect(picture.luma.count == picture.width * picture.height)
                }
            } catch {
                refused += 1
            }
            if step % 100 == 99 {
                try decoder.decode(frames[0])
                #expect(decoder.takePicture()?.width == 160)
            }
        }
        #expect(good > 100)
        #expect(refused > 100)
    }
}
