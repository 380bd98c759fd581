import CVPX
import Core

public enum VP8DecoderError: Error, Equatable, Sendable {
    /// The library refused to make a decoder; its code.
    case unavailable(code: UInt32)
    /// The frame's header is none of VP8, or the library cannot decode it; its code, nil when the library was not asked.
    case malformed(code: UInt32?)
    /// Over 1920 × 1200 pixels, or no pixels: the library was not asked.
    case pictureSize(width: Int, height: Int)
    /// Nothing can be decoded before the next key frame: none has come yet, or a frame could not be decoded.
    case needsKeyFrame
}

/// libvpx' VP8 decoder on the calling thread alone. Belongs to one thread at a time.
///
/// Every frame has to be decoded in order; `picture` is copied out only when it is asked for.
public final class VP8Decoder {
    private let context: UnsafeMutablePointer<vpx_codec_ctx_t>
    /// A context that is not open must not be closed.
    private var isOpen = false
    private var needsKeyFrame = true
    /// Of the newest key frame; libvpx takes the sizes of other frames from it.
    private var size = (width: 0, height: 0)

    public init() throws(VP8DecoderError) {
        context = .allocate(capacity: 1)
        context.initialize(to: vpx_codec_ctx_t())
        let code = open()
        guard isOpen else { throw .unavailable(code: code) }
    }

    deinit {
        if isOpen { vpx_codec_destroy(context) }
        context.deinitialize(count: 1)
        context.deallocate()
    }

    private func open() -> UInt32 {
        context.pointee = vpx_codec_ctx_t()
        let code = vpxs_vp8_dec_init(context, 1, 0)
        isOpen = code == VPX_CODEC_OK
        return code.rawValue
    }

    /// Decodes one whole frame. After an error the next frame taken is a key frame.
    public func decode(_ frame: [UInt8]) throws(VP8DecoderError) {
        guard let header = VP8FrameHeader(frame) else {
            needsKeyFrame = true
            throw .malformed(code: nil)
        }
        if header.isKeyFrame {
            let width = header.width ?? 0
            let height = header.height ?? 0
            guard VideoPicture.isAcceptable(width: width, height: height) else {
                needsKeyFrame = true
                throw .pictureSize(width: width, height: height)
            }
            size = (width, height)
        } else if needsKeyFrame {
            throw .needsKeyFrame
        }
        if !isOpen {
            let code = open()
            guard isOpen else { throw .unavailable(code: code) }
        }
        let code = frame.withUnsafeBufferPointer { vpx_codec_decode(context, $0.baseAddress, UInt32(clamping: $0.count), nil, 0) }
        guard code == VPX_CODEC_OK else {
            needsKeyFrame = true
            // What a torn frame left behind is not trusted: the next key frame gets a new decoder.
            vpx_codec_destroy(context)
            isOpen = false
            throw .malformed(code: code.rawValue)
        }
        needsKeyFrame = false
    }

    /// The picture of the frame that was decoded last; nil when it is one that is not to be shown, and when it was taken before.
    public func takePicture() -> VideoPicture? {
        guard isOpen, !needsKeyFrame else { return nil }
        var iterator: vpx_codec_iter_t?
        guard let image = vpx_codec_get_frame(context, &iterator) else { return nil }
        let width = Int(image.pointee.d_w)
        let height = Int(image.pointee.d_h)
        guard image.pointee.fmt == VPX_IMG_FMT_I420, (width, height) == size, VideoPicture.isAcceptable(width: width, height: height) else {
            return nil
        }
        guard
            let luma = Self.plane(image, 0, width: width, height: height),
            let blue = Self.plane(image, 1, width: (width + 1) / 2, height: (height + 1) / 2),
            let red = Self.plane(image, 2, width: (width + 1) / 2, height: (height + 1) / 2)
        else { return nil }
        return VideoPicture(width: width, height: height, luma: luma, blue: blue, red: red)
    }

    /// The plane's rows without what the library keeps around them.
    private static func plane(_ image: UnsafePointer<vpx_image_t>, _ index: Int32, width: Int, height: Int) -> [UInt8]? {
        guard let source = vpxs_plane(image, index) else { return nil }
        let stride = Int(vpxs_stride(image, index))
        guard stride >= width else { return nil }
        return Array(unsafeUninitializedCapacity: width * height) { buffer, count in
            if let target = buffer.baseAddress {
                for row in 0..<height { (target + row * width).initialize(from: source + row * stride, count: width) }
            }
            count = width * height
        }
    }
}
