import Core

/// What leaves and comes through TURN servers, by datagrams and by connections (RFC 8656 §11, §12).
extension IceAgent {
    func relayIndex(_ base: SocketAddress) -> Int? { relays.isEmpty ? nil : relays.firstIndex { $0.relayed == base } }

    /// How `payload` leaves from a base of ours: as it is from a socket, wrapped for the server from a relayed address. nil when it must not or
    /// cannot leave (now).
    public mutating func carry(_ payload: [UInt8], from base: SocketAddress, to remote: SocketAddress) -> IceCarrier? {
        guard let index = relayIndex(base) else {
            guard configuration.policy == .all, sockets.contains(where: { $0.base == base }) else { return nil }
            return .datagram(Transmit(payload: payload, source: base, destination: remote))
        }
        guard let wrapped = relays[index].allocation.wrap(payload, to: remote) else { return nil }
        if let stream = relays[index].stream { return openStreams.contains(stream) ? .stream(stream, wrapped) : nil }
        return relays[index].base.map { .datagram(Transmit(payload: wrapped, source: $0, destination: relays[index].server.address)) }
    }

    /// The relayed address that a peer's packet came to, and which bytes are the peer's.
    func unwrap(_ datagram: RawSpan, _ index: Int) -> RelayedDatagram? {
        guard let base = relays[index].relayed, let (peer, range) = relays[index].allocation.channelData(datagram) else { return nil }
        return RelayedDatagram(component: relays[index].component, base: base, source: peer, range: range)
    }

    /// A TURN message other than ChannelData from a server of ours.
    mutating func handleTurn(_ message: StunMessage, _ index: Int, at now: Instant) -> RelayedDatagram? {
        if message.messageClass == .indication {
            guard let base = relays[index].relayed, let (peer, range) = relays[index].allocation.data(message) else { return nil }
            return RelayedDatagram(component: relays[index].component, base: base, source: peer, range: range)
        }
        if !relays[index].allocation.receive(message, at: now) { counters.unknownTransactions &+= 1 }
        drainRelays(at: now)
        return nil
    }

    // MARK: connections

    mutating func streamOpened(_ stream: IceStreamID, at now: Instant) {
        guard let index = relays.firstIndex(where: { $0.stream == stream && $0.allocation.state == .new }) else {
            return emit(.closeStream(stream))
        }
        openStreams.insert(stream)
        relays[index].allocation.handle(.allocate, at: now)
        drainRelays(at: now)
    }

    mutating func streamClosed(_ stream: IceStreamID, reason: String, at now: Instant) {
        openStreams.remove(stream)
        guard let index = relays.firstIndex(where: { $0.stream == stream }) else { return }
        relays[index].allocation.handle(.streamClosed(reason: reason), at: now)
        drainRelays(at: now)
    }

    /// Bytes of a connection, as they come. What peers sent besides STUN is given back.
    public mutating func receiveStream(_ bytes: [UInt8], stream: IceStreamID, at now: Instant) -> [IceStreamDatagram] {
        guard state != .closed, openStreams.contains(stream), let index = relays.firstIndex(where: { $0.stream == stream }) else { return [] }
        relays[index].framer.append(bytes)
        var out: [IceStreamDatagram] = []
        do throws(TurnStreamFramer.Failure) {
            while let index = relays.firstIndex(where: { $0.stream == stream && $0.isAlive }), let frame = try relays[index].framer.next() {
                let span = frame.span.bytes
                var inner: RelayedDatagram?
                if frame[0] >> 6 == 1 {
                    inner = unwrap(span, index)
                } else if let message = try? StunMessage.parse(span), message.method != .binding {
                    inner = handleTurn(message, index, at: now)
                } else {
                    counters.malformed &+= 1
                }
                guard let inner else { continue }
                if let rest = deliver(inner, span, at: now) {
                    out.append(IceStreamDatagram(base: rest.base, source: rest.source, payload: Array(frame[rest.range])))
                }
            }
        } catch {
            if let index = relays.firstIndex(where: { $0.stream == stream }) {
                relays[index].allocation.handle(.streamClosed(reason: "it sent what is not TURN"), at: now)
                drainRelays(at: now)
            }
        }
        return out
    }

    /// A check inside goes to the agent itself, all else to whoever asked.
    mutating func deliver(_ inner: RelayedDatagram, _ datagram: RawSpan, at now: Instant) -> RelayedDatagram? {
        let payload = datagram.extracting(inner.range)
        guard let first = payload.u8(at: 0), StunMessage.isStun(firstByte: first) else { return inner }
        // The server lets through whom we permitted, be it before a restart: the answer must have its way too.
        if let index = relayIndex(inner.base) {
            relays[index].allocation.handle(.permit(inner.source.ip), at: now)
            drainRelays(at: now)
        }
        receiveCheck(payload, from: inner.source, to: inner.base, at: now)
        return nil
    }
}

/// How a packet leaves.
public enum IceCarrier: Sendable, Equatable {
    case datagram(Transmit)
    case stream(IceStreamID, [UInt8])
}

/// A peer's packet inside a TURN server's datagram.
public struct RelayedDatagram: Sendable, Equatable {
    public var component: Int
    /// Our relayed address, which it was sent to.
    public var base: SocketAddress
    /// The peer, as the server sees it.
    public var source: SocketAddress
    /// Where it lies in the datagram; never out of its bounds.
    public var range: Range<Int>
}

/// A peer's packet that came over a connection to a TURN server.
public struct IceStreamDatagram: Sendable, Equatable {
    public var base: SocketAddress
    public var source: SocketAddress
    public var payload: [UInt8]
}
