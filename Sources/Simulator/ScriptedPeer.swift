import Core

/// A peer that does what a test says: raw SIP text and raw datagrams in and out.
public final class ScriptedPeer: Host {
    public let name: String
    public let addresses: [IPAddress]
    public let address: SocketAddress
    unowned let simulation: Simulation
    public private(set) var received: [(at: Instant, text: SIPText, from: SocketAddress)] = []
    /// What came to other ports than that of signalling.
    public private(set) var others: [(at: Instant, datagram: Datagram)] = []
    public var react: (ScriptedPeer, SIPText, SocketAddress) -> Void = { _, _, _ in }
    public var onDatagram: (ScriptedPeer, Datagram) -> Void = { _, _ in }
    /// A machine on this peer that must be woken, e.g. a handshake.
    public var deadline: () -> Instant? = { nil }
    public var onWake: (ScriptedPeer) -> Void = { _ in }
    private var branches = 0

    public init(_ name: String, _ ip: String, in simulation: Simulation, behind box: NATBox? = nil) {
        self.name = name
        addresses = [IPAddress(ip)].compactMap { $0 }
        address = SocketAddress(addresses.first ?? .anyV4, 5060)
        self.simulation = simulation
        simulation.add(self, behind: box)
    }

    public var uri: String { "sip:\(name)@\(address)" }
    public var now: Instant { simulation.now }

    public func receive(_ datagram: Datagram) {
        guard datagram.destination.port == address.port, let text = SIPText(datagram.payload) else {
            others.append((simulation.now, datagram))
            onDatagram(self, datagram)
            return
        }
        received.append((simulation.now, text, datagram.source))
        react(self, text, datagram.source)
    }

    public var wakeAt: Instant? { deadline() }
    public func wake() { onWake(self) }

    public func send(_ text: SIPText, to: SocketAddress) {
        simulation.send(Datagram(source: address, destination: to, payload: text.bytes))
    }

    public func send(_ payload: [UInt8], fromPort port: UInt16, to: SocketAddress) {
        simulation.send(Datagram(source: SocketAddress(address.ip, port), destination: to, payload: payload))
    }

    public func later(_ delay: Duration, _ body: @escaping (ScriptedPeer) -> Void) {
        simulation.schedule(after: delay) { [weak self] in if let self { body(self) } }
    }

    /// Requests of this method, each transmission for itself.
    public func requests(_ method: String) -> [SIPText] { received.map(\.text).filter { $0.method == method } }
    public func responses(_ status: Int) -> [SIPText] { received.map(\.text).filter { $0.status == status } }

    /// A request of this peer's own: Via, From, To, Call-ID, CSeq and Contact as given, a new branch.
    public func request(
        _ method: String, to target: String, callID: String, from: String, toHeader: String, cseq: Int, body: String = "", branch: String? = nil
    ) -> SIPText {
        branches += 1
        var out = SIPText(start: "\(method) \(target) SIP/2.0", body: body)
        out.headers = [
            ("Via", "SIP/2.0/UDP \(address);branch=\(branch ?? "z9hG4bK-\(name)-\(branches)")"), ("Max-Forwards", "70"), ("From", from),
            ("To", toHeader), ("Call-ID", callID), ("CSeq", "\(cseq) \(method)"), ("Contact", "<\(uri)>"),
        ]
        if !body.isEmpty { out.headers.append(("Content-Type", "application/sdp")) }
        return out
    }
}
