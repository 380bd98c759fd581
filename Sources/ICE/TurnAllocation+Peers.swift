import Core

/// Permissions, channels and what is relayed (RFC 8656 §9 to §12).
extension TurnAllocation {
    mutating func permit(_ ip: IPAddress, at now: Instant) {
        guard state == .allocated, let relayed, relayed.ip.isV4 == ip.isV4, permissions[ip] == nil, permissions.count < Self.peerLimit else { return }
        permissions[ip] = .requested
        begin(.permission(ip), at: now)
    }

    mutating func permitted(_ ip: IPAddress, at now: Instant) {
        guard permissions[ip] != nil else { return }
        permissions[ip] = .granted
        timers.set(.permission(ip), at: now + Self.peerRefresh)
        let ready = waiting.filter { $0.peer.ip == ip }
        waiting.removeAll { $0.peer.ip == ip }
        for item in ready { if let bytes = wrap(item.payload, to: item.peer) { emit(.send(bytes)) } }
    }

    mutating func peerRefused(_ ip: IPAddress, _ code: Int, _ message: String) {
        guard let former = permissions[ip] else { return }
        permissions[ip] = .refused
        waiting.removeAll { $0.peer.ip == ip }
        for (peer, channel) in channels where peer.ip == ip {
            channels[peer] = nil
            peers[channel.number] = nil
            timers.cancel(.channel(peer))
        }
        if former != .refused { emit(.peerRefused(ip, code: code, message: message)) }
    }

    /// Numbers 0x4000 to 0x4FFF (§12); none is ever used for a second peer.
    mutating func bindChannel(_ peer: SocketAddress, at now: Instant) {
        guard state == .allocated, channels[peer] == nil, permissions[peer.ip] != .refused, channels.count < Self.peerLimit, nextChannel <= 0x4FFF
        else { return }
        // While the server knows the peer by a number, another is refused.
        if let known = peers.first(where: { $0.value == peer })?.key {
            channels[peer] = Channel(number: known)
        } else {
            channels[peer] = Channel(number: nextChannel)
            nextChannel += 1
        }
        begin(.channel(peer), at: now)
    }

    mutating func bound(_ peer: SocketAddress, at now: Instant) {
        guard let number = channels[peer]?.number else { return }
        channels[peer]?.isBound = true
        peers[number] = peer
        timers.set(.channel(peer), at: now + Self.peerRefresh)
        // A channel is a permission as well.
        permitted(peer.ip, at: now)
    }

    /// Send indications go on in its place.
    mutating func channelRefused(_ peer: SocketAddress, _ code: Int, _ message: String, at now: Instant) {
        if code == StunErrorCode.forbidden { return peerRefused(peer.ip, code, message) }
        guard let channel = channels[peer] else { return }
        peers[channel.number] = nil
        channels[peer]?.isBound = false
    }

    mutating func forgetPeers(except kept: Set<IPAddress>) {
        for ip in permissions.keys where !kept.contains(ip) {
            permissions[ip] = nil
            timers.cancel(.permission(ip))
        }
        // The server goes on sending by a channel for as long as it lasts, so its number stays known for reception.
        for peer in channels.keys where !kept.contains(peer.ip) {
            channels[peer] = nil
            timers.cancel(.channel(peer))
        }
        waiting.removeAll { !kept.contains($0.peer.ip) }
        for (id, request) in requests {
            let ip: IPAddress? =
                switch request.purpose {
                case .permission(let ip): ip
                case .channel(let peer): peer.ip
                case .allocate, .refresh: nil
                }
            guard let ip, !kept.contains(ip) else { continue }
            requests[id] = nil
            timers.cancel(.request(id))
        }
    }

    var hasPermission: Bool { permissions.values.contains(.granted) }
    var isAskingPermission: Bool { permissions.values.contains(.requested) }

    // MARK: data

    /// The bytes that carry `payload` to a peer through the server, or nil when it must not or cannot go: refused, never permitted, or kept until
    /// the permission is there.
    mutating func wrap(_ payload: [UInt8], to peer: SocketAddress) -> [UInt8]? {
        guard state == .allocated, payload.count <= 0xFFFF else { return nil }
        if let channel = channels[peer], channel.isBound {
            var writer = ByteWriter(capacity: payload.count + 8)
            writer.u16(channel.number)
            writer.u16(UInt16(truncatingIfNeeded: payload.count))
            writer.append(payload)
            if !isDatagram { while writer.count & 3 != 0 { writer.u8(0) } }
            return writer.bytes
        }
        switch permissions[peer.ip] {
        case .granted:
            var builder = StunBuilder(.indication, method: .send, id: StunTransactionID(random: random))
            builder.add(.xorPeerAddress, xorAddress: peer)
            builder.add(.data, payload)
            return builder.finish(fingerprint: false)
        case .requested:
            if waiting.count >= Self.waitingLimit { waiting.removeFirst() }
            waiting.append(Waiting(peer: peer, payload: payload))
            return nil
        case .refused, nil: return nil
        }
    }

    /// Which bytes of a ChannelData message are a peer's, and whose (§12.4). UDP may bring padding too.
    func channelData(_ datagram: RawSpan) -> (peer: SocketAddress, range: Range<Int>)? {
        guard let number = datagram.u16(at: 0), let count = datagram.u16(at: 2), let peer = peers[number], 4 + Int(count) <= datagram.byteCount else {
            return nil
        }
        return (peer, 4..<4 + Int(count))
    }

    /// The same for a Data indication (§11.4).
    func data(_ message: StunMessage) -> (peer: SocketAddress, range: Range<Int>)? {
        guard message.method == .data, message.messageClass == .indication, let peer = message.xorAddress(.xorPeerAddress),
            let range = message.range(of: .data)
        else { return nil }
        return (peer, range)
    }
}
