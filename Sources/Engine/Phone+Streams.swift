import Core
import ICE
import Interface

/// Connections of calls to TURN servers over TCP and TLS.
extension Phone {
    mutating func streamOpened(_ id: MediaStreamID, local: SocketAddress, at now: Instant) {
        guard let place = streams[id], let call = calls[place.call] else {
            emit(.closeStream(id))
            return
        }
        call.media.streamOpened(place.stream, at: now)
    }

    mutating func streamClosed(_ id: MediaStreamID, _ reason: String, at now: Instant) {
        guard let place = streams.removeValue(forKey: id), let call = calls[place.call] else { return }
        call.media.streamClosed(place.stream, reason: Sanitiser.text(reason), at: now)
    }

    /// What a call's agent wants of its connections.
    mutating func handle(_ request: MediaSession.StreamRequest, _ call: Call) {
        switch request {
        case .open(let stream, let server):
            let id = makeStreamID()
            streams[id] = (call.id, stream)
            emit(.openStream(id, secure: server.transport == .tls, to: server.address, serverName: server.serverName))
        case .send(let stream, let bytes):
            guard let id = name(of: stream, call.id) else { return }
            emit(.sendStream(id, bytes))
        case .close(let stream):
            guard let id = name(of: stream, call.id) else { return }
            streams.removeValue(forKey: id)
            emit(.closeStream(id))
        }
    }

    /// Closes what an ended call left open.
    mutating func closeStreams(of call: CallID) {
        for id in streams.filter({ $0.value.call == call }).keys.sorted(by: { $0.raw < $1.raw }) {
            streams.removeValue(forKey: id)
            emit(.closeStream(id))
        }
    }

    private func name(of stream: IceStreamID, _ call: CallID) -> MediaStreamID? {
        streams.first { $0.value.call == call && $0.value.stream == stream }?.key
    }
}
