import Core
import RTP
import SDP

/// The telephone-events of one audio stream (RFC 4733), both ways.
///
/// A peer may take events at 8000 Hz only, beside Opus at 48000 Hz. Then durations count in the event's clock, while the RTP timestamp
/// goes on in the audio's: one source has one running timestamp, and receivers only compare it.
struct MediaDigits {
    /// One packet to send instead of audio.
    struct Outgoing {
        var payloadType: UInt8
        var timestamp: UInt32
        var packet: TelephoneEventSender.Packet
    }

    private var sender: TelephoneEventSender?
    private var sendType: UInt8 = 0
    /// Audio clock over event clock.
    private var ratio: UInt32 = 1
    private var receivers: [UInt8: TelephoneEventReceiver] = [:]

    /// The peer takes telephone-events.
    var canSend: Bool { sender != nil }

    mutating func adopt(_ media: NegotiatedMedia) {
        let clock = UInt32(clamping: media.codecs.first?.clockRate ?? 8000)
        let rated = media.dtmf.compactMap { event in UInt32(exactly: event.clockRate).map { (event: event, clock: $0) } }
        let usable = rated.first { $0.clock == clock } ?? rated.first { $0.clock > 0 && clock % $0.clock == 0 }
        if let usable {
            let newRatio = clock / max(1, usable.clock)
            if sender == nil || newRatio != ratio { sender = TelephoneEventSender(clockRate: usable.clock) }
            sendType = usable.event.sendPayloadType
            ratio = max(1, newRatio)
        } else {
            sender = nil
        }
        for (event, clock) in rated where receivers[event.receivePayloadType] == nil {
            receivers[event.receivePayloadType] = TelephoneEventReceiver(clockRate: clock)
        }
    }

    mutating func enqueue(_ digits: String) throws(TelephoneEventError) { try sender?.enqueue(digits) }

    /// - Parameter timestamp: of the audio packet in whose place it goes.
    mutating func next(timestamp: UInt32) -> Outgoing? {
        guard let packet = sender?.next(timestamp: timestamp / ratio) else { return nil }
        return Outgoing(payloadType: sendType, timestamp: packet.timestamp &* ratio, packet: packet)
    }

    /// True when the payload type is one of telephone-event.
    mutating func receive(_ payload: RawSpan, header: RTPHeader, at now: Instant) -> Bool {
        guard receivers[header.payloadType] != nil else { return false }
        try? receivers[header.payloadType]?.receive(payload, timestamp: header.timestamp, marker: header.marker, at: now)
        return true
    }

    mutating func restart() { for type in receivers.keys { receivers[type]?.restart() } }

    mutating func poll() -> TelephoneEventReceiver.Received? {
        for type in receivers.keys.sorted() {
            if let received = receivers[type]?.poll() { return received }
        }
        return nil
    }

    var deadline: Instant? { receivers.values.reduce(nil) { earliest($0, $1.deadline) } }

    mutating func handleTimeout(at now: Instant) { for type in receivers.keys { receivers[type]?.handleTimeout(at: now) } }
}
