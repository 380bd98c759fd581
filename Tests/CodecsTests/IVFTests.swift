import Core
import Testing

@testable import Codecs

/// IVF files of VP8: what is written reads back bit for bit, and what is broken says so in one line.
@Suite struct IVFTests {
    private func frame(_ isKeyFrame: Bool, _ count: Int, _ random: RandomSource, width: UInt16 = 640, height: UInt16 = 480) -> [UInt8] {
        var bytes: [UInt8] = [isKeyFrame ? 0x10 : 0x11, 0, 0]
        if isKeyFrame {
            bytes += [0x9D, 0x01, 0x2A, UInt8(truncatingIfNeeded: width), UInt8(width >> 8), UInt8(truncatingIfNeeded: height), UInt8(height >> 8)]
        }
        return bytes + random.bytes(count)
    }

    private func little(_ value: UInt64, _ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }

    /// A file by hand: time base, then frames with their stamps.
    private func file(
        rate: UInt32 = 30, scale: UInt32 = 1, version: UInt64 = 0, headerLength: UInt64 = 32, codec: String = "VP80", _ frames: [(UInt64, [UInt8])]
    ) -> [UInt8] {
        var out = Array("DKIF".utf8) + little(version, 2) + little(headerLength, 2) + Array(codec.utf8)
        out += little(640, 2) + little(480, 2) + little(UInt64(rate), 4) + little(UInt64(scale), 4) + little(UInt64(frames.count), 4) + little(0, 4)
        for (stamp, bytes) in frames { out += little(UInt64(bytes.count), 4) + little(stamp, 8) + bytes }
        return out
    }

    private func failure(_ bytes: [UInt8]) -> IVFError? {
        do throws(IVFError) {
            _ = try IVFFile(bytes)
            return nil
        } catch {
            return error
        }
    }

    @Test func roundTrip() throws {
        let random = RandomSource(seed: 1)
        var writer = IVFWriter()
        #expect(writer.header == file(rate: 90_000, []).map { $0 }.enumerated().map { (12..<16).contains($0.offset) ? 0 : $0.element })
        var body: [UInt8] = []
        var frames: [[UInt8]] = []
        // The clock wraps on the way.
        var timestamp = UInt32.max - 10_000
        for number in 0..<50 {
            let bytes = frame(number % 20 == 0, 1 + Int(random.next() % 3000), random, width: number < 20 ? 320 : 1920, height: 200)
            frames.append(bytes)
            body += writer.frame(bytes, timestamp: timestamp)
            timestamp &+= number % 2 == 0 ? 2970 : 3030
        }
        let read = try IVFFile(writer.header + body)
        #expect(read.width == 320 && read.height == 200 && read.frames.count == 50 && writer.frameCount == 50)
        for (number, bytes) in frames.enumerated() {
            #expect(Array(read.bytes(of: number)) == bytes && read.frames[number].isKeyFrame == (number % 20 == 0))
            #expect(read.frames[number].time == UInt64(number / 2 * 6000 + number % 2 * 2970))
        }
        #expect(read.bytes(of: 50).isEmpty && read.bytes(of: -1).isEmpty)
        #expect(read.duration(of: 0) == 2970 && read.duration(of: 1) == 3030 && read.duration(of: 49) == 2970 && read.duration(of: -5) == 2970)
        #expect(read.keyFrame(atOrBefore: 39) == 20 && read.keyFrame(atOrBefore: 40) == 40 && read.keyFrame(atOrBefore: 999) == 40)
        #expect(read.keyFrame(atOrBefore: -1) == 0)
    }

    /// A jump of the clock that cannot be is one frame, and time never runs back.
    @Test func writtenTimes() throws {
        var writer = IVFWriter()
        let random = RandomSource(seed: 2)
        var body: [UInt8] = []
        for timestamp: UInt32 in [5000, 8000, 8000, 7000, 0x8000_0000, 0x8000_0BB8] {
            body += writer.frame(frame(true, 9, random), timestamp: timestamp)
        }
        #expect(try IVFFile(writer.header + body).frames.map(\.time) == [0, 3000, 6000, 9000, 12_000, 15_000])
    }

    /// Other time bases; stamps that run back; sizes and stamps as large as they can be.
    @Test func readTimes() throws {
        let random = RandomSource(seed: 3)
        let bytes = frame(true, 10, random)
        func times(_ rate: UInt32, _ scale: UInt32, _ stamps: [UInt64]) throws -> [UInt64] {
            try IVFFile(file(rate: rate, scale: scale, stamps.map { ($0, bytes) })).frames.map(\.time)
        }
        #expect(try times(30, 1, [7, 8, 10]) == [0, 3000, 9000] && times(30_000, 1001, [0, 1, 2]) == [0, 3003, 6006])
        #expect(try times(30, 1, [5, 9, 6, 10]) == [0, 12_000, 12_000, 15_000] && times(30, 1, [5, 3, 6]) == [0, 0, 3000])
        let huge = try IVFFile(file(rate: 1, scale: .max, [(0, bytes), (.max, bytes), (1, bytes)]))
        #expect(huge.frames[1].time == .max >> 1 && huge.frames[2].time == .max >> 1 && huge.duration(of: 0) == 900_000)
        #expect(huge.duration(of: 1) == 90)
        #expect(try IVFFile(file([(0, bytes)])).duration(of: 0) == 3000)
        // A longer header is skipped.
        var long = file(headerLength: 40, [])
        long += [UInt8](repeating: 9, count: 8) + little(UInt64(bytes.count), 4) + little(0, 8) + bytes
        #expect(try Array(IVFFile(long).bytes(of: 0)) == bytes)
    }

    @Test func brokenFiles() {
        let random = RandomSource(seed: 4)
        let key = frame(true, 50, random)
        let good = file([(0, key), (1, frame(false, 50, random))])
        #expect(failure(good) == nil)
        #expect(failure([]) == .notIVF && failure(Array(good.prefix(31))) == .notIVF && failure(Array("RIFF".utf8) + good.dropFirst(4)) == .notIVF)
        #expect(failure(file(version: 1, [(0, key)])) == .unsupportedVersion(1))
        #expect(failure(file(codec: "VP90", [(0, key)])) == .notVP8("VP90"))
        #expect(failure(file(headerLength: 31, [(0, key)])) == .notIVF && failure(file(headerLength: 60_000, [(0, key)])) == .notIVF)
        #expect(failure(file(rate: 0, [(0, key)])) == .badTimeBase && failure(file(scale: 0, [(0, key)])) == .badTimeBase)
        #expect(failure(file([])) == .noFrames && failure(file([(0, [])])) == .emptyFrame(offset: 32))
        #expect(failure(file([(0, [0x11, 0, 0])])) == .noKeyFrame)
        // Cut anywhere behind the header: the frame that is torn is named, or there is none.
        let second = 32 + 12 + key.count
        for count in 32..<good.count {
            let expected: IVFError? = count == 32 ? .noFrames : count == second ? nil : .truncated(offset: count < second ? 32 : second)
            #expect(failure(Array(good.prefix(count))) == expected, "cut at \(count)")
        }
        // A size that is beyond everything.
        var huge = good
        huge.replaceSubrange(second..<second + 4, with: [0xFF, 0xFF, 0xFF, 0xFF])
        #expect(failure(huge) == .truncated(offset: second))
    }

    /// Each message is one line, whatever the file says.
    @Test func messagesAreOneLine() {
        let errors: [IVFError?] = [
            .notIVF, .unsupportedVersion(65_535), .badTimeBase, .truncated(offset: 5), .emptyFrame(offset: 5), .noFrames, .noKeyFrame, .tooManyFrames,
            failure(file(codec: "\n\u{1B}[2", [])),
        ]
        for error in errors {
            let text = error?.description ?? ""
            #expect(!text.isEmpty && !text.unicodeScalars.contains { $0.value < 32 || $0.value == 127 }, "\(text)")
        }
    }

    /// Mutated files: nothing traps, and each frame lies inside.
    @Test func mutatedFiles() {
        let random = RandomSource(seed: 5)
        let good = file((0..<20).map { (UInt64($0), frame($0 % 7 == 0, 40, random)) })
        var read = 0
        for _ in 0..<8000 {
            var bytes = good
            for _ in 0...Int(random.next() % 4) {
                let place = Int(random.next() % UInt64(bytes.count))
                switch random.next() % 4 {
                case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes[place] ^= 1 << UInt8(random.next() % 8)
                case 2: bytes.removeLast(min(bytes.count - 1, Int(random.next() % 60)))
                default: bytes.replaceSubrange(place..<min(bytes.count, place + 4), with: random.bytes(4))
                }
            }
            guard let file = try? IVFFile(bytes) else { continue }
            read += 1
            var time: UInt64 = 0
            for (index, frame) in file.frames.enumerated() {
                #expect(frame.range.lowerBound >= 44 && frame.range.upperBound <= bytes.count && !frame.range.isEmpty && frame.time >= time)
                #expect(file.bytes(of: index).count == frame.range.count && (90...900_000).contains(file.duration(of: index)))
                time = frame.time
            }
        }
        #expect(read > 200)
    }
}
