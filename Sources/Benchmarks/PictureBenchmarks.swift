import CVPX
import Codecs
import Core
import Screen
import TestPicture

/// From a VP8 frame to the cells of a terminal.
enum PictureBenchmarks {
    static func run() throws {
        Report.head("A video frame on the terminal, CPU for one frame")
        try measure(width: 640, height: 480, columns: 80, rows: 24)
        try measure(width: 1280, height: 720, columns: 200, rows: 60)
    }

    private static func measure(width: Int, height: Int, columns: Int, rows: Int) throws {
        let encoder = try VP8Encoder(width: width, height: height, kilobits: 1000)
        var frames: [[UInt8]] = []
        for index in 0..<15 { frames.append(try encoder.encode(Pictures.walk(width, height, frame: index), keyFrame: index == 0).bytes) }
        let decoder = try VP8Decoder()
        let bare = try BareVP8()
        var picture = Pictures.flat(width, height, y: 16)
        var grid = CellGrid(columns: columns, rows: rows)
        let area = PictureCells.Area(column: 0, row: 0, columns: columns, rows: rows)
        let name = "\(width)×\(height)"
        let decoding = try Measure.turns(
            rounds: 7, items: frames.count,
            [
                {
                    for frame in frames {
                        try decoder.decode(frame)
                        if let new = decoder.takePicture() { picture = new }
                    }
                },
                { for frame in frames { bare.decode(frame) } },
            ])
        Report.compare("\(name): decoded, planes copied out", decoding[0], decoding[1], bareName: "libvpx")
        for colours in [PictureColours.indexed, .trueColour] {
            let measured = try Measure.alone(items: frames.count) {
                for _ in frames { keep(PictureCells.draw(picture, into: &grid, area: area, colours: colours)) }
            }
            Report.line("\(name): to \(columns)×\(rows) cells, \(colours.rawValue)", measured)
        }
    }
}

/// libvpx with nothing around it.
private final class BareVP8 {
    private let context: UnsafeMutablePointer<vpx_codec_ctx_t>

    struct Failure: Error { var code: UInt32 }

    init() throws {
        context = .allocate(capacity: 1)
        context.initialize(to: vpx_codec_ctx_t())
        let code = vpxs_vp8_dec_init(context, 1, 0)
        guard code == VPX_CODEC_OK else { throw Failure(code: code.rawValue) }
    }

    deinit {
        vpx_codec_destroy(context)
        context.deallocate()
    }

    func decode(_ frame: [UInt8]) {
        keep(vpx_codec_decode(context, frame, UInt32(frame.count), nil, 0))
        var iterator: vpx_codec_iter_t?
        keep(vpx_codec_get_frame(context, &iterator))
    }
}
