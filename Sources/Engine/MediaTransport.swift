import Core
import Interface
import Secure

/// One component of a call's media: its route, its DTLS association and its SRTP keys. Owns C handles, hence a class.
///
/// The order is fixed: route → handshake → fingerprint verified → keys. Nothing is protected or unprotected before.
final class MediaTransport {
    struct Route: Equatable {
        var base: SocketAddress
        var remote: SocketAddress
    }

    struct Keys {
        var inbound: SRTPContext
        var outbound: SRTPContext
        var profile: SRTPProfile
        /// What the handshake agreed on; stays after the peer's close_notify. nil with SDES.
        var negotiated: DTLSNegotiated?
    }

    /// Before the certificate is verified several associations may be half open: one with the known source and, without ICE,
    /// some with other sources that may prove to be the peer behind a NAT.
    private enum State {
        /// No security parameters are known.
        case waiting
        case plain
        case handshaking([Handshake])
        case keyed(Keys, association: DTLSAssociation?, source: SocketAddress?)
        case failed
    }

    struct Handshake {
        /// nil: whatever the present route is.
        var source: SocketAddress?
        var association: DTLSAssociation
    }

    static let earlyLimit = 8
    static let earlyBytes = 16 * 1024
    static let halfOpenLimit = 4

    let component: Int
    private(set) var route: Route?
    private var state = State.waiting
    private var early: [(bytes: [UInt8], from: SocketAddress)] = []
    private(set) var lastFailure: DTLSFailure?

    /// What came and was not taken.
    var dropped = DroppedPackets()
    /// Of those: what SRTP itself refused.
    private(set) var unprotectErrors = 0
    private(set) var flights = DTLSFlightLog()
    private(set) var sent = Traffic()
    private(set) var received = Traffic()

    /// Datagrams of this transport, STUN not counted.
    struct Traffic {
        var packets = 0
        var bytes = 0
        mutating func count(_ length: Int) {
            packets &+= 1
            bytes &+= length
        }
    }

    func countSent(_ length: Int) { sent.count(length) }
    func countReceived(_ length: Int) { received.count(length) }

    func countRefused(_ error: SRTPError) {
        unprotectErrors += 1
        switch error {
        case .authentication: dropped.authentication += 1
        case .replay, .replayOld: dropped.replay += 1
        case .noKey: dropped.noKey += 1
        default: dropped.other += 1
        }
    }

    init(component: Int) { self.component = component }

    // MARK: what it is

    var keys: Keys? { if case .keyed(let keys, _, _) = state { keys } else { nil } }
    var isPlain: Bool { if case .plain = state { true } else { false } }
    /// Media may flow: keys are verified, or the call has none.
    var isReady: Bool {
        switch state {
        case .plain, .keyed: true
        case .waiting, .handshaking, .failed: false
        }
    }

    /// The association to show: the verified one, or the first that is under way.
    var association: DTLSAssociation? {
        switch state {
        case .keyed(_, let association, _): association
        case .handshaking(let handshakes): handshakes.first?.association
        case .waiting, .plain, .failed: nil
        }
    }

    var dtlsState: DTLSState? {
        if case .failed = state { return .failed }
        return association?.state
    }

    // MARK: what it is told

    func setRoute(_ route: Route?) { self.route = route }
    func setPlain() { state = .plain }

    private func setKeys(_ pair: SRTPKeyPair, association: DTLSAssociation, source: SocketAddress?) throws(SRTPError) {
        let keys = Keys(
            inbound: try SRTPContext(profile: pair.profile, key: pair.remote, direction: .inbound),
            outbound: try SRTPContext(profile: pair.profile, key: pair.local, direction: .outbound), profile: pair.profile,
            negotiated: association.negotiated)
        state = .keyed(keys, association: association, source: source)
    }

    /// The keys of SDES; both components share the contexts.
    func setKeys(_ keys: Keys) { state = .keyed(keys, association: nil, source: nil) }

    /// Forgets keys and handshakes: a new description asks for new ones.
    func reset() {
        state = .waiting
        early = []
        lastFailure = nil
    }

    /// A handshake with the known source begins. What came early is used when its source is (still) accepted: a fork that was not chosen is not.
    func start(_ association: DTLSAssociation, at now: Instant, accepts: (SocketAddress) -> Bool = { _ in true }) {
        state = .handshaking([Handshake(source: nil, association: association)])
        association.start(at: now)
        let kept = early
        early = []
        for datagram in kept where accepts(datagram.from) { association.receive(datagram.bytes.span.bytes, at: now) }
    }

    /// The certificate shown is not the one signalled, whether or not its handshake came to an end. Says nothing once keys are verified.
    var certificateFailure: DTLSFailure? {
        var shown = lastFailure
        switch state {
        case .handshaking(let handshakes): shown = handshakes.lazy.compactMap(\.association.certificateFailure).first ?? lastFailure
        case .failed: break
        case .waiting, .plain, .keyed: return nil
        }
        return shown?.isMismatch == true ? shown : nil
    }

    /// Whether a source that is not the known one may begin a handshake here with this datagram: it must be a ClientHello.
    func canStartBeside(_ datagram: RawSpan) -> Bool {
        guard case .handshaking(let handshakes) = state, handshakes.count < Self.halfOpenLimit else { return false }
        return datagram.u8(at: 0) == 22 && datagram.u16(at: 3) == 0 && datagram.u8(at: 13) == 1
    }

    /// Another source claims to be the peer (no ICE): its association runs beside, until one is verified.
    func startBeside(_ association: DTLSAssociation, source: SocketAddress, at now: Instant) -> Bool {
        guard case .handshaking(var handshakes) = state, handshakes.count < Self.halfOpenLimit else { return false }
        handshakes.append(Handshake(source: source, association: association))
        state = .handshaking(handshakes)
        association.start(at: now)
        return true
    }

    /// DTLS from a known source before the handshake could begin: the newest few are kept.
    func keepEarly(_ datagram: RawSpan, from: SocketAddress, at now: Instant) {
        flights.note(datagram, isSent: false, at: now)
        early.append((datagram.copy(), from))
        while early.count > Self.earlyLimit || early.reduce(0, { $0 + $1.bytes.count }) > Self.earlyBytes { early.removeFirst() }
    }

    /// True when an association took it.
    func receiveDTLS(_ datagram: RawSpan, from: SocketAddress, isKnown: Bool, at now: Instant) -> Bool {
        switch state {
        case .handshaking(let handshakes):
            if let own = handshakes.first(where: { $0.source == from }) {
                flights.note(datagram, isSent: false, at: now)
                own.association.receive(datagram, at: now)
                return true
            }
            guard isKnown, let first = handshakes.first(where: { $0.source == nil }) else { return false }
            flights.note(datagram, isSent: false, at: now)
            first.association.receive(datagram, at: now)
            return true
        case .keyed(_, let association?, let source):
            guard isKnown || source == from else { return false }
            flights.note(datagram, isSent: false, at: now)
            association.receive(datagram, at: now)
            return true
        case .keyed, .waiting, .plain, .failed: return false
        }
    }

    var deadline: Instant? {
        switch state {
        case .handshaking(let handshakes): handshakes.reduce(nil) { earliest($0, $1.association.deadline) }
        case .keyed(_, let association, _): association?.deadline
        case .waiting, .plain, .failed: nil
        }
    }

    func handleTimeout(at now: Instant) {
        switch state {
        case .handshaking(let handshakes): for handshake in handshakes { handshake.association.handleTimeout(at: now) }
        case .keyed(_, let association, _): association?.handleTimeout(at: now)
        case .waiting, .plain, .failed: break
        }
    }

    enum Progress {
        case transmit([UInt8], Route)
        case connecting
        case keyLog(String)
        case keyed
        case failed(DTLSFailure)
    }

    /// Drains the associations: what to send, and how the handshakes went.
    func progress(at now: Instant) -> [Progress] {
        var out: [Progress] = []
        switch state {
        case .handshaking(var handshakes):
            for handshake in handshakes {
                var to = route
                if let source = handshake.source { to?.remote = source }
                while let output = handshake.association.poll() {
                    switch output {
                    case .transmit(let bytes):
                        guard let to else { break }
                        flights.note(bytes.span.bytes, isSent: true, at: now)
                        out.append(.transmit(bytes, to))
                    case .stateChanged(.connecting): out.append(.connecting)
                    case .keyLog(let line): out.append(.keyLog(line))
                    case .stateChanged: break
                    case .failed(let failure): lastFailure = failure
                    }
                }
                if let negotiated = handshake.association.negotiated {
                    if let source = handshake.source { route?.remote = source }
                    for other in handshakes where other.association !== handshake.association { other.association.close(at: now) }
                    do throws(SRTPError) {
                        try setKeys(negotiated.keys, association: handshake.association, source: handshake.source)
                        out.append(.keyed)
                    } catch {
                        state = .failed
                        out.append(.failed(.library(reason: "\(error)")))
                    }
                    return out
                }
            }
            // A stranger's failed association goes; the known source's decides.
            if let first = handshakes.first, let failure = first.association.failure {
                if handshakes.count == 1 || failure.isMismatch {
                    state = .failed
                    out.append(.failed(failure))
                    return out
                }
            }
            handshakes.removeAll { $0.source != nil && $0.association.state == .failed }
            state = .handshaking(handshakes)
        case .keyed(_, let association?, _):
            while let output = association.poll() {
                guard case .transmit(let bytes) = output, let route else { continue }
                flights.note(bytes.span.bytes, isSent: true, at: now)
                out.append(.transmit(bytes, route))
            }
        case .keyed, .waiting, .plain, .failed: break
        }
        return out
    }

    func close(at now: Instant) {
        switch state {
        case .handshaking(let handshakes): for handshake in handshakes { handshake.association.close(at: now) }
        case .keyed(_, let association, _): association?.close(at: now)
        case .waiting, .plain, .failed: break
        }
    }
}

extension DTLSFailure {
    var isMismatch: Bool { if case .fingerprintMismatch = self { true } else { false } }
}
