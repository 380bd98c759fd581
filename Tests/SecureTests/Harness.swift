import CVirtualTime
import Core
import Secure
import Testing

/// Tells libssl's clock.
func setVirtualClock(_ now: Instant) { virtual_time_set(1_000_000_000 + now.nanoseconds / 1000) }

func at(_ milliseconds: Int) -> Instant { Instant(nanoseconds: UInt64(milliseconds) * 1_000_000) }

enum Identities {
    static let wallClock: Int64 = 1_790_000_000
    static let alice = identity()
    static let bob = identity()
    static let mallory = identity()

    private static func identity() -> CertificateIdentity {
        do { return try CertificateIdentity.selfSigned(unixTime: wallClock) } catch { preconditionFailure("\(error)") }
    }
}

/// One side of a call in a test: an association and what came out of it.
final class Side {
    let association: DTLSAssociation
    var states: [DTLSState] = []
    var failure: DTLSFailure?
    var keyLog: [String] = []
    var sentAt: [Instant] = []
    var isPresent = true

    init(_ role: DTLSRole, _ identity: CertificateIdentity, _ configuration: DTLSConfiguration = DTLSConfiguration()) {
        association = DTLSAssociation(role: role, identity: identity, configuration: configuration, clock: setVirtualClock)
    }

    func receive(_ datagram: [UInt8], at now: Instant) { association.receive(datagram.span.bytes, at: now) }

    /// The datagrams to send.
    func drain(at now: Instant) -> [[UInt8]] {
        var datagrams: [[UInt8]] = []
        while let output = association.poll() {
            switch output {
            case .transmit(let datagram):
                datagrams.append(datagram)
                sentAt.append(now)
            case .stateChanged(let state): states.append(state)
            case .failed(let reason): failure = reason
            case .keyLog(let line): keyLog.append(line)
            }
        }
        return datagrams
    }
}

/// Two associations and a link with 10 ms of delay; `filter` may lose, change, split or multiply a datagram.
final class Link {
    let client: Side
    let server: Side
    var now = Instant.zero
    /// (from the client, its number on that side, the datagram) to what arrives.
    var filter: (Bool, Int, [UInt8]) -> [[UInt8]] = { _, _, datagram in [datagram] }
    /// Time and fate of each datagram: equal for equal seeds.
    var journal: [String] = []
    private var flying: [(at: Instant, toServer: Bool, bytes: [UInt8])] = []
    private var counts = [0, 0]

    init(
        client: DTLSConfiguration = DTLSConfiguration(), server: DTLSConfiguration = DTLSConfiguration(), expecting: Bool = true
    ) {
        self.client = Side(.client, Identities.alice, client)
        self.server = Side(.server, Identities.bob, server)
        if expecting {
            self.client.association.expect(fingerprints: Identities.bob.fingerprints, at: .zero)
            self.server.association.expect(fingerprints: Identities.alice.fingerprints, at: .zero)
        }
    }

    func lose(rate: Double, seed: UInt64) {
        let random = RandomSource(seed: seed)
        filter = { _, _, datagram in random.uniform() < rate ? [] : [datagram] }
    }

    func start() {
        client.association.start(at: now)
        server.association.start(at: now)
        pump()
    }

    /// Takes what both sides want sent and puts it on the link.
    func pump() {
        for (index, side) in [client, server].enumerated() {
            for datagram in side.drain(at: now) {
                let arriving = filter(index == 0, counts[index], datagram)
                journal.append("\(now) \(index) \(counts[index]) \(arriving.count)")
                counts[index] += 1
                for bytes in arriving { flying.append((now + .milliseconds(10), index == 0, bytes)) }
            }
        }
    }

    func inject(toServer: Bool, _ bytes: [UInt8]) {
        (toServer ? server : client).association.receive(bytes.span.bytes, at: now)
        pump()
    }

    /// Runs until both sides are connected or failed, or until the time.
    func run(until end: Instant, stopWhenDone: Bool = true) {
        while now < end {
            if stopWhenDone, isDone(client), isDone(server) { return }
            var next = flying.map(\.at).min()
            for side in [client, server] where side.isPresent { next = earliest(next, side.association.deadline) }
            guard let next, next <= end else {
                now = end
                return
            }
            now = max(now, next)
            let due = flying.filter { $0.at <= now }
            flying.removeAll { $0.at <= now }
            for item in due {
                let side = item.toServer ? server : client
                if side.isPresent { side.association.receive(item.bytes.span.bytes, at: now) }
            }
            for side in [client, server] where side.isPresent {
                if let deadline = side.association.deadline, deadline <= now { side.association.handleTimeout(at: now) }
            }
            pump()
        }
    }

    private func isDone(_ side: Side) -> Bool { [.connected, .failed, .closed].contains(side.association.state) }

    var bothConnected: Bool { client.association.state == .connected && server.association.state == .connected }

    /// Both connected, and what one sends is what the other expects.
    var keysAgree: Bool {
        guard let a = client.association.negotiated?.keys, let b = server.association.negotiated?.keys else { return false }
        return a.profile == b.profile && a.local == b.remote && a.remote == b.local && a.local != a.remote && a.local.fits(a.profile)
    }
}

/// The records of a datagram, each with its header.
func records(_ datagram: [UInt8]) -> [[UInt8]] {
    var out: [[UInt8]] = []
    var rest = datagram[...]
    while rest.count >= 13 {
        let start = rest.startIndex
        let length = 13 + Int(rest[start + 11]) << 8 + Int(rest[start + 12])
        out.append(Array(rest.prefix(length)))
        rest = rest.dropFirst(length)
    }
    return out
}

/// A record in clear.
func record(type: UInt8, epoch: UInt16 = 0, sequence: UInt16, _ body: [UInt8]) -> [UInt8] {
    var w = ByteWriter()
    w.u8(type)
    w.u16(0xFEFD)
    w.u16(epoch)
    w.u32(0)
    w.u16(sequence)
    w.u16(UInt16(body.count))
    w.append(body)
    return w.bytes
}
