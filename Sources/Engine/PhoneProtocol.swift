import Audio
import Core
import Interface
import RTP
import SIP

/// Names one set of media sockets of a call: a call that is offered again after a step down keeps its own.
public struct MediaSocketID: Hashable, Sendable, CustomStringConvertible {
    public let raw: UInt64
    public init(raw: UInt64) { self.raw = raw }
    public var description: String { String(raw) }
}

/// Names one connection to a TURN server over TCP or TLS. Never used again.
public struct MediaStreamID: Hashable, Sendable {
    public let raw: UInt64
    public init(raw: UInt64) { self.raw = raw }
}

/// A bound UDP socket for media.
public struct MediaSocket: Hashable, Sendable {
    /// 1 for RTP (and muxed RTCP), 2 for RTCP.
    public var component: Int
    /// The bound address; never unspecified.
    public var address: SocketAddress
    public init(component: Int, address: SocketAddress) {
        self.component = component
        self.address = address
    }
}

/// Facts that the world tells the phone. Packets come by `receiveSignalling`, `receiveMedia` and `receiveStream`.
public enum PhoneInput: Sendable {
    case command(Command)
    /// What the user agent asked for or should know: sockets listening, names resolved, connections made and lost.
    case signalling(UserAgent.Input)
    /// The sockets asked for by `.openMedia`. The first address of component 1 is the default one, for `c=`.
    case mediaOpened(MediaSocketID, [MediaSocket])
    /// `unresolved`: the next hop's name has no address.
    case mediaFailed(MediaSocketID, message: String, unresolved: Bool)
    /// A media socket's address went away.
    case mediaClosed(MediaSocketID, SocketAddress)
    /// The answer to a request for `.more` sockets; none when there is no other address.
    case mediaAdded(MediaSocketID, [MediaSocket])
    /// The machine's addresses now, without loopback: told when one came or went.
    case addressesChanged([IPAddress])
    /// A connection asked for by `.openStream` is up, its TLS handshake done.
    case streamOpened(MediaStreamID, local: SocketAddress)
    /// It was closed by the other side, or could not be opened.
    case streamClosed(MediaStreamID, reason: String)
    case audio(AudioSnapshot)
    /// Something a person should know, from devices or files.
    case warning(code: String, message: String)
    /// The built-in echo endpoint answers here.
    case echoListening(SIPURI)
    /// It cannot start: the call to it ends.
    case echoFailed(String)
    /// SIGINT, SIGTERM or SIGHUP.
    case interrupted(signal: Int32)
}

/// What to open for a call's media.
public struct MediaRequest: Sendable, Equatable {
    public enum Toward: Sendable, Equatable {
        /// The next hop of the signalling: its route picks the default address.
        case query(ResolutionQuery)
        /// The local address that the peer's request came to.
        case local(IPAddress)
        /// Sockets on addresses that the call has none on yet, the one that leads to this address first. `.mediaAdded` answers.
        case more(toward: IPAddress?)
    }

    public var id: MediaSocketID
    public var toward: Toward
    /// 2 when RTCP may need a port of its own (RTP port + 1), else 1.
    public var components: Int
    /// With ICE: sockets on every usable address; without: the default address only.
    public var allAddresses: Bool
}

/// What audio the call in focus and the phone itself want.
public enum AudioRequest: Sendable {
    case attach(CallID, AudioStreamPort)
    case detach(CallID)
    /// What the first call sends is what the second one receives; nil: the input again.
    case join(CallID, CallID?)
    case focus(CallID?)
    case tone(LocalTone?)
    case selectInput(String)
    case selectOutput(String)
}

/// Tones that the phone plays by itself.
public enum LocalTone: String, Sendable, Equatable { case ring, ringback, busy, failure }

/// What the phone wants done.
public enum PhoneOutput: Sendable {
    case transmit(SIPTransmit)
    case connect(ConnectionID, SIPTransport, from: SocketAddress?, to: SocketAddress, serverName: String)
    case close(ConnectionID)
    case resolve(ResolutionID, ResolutionQuery)
    case openMedia(MediaRequest)
    case closeMedia(MediaSocketID)
    /// One socket of a call: its address is gone.
    case closeMediaSocket(MediaSocketID, SocketAddress)
    case sendMedia(MediaSocketID, Transmit)
    /// A connection to a TURN server; `secure`: TLS, whose certificate must have `serverName`. `.streamOpened` or `.streamClosed` answers.
    case openStream(MediaStreamID, secure: Bool, to: SocketAddress, serverName: String)
    case sendStream(MediaStreamID, [UInt8])
    /// Bytes sent before are still delivered. No `.streamClosed` follows.
    case closeStream(MediaStreamID)
    case audio(AudioRequest)
    /// A whole frame of a call's video, in order: the first is a key frame.
    case frame(CallID, VP8Frame)
    /// Start the built-in echo endpoint; `.echoListening` answers.
    case startEcho
    case event(TimedEvent)
    /// A call ended: to be kept for the next run.
    case remember(HistoryEntry)
    /// One line in the NSS key log format, only when `DTLSConfiguration.keyLog` asks for it.
    case keyLog(String)
    case trace(Trace)
    /// Everything is ended: no call, registration or transaction is left, or 2 s are over. The last output.
    case finished
}
