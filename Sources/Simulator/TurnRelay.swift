import Core
import Digest
import ICE

/// A TURN server (RFC 8656) that relays UDP, spoken to by UDP on port 3478 and by streams on ports 3478 and 5349. It enforces permissions,
/// channels and lifetimes, and has switches for what servers refuse.
public final class TurnRelay: Host {
    enum Client: Hashable {
        case udp(SocketAddress)
        case stream(Int)
    }

    struct Allocation {
        var relayed: SocketAddress
        var username: String
        /// That of the Allocate: a repeated one gets the same answer.
        var transaction: StunTransactionID
        var expires: Instant
        var permissions: [IPAddress: Instant] = [:]
        var channels: [UInt16: (peer: SocketAddress, expires: Instant)] = [:]
    }

    public struct Counters: Sendable {
        public var allocations = 0
        public var refreshes = 0
        public var givenBack = 0
        public var channels = 0
        public var permissions = 0
        public var challenges = 0
        public var staleNonces = 0
        public var sendIndications = 0
        public var channelData = 0
        /// From a peer or to a peer that nobody permitted.
        public var withoutPermission = 0
        /// Binding messages (checks) and other packets that left toward peers.
        public var relayedOut = 0
    }

    public let name: String
    public let addresses: [IPAddress]
    public let username: String
    public let password: String
    public let realm = "sim.example"
    unowned let simulation: Simulation

    /// Answers nothing.
    public var isSilent = false
    /// Every Allocate that is authenticated gets this error.
    public var refusesAllocations: Int?
    /// Permissions and channels for these get 403.
    public var forbiddenPeers: Set<IPAddress> = []
    /// A nonce is good for so long; nil: for ever.
    public var nonceLifetime: Duration?
    /// Granted lifetime of allocations.
    public var lifetime = Duration.seconds(600)
    /// RFC 8489's newer way: password algorithms, SHA-256 and hashed user names, announced in the nonce.
    public var usesSHA256 = false

    public private(set) var counters = Counters()
    var allocations: [Client: Allocation] = [:]
    private var nonceEpoch = 0
    private var nextPort: UInt16 = 50_000
    private var streams: [Int: StreamEnd] = [:]
    private var framers: [Int: TurnStreamFramer] = [:]
    private var nextStream = 0

    public init(_ name: String, _ ip: String, username: String = "user", password: String = "secret", in simulation: Simulation) {
        self.name = name
        addresses = [IPAddress(ip)].compactMap { $0 }
        self.username = username
        self.password = password
        self.simulation = simulation
        simulation.add(self)
    }

    public var address: SocketAddress { SocketAddress(addresses.first ?? .anyV4, 3478) }

    /// What a client is given.
    public func server(_ transport: TurnServer.Transport = .udp, password: String? = nil) -> TurnServer {
        TurnServer(
            transport: transport, address: SocketAddress(address.ip, transport == .tls ? 5349 : 3478), serverName: "turn.sim.example",
            username: username, password: password ?? self.password)
    }

    public var allocationCount: Int { allocations.values.count { $0.expires > simulation.now } }

    /// Whoever comes next finds the nonce stale.
    public func rotateNonce() { nonceEpoch += 1 }

    /// Drops every allocation without a word, as a restart does.
    public func forgetAllocations() { allocations = [:] }

    /// Closes every connection.
    public func closeStreams() {
        for key in streams.keys.sorted() { streams.removeValue(forKey: key)?.close() }
    }

    private var nonce: [UInt8] {
        var epoch = nonceEpoch
        if let nonceLifetime { epoch += Int((simulation.now - .zero) / nonceLifetime) }
        return Array("\(usesSHA256 ? "obMatJos2AAAD" : "")nonce\(epoch)".utf8)
    }

    // MARK: Host

    public func receive(_ datagram: Datagram) {
        guard !isSilent else { return }
        if datagram.destination.port == 3478 {
            handle(datagram.payload, .udp(datagram.source), mapped: datagram.source)
        } else {
            receiveFromPeer(datagram)
        }
    }

    public func accept(_ end: StreamEnd, local: SocketAddress, remote: SocketAddress) -> Bool {
        guard local.port == 3478 || local.port == 5349, !isSilent else { return false }
        let key = nextStream
        nextStream += 1
        streams[key] = end
        framers[key] = TurnStreamFramer()
        end.onBytes = { [weak self] bytes in self?.receive(bytes, stream: key, remote: remote) }
        end.onClose = { [weak self] in
            self?.streams[key] = nil
            self?.allocations[.stream(key)] = nil
        }
        return true
    }

    private func receive(_ bytes: [UInt8], stream: Int, remote: SocketAddress) {
        framers[stream]?.append(bytes)
        while let frame = (try? framers[stream]?.next()) ?? nil { handle(frame, .stream(stream), mapped: remote) }
    }

    private func send(_ bytes: [UInt8], to client: Client) {
        switch client {
        case .udp(let remote): simulation.send(Datagram(source: address, destination: remote, payload: bytes))
        case .stream(let key):
            // ChannelData is padded on a stream; STUN is by itself a multiple of four.
            streams[key]?.send(bytes + [UInt8](repeating: 0, count: (4 - bytes.count & 3) & 3))
        }
    }

    // MARK: from clients

    private func handle(_ bytes: [UInt8], _ client: Client, mapped: SocketAddress) {
        if let first = bytes.first, first >> 6 == 1 { return relayChannelData(bytes, client) }
        guard let message = try? StunMessage.parse(bytes.span.bytes) else { return }
        switch (message.messageClass, message.method) {
        case (.request, .binding):
            var response = StunBuilder(.success, id: message.transactionID)
            response.add(.xorMappedAddress, xorAddress: mapped)
            send(response.finish(), to: client)
        case (.indication, .send):
            counters.sendIndications += 1
            guard let peer = message.xorAddress(.xorPeerAddress), let data = message.value(.data) else { return }
            relay(Array(data), to: peer, client)
        case (.request, _): if let key = authenticate(message, client) { answer(message, client, mapped, key) }
        default: break
        }
    }

    /// The key to answer with, or nil when a challenge was sent.
    private func authenticate(_ message: StunMessage, _ client: Client) -> StunKey? {
        let key = StunKey.longTerm(username: username, realm: realm, password: password, usesSHA256 ? .sha256 : .md5)
        let hash = Digest.hash(.sha256, Array("\(username):\(realm)".utf8))
        let isNamed = usesSHA256 ? message.value(.userhash).map(Array.init) == hash : message.username == username
        guard message.integrity != nil, message.realm == realm, let theirs = message.nonce else {
            counters.challenges += 1
            challenge(message, client, 401, "Unauthorized")
            return nil
        }
        guard theirs == nonce else {
            counters.staleNonces += 1
            challenge(message, client, 438, "Stale Nonce")
            return nil
        }
        let isStrong = !usesSHA256 || message.integrity == .sha256 && message.value(.passwordAlgorithms).map(Array.init) == Self.algorithms
        guard isNamed, isStrong, message.verify(key) else {
            counters.challenges += 1
            challenge(message, client, 401, "Unauthorized")
            return nil
        }
        return key
    }

    private static let algorithms: [UInt8] = [0, 2, 0, 0, 0, 1, 0, 0]

    private func challenge(_ message: StunMessage, _ client: Client, _ code: Int, _ reason: String) {
        var response = StunBuilder(.error, method: message.method, id: message.transactionID)
        response.addError(code, reason: reason)
        response.add(.realm, text: realm)
        response.add(.nonce, nonce)
        if usesSHA256 { response.add(.passwordAlgorithms, Self.algorithms) }
        send(response.finish(), to: client)
    }

    private func refuse(_ message: StunMessage, _ client: Client, _ code: Int, _ key: StunKey) {
        var response = StunBuilder(.error, method: message.method, id: message.transactionID)
        response.addError(code, reason: "Scripted")
        send(response.finish(key: key, integrity: message.integrity ?? .sha1), to: client)
    }

    private func answer(_ message: StunMessage, _ client: Client, _ mapped: SocketAddress, _ key: StunKey) {
        let now = simulation.now
        var response = StunBuilder(.success, method: message.method, id: message.transactionID)
        if let allocation = allocations[client], allocation.expires <= now { allocations[client] = nil }
        switch message.method {
        case .allocate:
            if let refusesAllocations { return refuse(message, client, refusesAllocations, key) }
            guard message.u32(.requestedTransport) == 17 << 24 else { return refuse(message, client, 442, key) }
            let family: UInt32 = message.u32(.requestedAddressFamily).map { $0 >> 24 } ?? 1
            guard (family == 1) == address.ip.isV4 else { return refuse(message, client, 440, key) }
            if let known = allocations[client], known.transaction != message.transactionID { return refuse(message, client, 437, key) }
            if allocations[client] == nil {
                counters.allocations += 1
                allocations[client] = Allocation(
                    relayed: SocketAddress(address.ip, nextPort), username: username, transaction: message.transactionID, expires: now + lifetime)
                nextPort &+= 3
            }
            guard let allocation = allocations[client] else { return }
            response.add(.xorRelayedAddress, xorAddress: allocation.relayed)
            response.add(.lifetime, u32: UInt32(lifetime.totalNanoseconds / 1_000_000_000))
            response.add(.xorMappedAddress, xorAddress: mapped)
        case .refresh:
            guard allocations[client] != nil else { return refuse(message, client, 437, key) }
            let isEnd = message.u32(.lifetime) == 0
            if isEnd {
                counters.givenBack += 1
                allocations[client] = nil
            } else {
                counters.refreshes += 1
                allocations[client]?.expires = now + lifetime
            }
            response.add(.lifetime, u32: isEnd ? 0 : UInt32(lifetime.totalNanoseconds / 1_000_000_000))
        case .createPermission:
            guard allocations[client] != nil else { return refuse(message, client, 437, key) }
            guard let peer = message.xorAddress(.xorPeerAddress) else { return refuse(message, client, 400, key) }
            guard !forbiddenPeers.contains(peer.ip) else { return refuse(message, client, 403, key) }
            counters.permissions += 1
            allocations[client]?.permissions[peer.ip] = now + .seconds(300)
        case .channelBind:
            guard let allocation = allocations[client] else { return refuse(message, client, 437, key) }
            guard let peer = message.xorAddress(.xorPeerAddress), let raw = message.u32(.channelNumber) else {
                return refuse(message, client, 400, key)
            }
            let number = UInt16(truncatingIfNeeded: raw >> 16)
            let isOther = allocation.channels.contains { $0.value.expires > now && ($0.key == number) != ($0.value.peer == peer) }
            guard (0x4000...0x4FFF).contains(number), !isOther else { return refuse(message, client, 400, key) }
            guard !forbiddenPeers.contains(peer.ip) else { return refuse(message, client, 403, key) }
            counters.channels += 1
            allocations[client]?.channels[number] = (peer, now + .seconds(600))
            allocations[client]?.permissions[peer.ip] = now + .seconds(300)
        default: return refuse(message, client, 400, key)
        }
        send(response.finish(key: key, integrity: message.integrity ?? .sha1), to: client)
    }

    private func relayChannelData(_ bytes: [UInt8], _ client: Client) {
        counters.channelData += 1
        guard bytes.count >= 4 else { return }
        let number = UInt16(bytes[0]) << 8 | UInt16(bytes[1])
        let count = Int(bytes[2]) << 8 | Int(bytes[3])
        guard let channel = allocations[client]?.channels[number], channel.expires > simulation.now, 4 + count <= bytes.count else { return }
        relay(Array(bytes[4..<4 + count]), to: channel.peer, client)
    }

    private func relay(_ payload: [UInt8], to peer: SocketAddress, _ client: Client) {
        guard let allocation = allocations[client], allocation.expires > simulation.now,
            allocation.permissions[peer.ip].map({ $0 > simulation.now }) == true
        else {
            counters.withoutPermission += 1
            return
        }
        counters.relayedOut += 1
        simulation.send(Datagram(source: allocation.relayed, destination: peer, payload: payload))
    }

    // MARK: from peers

    private func receiveFromPeer(_ datagram: Datagram) {
        let now = simulation.now
        guard let (client, allocation) = allocations.first(where: { $0.value.relayed == datagram.destination && $0.value.expires > now }) else {
            return
        }
        guard allocation.permissions[datagram.source.ip].map({ $0 > now }) == true else {
            counters.withoutPermission += 1
            return
        }
        if let number = allocation.channels.first(where: { $0.value.peer == datagram.source && $0.value.expires > now })?.key {
            var writer = ByteWriter()
            writer.u16(number)
            writer.u16(UInt16(truncatingIfNeeded: datagram.payload.count))
            writer.append(datagram.payload)
            return send(writer.bytes, to: client)
        }
        var indication = StunBuilder(.indication, method: .data, id: StunTransactionID(random: simulation.random))
        indication.add(.xorPeerAddress, xorAddress: datagram.source)
        indication.add(.data, datagram.payload)
        send(indication.finish(fingerprint: false), to: client)
    }
}
