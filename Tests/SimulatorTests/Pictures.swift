import Codecs
import Core
import Interface
import RTP
import Simulator

@testable import Engine

/// VP8 frames for files: heads as of RFC 6386 §9.1, the rest noise; each differs from all others.
enum Pictures {
    /// 30 frames a second.
    /// - Parameter keys: the numbers of the key frames; the first frame is one.
    static func file(_ count: Int, keys: Set<Int> = [0], size: Int = 900, seed: UInt64 = 1) -> IVFFile {
        let random = RandomSource(seed: seed)
        var writer = IVFWriter()
        var body: [UInt8] = []
        for number in 0..<count {
            let isKeyFrame = number == 0 || keys.contains(number)
            var bytes: [UInt8] = [isKeyFrame ? 0x10 : 0x11, 0, 0]
            if isKeyFrame { bytes += [0x9D, 0x01, 0x2A, 0x80, 0x02, 0xE0, 0x01] }
            bytes += random.bytes(isKeyFrame ? size * 3 : size / 2 + Int(random.next() % UInt64(size)))
            body += writer.frame(bytes, timestamp: UInt32(number) * 3000)
        }
        do { return try IVFFile(writer.header + body) } catch { preconditionFailure("\(error)") }
    }

    /// The numbers in the file of the frames that came; nil: no frame of the file.
    static func numbers(_ frames: [VP8Frame], of file: IVFFile) -> [Int?] {
        var known: [[UInt8]: Int] = [:]
        for index in file.frames.indices { known[Array(file.bytes(of: index))] = index }
        return frames.map { known[$0.bytes] }
    }

    /// What is wrong with them: each is one of the file's, bit for bit, and follows on the one before it, or is a key frame.
    static func faults(_ frames: [VP8Frame], of file: IVFFile) -> [String] {
        var out: [String] = []
        var last: Int?
        for number in numbers(frames, of: file) {
            guard let number else {
                out.append("not of the file")
                continue
            }
            let follows = last.map { number == ($0 + 1) % file.frames.count } ?? false
            if !follows, !file.frames[number].isKeyFrame { out.append("\(number) after \(last.map(String.init) ?? "nothing")") }
            last = number
        }
        return out
    }
}

extension Node {
    func frames(of id: CallID? = nil) -> [VP8Frame] { frames.filter { $0.call == id ?? call }.map(\.frame) }
    func video(_ id: CallID? = nil) -> VideoSession? { phone.calls[id ?? call]?.media.video }
}

/// One RTP packet on the wire, in clear.
struct WirePacket {
    var from: String
    var to: String
    var header: RTPHeader
    var payload: [UInt8]
}

extension Simulation {
    /// Keeps the plain RTP packets that machines send from now on.
    func tap(_ keep: @escaping (WirePacket) -> Void) {
        filters.append { datagram in
            if datagram.kind == .rtp, let header = try? RTPHeader(datagram.payload.span.bytes) {
                keep(
                    WirePacket(
                        from: datagram.source.ip.description, to: datagram.destination.ip.description, header: header,
                        payload: Array(datagram.payload[header.payloadRange])))
            }
            return [datagram]
        }
    }
}
