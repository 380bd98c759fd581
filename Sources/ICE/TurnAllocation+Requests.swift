import Core

/// Requests, their repetition, authentication and answers (RFC 8656 §7, §8; RFC 8489 §6.2, §9.2).
extension TurnAllocation {
    mutating func begin(_ purpose: Purpose, challenges: Int = 0, at now: Instant) {
        guard state == .allocating || state == .allocated else { return }
        let id = StunTransactionID(random: random)
        let payload = request(purpose, id)
        requests[id] = Request(purpose: purpose, payload: payload, nonce: challenge?.nonce, challenges: challenges)
        timers.set(.request(id), at: now + wait(sent: 1))
        emit(.send(payload))
    }

    /// RTO 500 ms doubling, seven requests, then 16 RTO; on a connection one request and Ti (RFC 8489 §6.2.1, §6.2.2).
    private static let tries = 7

    private func wait(sent: Int) -> Duration {
        guard isDatagram else { return .milliseconds(39_500) }
        return sent < Self.tries ? .milliseconds(500 << (sent - 1)) : .seconds(8)
    }

    func request(_ purpose: Purpose, _ id: StunTransactionID) -> [UInt8] {
        var builder = StunBuilder(.request, method: purpose.method, id: id)
        switch purpose {
        case .allocate:
            // UDP, the only one that ICE has a use for.
            builder.add(.requestedTransport, u32: 17 << 24)
            builder.add(.lifetime, u32: Self.lifetime)
            if wantsIPv6 { builder.add(.requestedAddressFamily, u32: 2 << 24) }
        case .refresh(let lifetime):
            builder.add(.lifetime, u32: lifetime)
            if wantsIPv6 { builder.add(.requestedAddressFamily, u32: 2 << 24) }
        case .permission(let ip): builder.add(.xorPeerAddress, xorAddress: SocketAddress(ip, 0))
        case .channel(let peer):
            builder.add(.channelNumber, u32: UInt32(channels[peer]?.number ?? 0) << 16)
            builder.add(.xorPeerAddress, xorAddress: peer)
        }
        guard let challenge else { return builder.finish() }
        challenge.add(to: &builder, username: server.username)
        return builder.finish(key: challenge.key, integrity: challenge.integrity)
    }

    mutating func requestTimedOut(_ id: StunTransactionID, at now: Instant) {
        guard var request = requests[id] else { return }
        if isDatagram, request.sent < Self.tries {
            request.sent += 1
            requests[id] = request
            timers.set(.request(id), at: now + wait(sent: request.sent))
            return emit(.send(request.payload))
        }
        requests[id] = nil
        switch request.purpose {
        case .allocate: fail(code: nil, "does not answer")
        // Until the allocation expires there is hope.
        case .refresh: timers.set(.refresh, at: now + .seconds(1))
        case .permission(let ip): if permissions[ip] != nil { timers.set(.permission(ip), at: now + .seconds(1)) }
        case .channel(let peer): if channels[peer] != nil { timers.set(.channel(peer), at: now + .seconds(5)) }
        }
    }

    /// A response from the server. False when it answers nothing that was asked, or is forged.
    @discardableResult
    mutating func receive(_ message: StunMessage, at now: Instant) -> Bool {
        let id = message.transactionID
        guard let request = requests[id], message.method == request.purpose.method else { return false }
        let isSuccess = message.messageClass == .success
        guard isSuccess || message.messageClass == .error else { return false }
        if request.nonce != nil, let key = challenge?.key {
            // An error may come without integrity; with a wrong one it is somebody else's. The key does not change with the nonce.
            guard message.integrity == nil ? !isSuccess : message.verify(key) else { return false }
        }
        requests[id] = nil
        timers.cancel(.request(id))
        if isSuccess { succeeded(request, message, at: now) } else { refused(request, message, at: now) }
        return true
    }

    private mutating func succeeded(_ request: Request, _ message: StunMessage, at now: Instant) {
        switch request.purpose {
        case .allocate:
            guard let address = message.xorAddress(.xorRelayedAddress), address.port != 0, !address.ip.isUnspecified, !address.ip.isMulticast else {
                return fail(code: nil, "gave no relayed address")
            }
            state = .allocated
            relayed = address
            renew(message, at: now)
            emit(.allocated(relayed: address, mapped: message.xorAddress(.xorMappedAddress)))
        case .refresh: renew(message, at: now)
        case .permission(let ip): permitted(ip, at: now)
        case .channel(let peer): bound(peer, at: now)
        }
    }

    /// A minute before the end, or half way when that is sooner.
    private mutating func renew(_ message: StunMessage, at now: Instant) {
        let lifetime = Int(min(max(message.u32(.lifetime) ?? Self.lifetime, 10), 3600))
        timers.set(.refresh, at: now + .seconds(lifetime > 120 ? lifetime - 60 : lifetime / 2))
        timers.set(.expiry, at: now + .seconds(lifetime))
    }

    private mutating func refused(_ request: Request, _ message: StunMessage, at now: Instant) {
        let (code, reason) = message.errorCode ?? (StunErrorCode.badRequest, "")
        switch code {
        case StunErrorCode.unauthenticated where request.nonce == nil, StunErrorCode.staleNonce:
            guard request.challenges < Self.challengeLimit else { break }
            guard let fresh = TurnChallenge(message, server: server, previous: challenge) else {
                return fail(code: code, "asks for a password in a way that is not understood (\(code))")
            }
            challenge = fresh
            return begin(request.purpose, challenges: request.challenges + 1, at: now)
        case StunErrorCode.addressFamilyNotSupported where request.purpose == .allocate && wantsIPv6:
            wantsIPv6 = false
            return begin(.allocate, challenges: request.challenges, at: now)
        default: break
        }
        let sentence = TurnErrorText.sentence(code, request.purpose) + " (\(code)\(reason.isEmpty ? "" : " \(reason)"))"
        switch request.purpose {
        case .allocate, .refresh: fail(code: code, sentence)
        // Without an allocation, or with a user who may not use it, there is nothing left to permit.
        case .permission, .channel:
            if code == StunErrorCode.allocationMismatch || code == StunErrorCode.wrongCredentials { return fail(code: code, sentence) }
            switch request.purpose {
            case .permission(let ip): peerRefused(ip, code, sentence)
            case .channel(let peer): channelRefused(peer, code, sentence, at: now)
            case .allocate, .refresh: break
            }
        }
    }
}

extension TurnAllocation.Purpose {
    var method: StunMethod {
        switch self {
        case .allocate: .allocate
        case .refresh: .refresh
        case .permission: .createPermission
        case .channel: .channelBind
        }
    }
}

/// Error codes as sentences whose subject is the server (RFC 8656 §19).
enum TurnErrorText {
    static func sentence(_ code: Int, _ purpose: TurnAllocation.Purpose) -> String {
        switch code {
        case StunErrorCode.tryAlternate: return "names another server, which is not followed"
        case StunErrorCode.badRequest: return "calls the request malformed"
        case StunErrorCode.unauthenticated: return "refuses the user name or password"
        case StunErrorCode.forbidden:
            switch purpose {
            case .permission(let ip): return "refuses to relay to \(ip)"
            case .channel(let peer): return "refuses to relay to \(peer.ip)"
            case .allocate, .refresh: return "forbids this user to relay"
            }
        case StunErrorCode.unknownAttribute: return "does not understand an attribute of the request"
        case StunErrorCode.allocationMismatch:
            return purpose == .allocate ? "still has an older allocation of this address" : "has forgotten the allocation"
        case StunErrorCode.staleNonce: return "calls every nonce stale"
        case StunErrorCode.addressFamilyNotSupported: return "has no relay address of this family"
        case StunErrorCode.wrongCredentials: return "says that the allocation belongs to another user"
        case StunErrorCode.unsupportedTransport: return "does not relay UDP"
        case StunErrorCode.peerFamilyMismatch: return "cannot reach a peer of another address family"
        case StunErrorCode.allocationQuotaReached: return "grants this user no further allocation"
        case StunErrorCode.serverError: return "has an error of its own"
        case StunErrorCode.insufficientCapacity: return "has no relay address or port left"
        default: return "refuses"
        }
    }
}
