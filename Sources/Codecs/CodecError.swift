import COpus
import CVPX

public enum CodecError: Error, Equatable, Sendable {
    /// The library refused to make a codec; its code.
    case unavailable(code: Int32)
    /// The payload cannot be decoded; the library's code.
    case malformed(code: Int32)
    /// The buffer is too small or the frame is not a length that the codec knows.
    case frameSize
}

/// The version text of the linked libopus, e.g. "libopus 1.3.1".
public var opusVersion: String { opus_get_version_string().map { String(cString: $0) } ?? "libopus" }

/// The version text of the linked libvpx, e.g. "v1.12.0".
public var vpxVersion: String { vpx_codec_version_str().map { String(cString: $0) } ?? "libvpx" }
