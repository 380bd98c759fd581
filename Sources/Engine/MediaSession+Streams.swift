import Core
import ICE

/// TURN over TCP and TLS (RFC 8656 §2.1).
extension MediaSession {
    enum StreamRequest {
        case open(IceStreamID, TurnServer)
        case send(IceStreamID, [UInt8])
        case close(IceStreamID)
    }

    /// Servers that did not answer are told when they may be why there is no path.
    func reportSilentServers(at now: Instant) {
        ice?.reportSilentServers()
        pumpIce(at: now)
    }

    func streamOpened(_ stream: IceStreamID, at now: Instant) {
        ice?.handle(.streamOpened(stream), at: now)
        pump(at: now)
    }

    func streamClosed(_ stream: IceStreamID, reason: String, at now: Instant) {
        ice?.handle(.streamClosed(stream, reason: reason), at: now)
        pump(at: now)
    }

    func receiveStream(_ bytes: [UInt8], stream: IceStreamID, at now: Instant) {
        for datagram in ice?.receiveStream(bytes, stream: stream, at: now) ?? [] {
            receive(datagram.payload.span.bytes, base: datagram.base, from: datagram.source, at: now)
        }
        pump(at: now)
    }
}
