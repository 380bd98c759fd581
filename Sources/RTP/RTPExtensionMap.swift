/// Which header extensions were negotiated, by the identifiers agreed on (RFC 8285 §5, §7). Nil: not negotiated.
public struct RTPExtensionMap: Sendable, Equatable {
    /// RFC 9143 §15.
    public static let midURI = "urn:ietf:params:rtp-hdrext:sdes:mid"
    public static let transportSequenceURI = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
    /// RFC 6464, client to mixer.
    public static let audioLevelURI = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
    /// What an offer of audio may list.
    public static let supportedURIs = [midURI, transportSequenceURI, audioLevelURI]

    /// The media description a stream belongs to.
    public var mid: UInt8?
    /// One number for each packet of the transport.
    public var transportSequence: UInt8?
    public var audioLevel: UInt8?

    public init(mid: UInt8? = nil, transportSequence: UInt8? = nil, audioLevel: UInt8? = nil) {
        self.mid = mid
        self.transportSequence = transportSequence
        self.audioLevel = audioLevel
    }

    /// Of `a=extmap` lines. Unknown URIs and identifiers that cannot be written (0, 15, above 255) are left out.
    public init(_ pairs: some Sequence<(id: Int, uri: String)>) {
        self.init()
        for (id, uri) in pairs {
            guard let id = UInt8(exactly: id), id != 0, id != 15 else { continue }
            switch uri {
            case Self.midURI: mid = id
            case Self.transportSequenceURI: transportSequence = id
            case Self.audioLevelURI: audioLevel = id
            default: break
            }
        }
    }

    public var isEmpty: Bool { mid == nil && transportSequence == nil && audioLevel == nil }
}

/// How loud a packet is (RFC 6464 §3).
public struct RTPAudioLevel: Sendable, Equatable {
    /// −dBov: 0 is the loudest, 127 is silence.
    public var level: UInt8
    /// The sender takes it for speech.
    public var isVoice: Bool

    /// - Parameter level: more than 127 counts as 127.
    public init(level: UInt8, isVoice: Bool) {
        self.level = min(127, level)
        self.isVoice = isVoice
    }

    init(byte: UInt8) { self.init(level: byte & 0x7F, isVoice: byte & 0x80 != 0) }

    var byte: UInt8 { (isVoice ? 0x80 : 0) | level }
}

/// Writes one header extension block, head and filling included (RFC 3550 §5.3.1, RFC 8285 §4).
///
/// The caller's buffer holds it; elements that do not fit are left out.
struct RTPExtensionWriter {
    /// Longer texts are not sent as elements.
    static let maximumLength = 32
    private static let headLength = 4

    private let buffer: UnsafeMutableRawBufferPointer
    private let isTwoByte: Bool
    private var end = RTPExtensionWriter.headLength

    /// - Parameter isTwoByte: the form for identifiers above 14 and for data longer than 16 bytes.
    init(_ buffer: UnsafeMutableRawBufferPointer, isTwoByte: Bool) {
        self.buffer = buffer
        self.isTwoByte = isTwoByte
    }

    mutating func element(_ id: UInt8, _ data: some Collection<UInt8>) {
        let length = data.count
        let head = isTwoByte ? 2 : 1
        let isWritable = isTwoByte ? id != 0 && length <= Self.maximumLength : (1...14).contains(id) && (1...16).contains(length)
        // Up to three zeros may follow.
        guard isWritable, end + head + length + 3 <= buffer.count else { return }
        if isTwoByte {
            buffer[end] = id
            buffer[end + 1] = UInt8(truncatingIfNeeded: length)
        } else {
            buffer[end] = id << 4 | UInt8(truncatingIfNeeded: length - 1)
        }
        end += head
        for byte in data {
            buffer[end] = byte
            end += 1
        }
    }

    /// - Returns: the block's length; 0 when it has no element, and then nothing was written that counts.
    mutating func finish() -> Int {
        guard end > Self.headLength else { return 0 }
        while end % 4 != 0 {
            buffer[end] = 0
            end += 1
        }
        let profile: UInt16 = isTwoByte ? 0x1000 : 0xBEDE
        buffer.storeBytes(of: profile.bigEndian, toByteOffset: 0, as: UInt16.self)
        buffer.storeBytes(of: UInt16(truncatingIfNeeded: end / 4 - 1).bigEndian, toByteOffset: 2, as: UInt16.self)
        return end
    }
}
