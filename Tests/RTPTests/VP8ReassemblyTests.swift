import Core
import Testing

@testable import RTP

/// Frames from pieces, whatever comes.
@Suite struct VP8ReassemblyTests {
    private struct Piece {
        var sequence: Int64
        var timestamp: UInt32
        var marker: Bool
        var payload: [UInt8]
    }

    /// A stream with its frames and pieces.
    private struct Stream {
        var frames: [VP8Frame] = []
        var pieces: [[Piece]] = []

        init(_ keys: [Bool], size: Int = 3000, first: Int64 = 1000, seed: UInt64 = 1) {
            let random = RandomSource(seed: seed)
            var packetizer = VP8Packetizer(pictureID: 9)
            var sequence = first
            for (number, isKeyFrame) in keys.enumerated() {
                let bytes = VideoSamples.frame(UInt32(number), isKeyFrame: isKeyFrame, count: size, random: random)
                frames.append(VP8Frame(bytes: bytes, timestamp: UInt32(number) * 3000, isKeyFrame: isKeyFrame))
                let payloads = packetizer.payloads(of: bytes, maximumPayload: 1100)
                pieces.append(
                    payloads.enumerated().map { index, payload in
                        defer { sequence += 1 }
                        return Piece(sequence: sequence, timestamp: UInt32(number) * 3000, marker: index == payloads.count - 1, payload: payload)
                    })
            }
        }
    }

    private func drain(_ reassembly: inout VP8Reassembly) -> (frames: [VP8Frame], asked: Int) {
        var out: (frames: [VP8Frame], asked: Int) = ([], 0)
        while let output = reassembly.poll() {
            if case .frame(let frame) = output { out.frames.append(frame) } else { out.asked += 1 }
        }
        return out
    }

    private func feed(_ reassembly: inout VP8Reassembly, _ piece: Piece, at now: Instant = .zero) -> Bool {
        reassembly.receive(piece.sequence, timestamp: piece.timestamp, marker: piece.marker, payload: piece.payload.span.bytes, at: now)
    }

    /// Pieces and bytes that are held.
    private func held(_ reassembly: VP8Reassembly) -> (pieces: Int, bytes: Int) {
        let fields = Mirror(reflecting: reassembly).children
        let pieces = fields.first { $0.label == "pieces" }.map { Mirror(reflecting: $0.value).children.count }
        return (pieces ?? -1, fields.first { $0.label == "bytesHeld" }?.value as? Int ?? -1)
    }

    @Test(arguments: [UInt64](1...20)) func anyOrderAndDuplicates(seed: UInt64) {
        let stream = Stream([true] + [Bool](repeating: false, count: 40), first: 65_500)
        let random = RandomSource(seed: seed)
        var pieces = stream.pieces.flatMap { $0 }
        // The first one says where the stream begins.
        for index in 1..<pieces.count - 8 { pieces.swapAt(index, index + Int(random.next() % 8)) }
        var reassembly = VP8Reassembly(patience: .milliseconds(100))
        var out: [VP8Frame] = []
        for piece in pieces {
            #expect(feed(&reassembly, piece) && !feed(&reassembly, piece))
            out += drain(&reassembly).frames
        }
        #expect(out == stream.frames && reassembly.deadline == nil && held(reassembly) == (0, 0))
        #expect(pieces.allSatisfy { !feed(&reassembly, $0) } && reassembly.framesDropped == 0 && reassembly.packetsDiscarded == 0)
        #expect(reassembly.framesReceived == 41 && reassembly.keyFramesReceived == 1 && reassembly.width == 640 && reassembly.height == 480)
    }

    /// Each piece of a frame lost in turn: nothing is given out until the next key frame, which is asked for once.
    @Test(arguments: [0, 1, 2]) func aLoss(index: Int) {
        let stream = Stream([true, false, false, false, true, false])
        var reassembly = VP8Reassembly(patience: .milliseconds(100))
        var out: [VP8Frame] = []
        for piece in stream.pieces[0] + stream.pieces[1] { _ = feed(&reassembly, piece) }
        out += drain(&reassembly).frames
        for (number, piece) in stream.pieces[2].enumerated() where number != index { _ = feed(&reassembly, piece) }
        for piece in stream.pieces[3] { _ = feed(&reassembly, piece, at: .zero + .milliseconds(33)) }
        #expect(out.count == 2 && drain(&reassembly) == ([], 0))
        // Waiting begins when the first later piece is there.
        #expect(reassembly.deadline == .zero + .milliseconds(index == 2 ? 133 : 100))
        reassembly.handleTimeout(at: .zero + .milliseconds(99))
        #expect(drain(&reassembly) == ([], 0))
        reassembly.handleTimeout(at: .zero + .milliseconds(133))
        #expect(drain(&reassembly) == ([], 1) && reassembly.deadline == nil)
        // Too late.
        if index == 0 { #expect(!feed(&reassembly, stream.pieces[2][0])) }
        for piece in stream.pieces[4] + stream.pieces[5] { _ = feed(&reassembly, piece) }
        out += drain(&reassembly).frames
        #expect(out == [0, 1, 4, 5].map { stream.frames[$0] } && held(reassembly) == (0, 0) && reassembly.framesDropped > 0)
    }

    /// Without its marker a frame ends where the next one begins.
    @Test func aMissingMarker() {
        let stream = Stream([true, false, false])
        var reassembly = VP8Reassembly(patience: .milliseconds(100))
        for var piece in stream.pieces.flatMap({ $0 }) {
            piece.marker = false
            _ = feed(&reassembly, piece)
        }
        #expect(drain(&reassembly).frames == Array(stream.frames.prefix(2)))
    }

    /// Padding has a number and nothing else.
    @Test func paddingBetween() {
        let stream = Stream([true, false])
        var reassembly = VP8Reassembly(patience: .milliseconds(100))
        var number: Int64 = 0
        for var piece in stream.pieces.flatMap({ $0 }) {
            piece.sequence = number
            #expect(feed(&reassembly, piece))
            #expect(feed(&reassembly, Piece(sequence: number + 1, timestamp: piece.timestamp, marker: false, payload: [])))
            number += 2
        }
        #expect(drain(&reassembly).frames == stream.frames && reassembly.packetsDiscarded == 0)
    }

    @Test func sizesAreLimited() {
        let random = RandomSource(seed: 1)
        for (width, height, isTaken): (UInt16, UInt16, Bool) in [
            (1920, 1200, true), (1200, 1920, true), (1921, 1200, false), (1920, 1201, false), (16_383, 16_383, false), (0, 480, false),
            (640, 0, false), (1, 1, true),
        ] {
            var packetizer = VP8Packetizer(pictureID: 0)
            let bytes = VideoSamples.frame(0, isKeyFrame: true, count: 100, width: width, height: height, random: random)
            var reassembly = VP8Reassembly(patience: .milliseconds(100))
            let payload = packetizer.payloads(of: bytes, maximumPayload: 1100)[0]
            #expect(feed(&reassembly, Piece(sequence: 0, timestamp: 0, marker: true, payload: payload)) == isTaken, "\(width)x\(height)")
            #expect(drain(&reassembly).frames.count == (isTaken ? 1 : 0) && reassembly.packetsDiscarded == (isTaken ? 0 : 1))
        }
        // A key frame without its start code, or cut before its size, is none.
        var reassembly = VP8Reassembly(patience: .milliseconds(100))
        for payload in ["10 10 00 00 9d 01 2b 80 02 e0 01 00", "10 10 00 00 9d 01 2a 80 02", "10", "90 80", ""] {
            _ = feed(&reassembly, Piece(sequence: 1, timestamp: 0, marker: true, payload: hex(payload)))
        }
        #expect(reassembly.packetsDiscarded == 4 && drain(&reassembly).frames.isEmpty)
    }

    /// A frame without end, in partitions without end: bounded, counted, and over with the next key frame.
    @Test func aFrameWithoutEnd() {
        let stream = Stream([true])
        var reassembly = VP8Reassembly(patience: .milliseconds(100))
        #expect(feed(&reassembly, stream.pieces[0][0]))
        var sequence = stream.pieces[0][0].sequence
        var worst = (pieces: 0, bytes: 0)
        for number in 1...9000 {
            sequence += 1
            let payload = [UInt8(0x10 | 1 + number % 7)] + [UInt8](repeating: 7, count: 1200)
            _ = feed(&reassembly, Piece(sequence: sequence, timestamp: 0, marker: false, payload: payload))
            let now = number % 500 == 0 ? held(reassembly) : worst
            worst = (max(worst.pieces, now.pieces), max(worst.bytes, now.bytes))
        }
        #expect(worst.pieces <= VP8Reassembly.capacity && worst.bytes <= VP8Reassembly.byteCapacity && worst.pieces > 100)
        let out = drain(&reassembly)
        #expect(out.frames.isEmpty && out.asked >= 1 && out.asked < 20 && reassembly.framesReceived == 0)
        let next = Stream([true, false], first: sequence + 1)
        for piece in next.pieces.flatMap({ $0 }) { _ = feed(&reassembly, piece) }
        #expect(drain(&reassembly).frames == next.frames)
    }

    /// A hole that nothing fills while much comes: what is held is bounded, and what is older than what was given up is not taken again.
    @Test func aHoleThatNothingFills() {
        let stream = Stream([true, false], first: 0)
        var reassembly = VP8Reassembly(patience: .seconds(1000))
        for piece in stream.pieces[0] { #expect(feed(&reassembly, piece)) }
        #expect(drain(&reassembly).frames.count == 1)
        var sequence: Int64 = 10
        for _ in 0..<VP8Reassembly.capacity {
            _ = feed(&reassembly, Piece(sequence: sequence, timestamp: 9, marker: false, payload: [0, 1, 2]))
            sequence += 1
        }
        #expect(held(reassembly).pieces == VP8Reassembly.capacity)
        // It is one too many, and it is old.
        let old = Piece(sequence: 5, timestamp: 3000, marker: false, payload: stream.pieces[0][0].payload)
        #expect(!feed(&reassembly, old))
        #expect(held(reassembly) == (0, 0) && reassembly.floor == sequence && drain(&reassembly).asked == 1)
        let next = Stream([true, false], first: sequence)
        for piece in next.pieces.flatMap({ $0 }) { #expect(feed(&reassembly, piece)) }
        #expect(drain(&reassembly).frames == next.frames)
    }

    /// The first packet behind a gap that is too long for repair may begin the key frame that ends it.
    @Test func aKeyFrameBehindALongGap() {
        let stream = Stream([true, false, true, false], first: 0)
        var receiver = VideoReceiver(repairs: true)
        var frames: [VP8Frame] = []
        for (number, pieces) in stream.pieces.enumerated() where number != 1 {
            for piece in pieces {
                let sequence = UInt16(piece.sequence + (number > 1 ? 600 : 0))
                let isNew = receiver.receive(
                    sequence, timestamp: piece.timestamp, marker: piece.marker, payload: piece.payload.span.bytes, isRetransmission: false,
                    at: .zero)
                #expect(isNew)
            }
            while let output = receiver.poll() { if case .frame(let frame) = output { frames.append(frame) } }
        }
        #expect(frames == [0, 2, 3].map { stream.frames[$0] })
    }
}
