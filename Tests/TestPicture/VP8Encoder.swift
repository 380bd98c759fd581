import CVPX
import Core

/// libvpx' VP8 encoder with its quickest settings: makes real frames for tests and benchmarks.
public final class VP8Encoder {
    public struct Failure: Error { public var code: UInt32 }

    private let context: UnsafeMutablePointer<vpx_codec_ctx_t>
    private let image: UnsafeMutablePointer<vpx_image_t>
    private let width: Int
    private let height: Int
    private var time: Int64 = 0

    /// - Parameter kilobits: the wished rate at 30 frames a second.
    public init(width: Int, height: Int, kilobits: UInt32 = 500) throws {
        var configuration = vpx_codec_enc_cfg_t()
        var code = vpxs_vp8_enc_default(&configuration)
        guard code == VPX_CODEC_OK else { throw Failure(code: code.rawValue) }
        configuration.g_w = UInt32(width)
        configuration.g_h = UInt32(height)
        configuration.g_threads = 1
        configuration.g_timebase = vpx_rational(num: 1, den: 30)
        configuration.g_lag_in_frames = 0
        configuration.rc_end_usage = VPX_CBR
        configuration.rc_target_bitrate = kilobits
        configuration.kf_mode = VPX_KF_DISABLED
        let context = UnsafeMutablePointer<vpx_codec_ctx_t>.allocate(capacity: 1)
        context.initialize(to: vpx_codec_ctx_t())
        code = vpxs_vp8_enc_init(context, &configuration)
        guard code == VPX_CODEC_OK, let image = vpx_img_alloc(nil, VPX_IMG_FMT_I420, UInt32(width), UInt32(height), 16) else {
            context.deallocate()
            throw Failure(code: code.rawValue)
        }
        _ = vpxs_set(context, Int32(VP8E_SET_CPUUSED.rawValue), -8)
        self.context = context
        self.image = image
        self.width = width
        self.height = height
    }

    deinit {
        vpx_img_free(image)
        vpx_codec_destroy(context)
        context.deallocate()
    }

    /// One frame in, one out.
    public func encode(_ picture: VideoPicture, keyFrame: Bool = false) throws -> (bytes: [UInt8], isKeyFrame: Bool) {
        precondition(picture.width == width && picture.height == height)
        copy(picture.luma, plane: 0, width: width, height: height)
        copy(picture.blue, plane: 1, width: picture.chromaWidth, height: picture.chromaHeight)
        copy(picture.red, plane: 2, width: picture.chromaWidth, height: picture.chromaHeight)
        // The macro for it: VPX_EFLAG_FORCE_KF; the deadline is the one for real time.
        let code = vpx_codec_encode(context, image, time, 1, keyFrame ? 1 : 0, 1)
        time += 1
        guard code == VPX_CODEC_OK else { throw Failure(code: code.rawValue) }
        var iterator: vpx_codec_iter_t?
        while let packet = vpx_codec_get_cx_data(context, &iterator) {
            var length = 0
            var isKey: Int32 = 0
            if let bytes = vpxs_frame(packet, &length, &isKey) {
                return (Array(UnsafeRawBufferPointer(start: bytes, count: length)), isKey != 0)
            }
        }
        throw Failure(code: 0)
    }

    private func copy(_ bytes: [UInt8], plane: Int32, width: Int, height: Int) {
        guard let target = vpxs_plane(image, plane) else { return }
        let stride = Int(vpxs_stride(image, plane))
        bytes.withUnsafeBufferPointer { source in
            guard let base = source.baseAddress else { return }
            for row in 0..<height { (target + row * stride).update(from: base + row * width, count: width) }
        }
    }
}
