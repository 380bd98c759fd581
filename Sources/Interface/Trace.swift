import Core

/// One thing that happened at one layer: the stream that the ladder, the log, the capture and the diagnosis read.
public struct Trace: Sendable, Equatable {
    public enum Layer: String, Sendable { case sip, stun, dtls, rtp, rtcp, audio, engine }
    public enum Direction: String, Sendable { case sent, received, local }

    public var time: Instant
    public var call: CallID?
    public var layer: Layer
    public var direction: Direction
    /// One line, sanitised: "INVITE sip:bob@192.0.2.7", "Binding request → 192.0.2.7:4000".
    public var meaning: String
    /// The message itself where a reader wants it (SIP); empty otherwise.
    public var payload: [UInt8]
    public var local: SocketAddress?
    public var remote: SocketAddress?

    public init(
        time: Instant, call: CallID?, layer: Layer, direction: Direction, meaning: String, payload: [UInt8] = [], local: SocketAddress? = nil,
        remote: SocketAddress? = nil
    ) {
        self.time = time
        self.call = call
        self.layer = layer
        self.direction = direction
        self.meaning = meaning
        self.payload = payload
        self.local = local
        self.remote = remote
    }
}
