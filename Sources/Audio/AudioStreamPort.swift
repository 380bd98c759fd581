import Codecs
import Core
import Synchronization

/// What the loop and the audio thread share of one call's audio stream.
///
/// The loop side (`receive`, `popEncoded`, `setFormat`, controls, `statistics`) belongs to the loop's thread, the rest to the audio thread.
/// Neither side blocks or locks; the audio side does not allocate.
public final class AudioStreamPort: @unchecked Sendable {
    let inbound: PacketRing
    let outbound: PacketRing
    let formats = ObjectQueue<AudioStreamCodecs>(capacity: 8)
    let retiredFormats = ObjectQueue<AudioStreamCodecs>(capacity: 16)
    let controls = Atomic<UInt32>(Control.sendEnabled.rawValue | Control.receiveEnabled.rawValue)
    let expectedLoss = Atomic<Int>(-1)
    let figures = AudioStreamFigures()
    private let currentFormat = Mutex<AudioStreamFormat?>(nil)
    /// The loop's own.
    private var attachments = 0
    /// Called on the loop's thread when `sendAllowed` becomes true. Belongs to whoever runs the pipeline.
    public var onSendAllowed: (() -> Void)?

    struct Control: OptionSet {
        var rawValue: UInt32
        static let muted = Control(rawValue: 1)
        static let held = Control(rawValue: 2)
        static let sendEnabled = Control(rawValue: 4)
        static let receiveEnabled = Control(rawValue: 8)
        static let sendAllowed = Control(rawValue: 16)
    }

    /// - Parameter packets: how many packets each direction's ring holds.
    public init(format: AudioStreamFormat? = nil, packets: Int = 64) throws(CodecError) {
        inbound = PacketRing(slots: packets, slotBytes: 1536)
        outbound = PacketRing(slots: packets, slotBytes: 1536)
        if let format { try setFormat(format) }
    }

    // MARK: Loop side

    /// A received, unprotected RTP packet's header and payload. False when it was not taken (ring full, too large).
    /// `arrival` is on the clock that the tick is told (CLOCK_MONOTONIC in `AudioEngine`).
    @discardableResult
    public func receive(_ header: AudioPacketHeader, payload: RawSpan, arrival: Instant) -> Bool {
        let size = AudioPacketHeader.byteCount
        let count = payload.byteCount
        guard count <= inbound.slotBytes - size else { return false }
        return payload.withUnsafeBytes { source in
            inbound.push(stamp: arrival.nanoseconds) { slot in
                header.write(to: slot)
                if count > 0 { UnsafeMutableRawBufferPointer(rebasing: slot[size..<size + count]).copyMemory(from: source) }
                return size + count
            }
        }
    }

    /// The oldest encoded frame, with the instant of its capture. False when there is none.
    @discardableResult
    public func popEncoded(_ body: (EncodedAudioHeader, _ payload: UnsafeRawBufferPointer, _ captured: Instant) -> Void) -> Bool {
        outbound.pop { bytes, stamp in
            guard let header = EncodedAudioHeader(ring: bytes) else { return }
            body(header, UnsafeRawBufferPointer(rebasing: bytes[EncodedAudioHeader.byteCount...]), Instant(nanoseconds: stamp))
        }
    }

    public var hasEncoded: Bool { !outbound.isEmpty }

    /// A new negotiated format, used from the next tick on. The codecs are made here, on the loop's side.
    public func setFormat(_ format: AudioStreamFormat) throws(CodecError) {
        while retiredFormats.pop() != nil {}
        if currentFormat.withLock({ $0 == format }) { return }
        let codecs = try AudioStreamCodecs(format)
        guard formats.push(codecs) else { throw .unavailable(code: 0) }
        currentFormat.withLock { $0 = format }
    }

    /// A stream that is attached again needs codecs anew: those of the first time went with it. False when they cannot be made.
    func prepareForAttaching() -> Bool {
        guard attachments > 0, let format = currentFormat.withLock({ $0 }) else {
            attachments += 1
            return true
        }
        while retiredFormats.pop() != nil {}
        guard let codecs = try? AudioStreamCodecs(format) else { return false }
        attachments += 1
        return formats.push(codecs)
    }

    public var format: AudioStreamFormat? { currentFormat.withLock { $0 } }

    /// Silence is sent in place of the source.
    public var isMuted: Bool {
        get { has(.muted) }
        set { set(.muted, newValue) }
    }

    /// Local hold: silence is sent (while `sendEnabled`), and what comes in is not played on the device.
    public var isHeld: Bool {
        get { has(.held) }
        set { set(.held, newValue) }
    }

    /// The negotiated direction: whether frames are encoded at all.
    public var sendEnabled: Bool {
        get { has(.sendEnabled) }
        set { set(.sendEnabled, newValue) }
    }

    /// The negotiated direction: whether received audio is expected. Off: nothing is decoded or concealed.
    public var receiveEnabled: Bool {
        get { has(.receiveEnabled) }
        set { set(.receiveEnabled, newValue) }
    }

    /// Off at the start: nothing is encoded or sent until media may leave (keys verified).
    public var sendAllowed: Bool {
        get { has(.sendAllowed) }
        set {
            guard newValue != has(.sendAllowed) else { return }
            set(.sendAllowed, newValue)
            if newValue { onSendAllowed?() }
        }
    }

    /// Percent of our packets that the peer reports as lost.
    public func setExpectedLoss(percent: Int) { expectedLoss.store(min(100, max(0, percent)), ordering: .relaxed) }

    public var statistics: AudioStreamStatistics { figures.snapshot(refused: inbound.refusedCount) }

    // MARK: Both sides

    func has(_ control: Control) -> Bool { controls.load(ordering: .relaxed) & control.rawValue != 0 }

    private func set(_ control: Control, _ on: Bool) {
        if on {
            controls.bitwiseOr(control.rawValue, ordering: .relaxed)
        } else {
            controls.bitwiseAnd(~control.rawValue, ordering: .relaxed)
        }
    }
}

/// The codecs of one negotiated format: made on the loop's side, used on the audio thread, freed on the loop's side.
final class AudioStreamCodecs: @unchecked Sendable {
    let send: AudioStreamFormat.Send?
    let encoder: AudioEncoder?
    /// Indexed by payload type.
    let decoders: [AudioDecoder?]

    init(_ format: AudioStreamFormat) throws(CodecError) {
        send = format.send
        if let send = format.send { encoder = try AudioEncoder(send.codec, opus: send.opus) } else { encoder = nil }
        var decoders = [AudioDecoder?](repeating: nil, count: 128)
        for (payloadType, kind) in format.receive where payloadType < 128 { decoders[Int(payloadType)] = try AudioDecoder(kind) }
        self.decoders = decoders
    }

    func decoder(payloadType: UInt8) -> AudioDecoder? { payloadType < 128 ? decoders[Int(payloadType)] : nil }
}
