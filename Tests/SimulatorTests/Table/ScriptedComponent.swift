import Core
import Secure
import Simulator

/// One component of a scripted peer's media: a port, a DTLS association, and SRTP with its keys.
final class ScriptedComponent {
    let number: Int
    let port: UInt16
    private let peer: ScriptedPeer
    private var association: DTLSAssociation?
    private var inbound: SRTPContext?
    private var outbound: SRTPContext?
    /// Where DTLS and media go.
    var remote: SocketAddress?

    private(set) var helloSentTo: [(at: Instant, address: SocketAddress)] = []
    private(set) var connectedAt: Instant?
    private(set) var failure: DTLSFailure?
    private(set) var profile: SRTPProfile?
    private(set) var unprotectErrors = 0

    init(_ number: Int, port: UInt16, peer: ScriptedPeer) {
        self.number = number
        self.port = port
        self.peer = peer
    }

    var isStarted: Bool { association != nil }
    var isConnected: Bool { inbound != nil }
    var deadline: Instant? { association?.deadline }

    /// A new association; what the former one agreed on is forgotten.
    func start(
        _ role: DTLSRole, _ identity: CertificateIdentity, expecting fingerprints: [CertificateFingerprint], profiles: [SRTPProfile]? = nil
    ) {
        (inbound, outbound, connectedAt, failure) = (nil, nil, nil, nil)
        var configuration = DTLSConfiguration()
        configuration.srtpProfiles = profiles
        let association = DTLSAssociation(role: role, identity: identity, configuration: configuration, clock: setVirtualClock)
        association.expect(fingerprints: fingerprints, at: peer.now)
        self.association = association
        association.start(at: peer.now)
        flush()
    }

    func receiveDTLS(_ payload: [UInt8]) {
        association?.receive(payload.span.bytes, at: peer.now)
        flush()
    }

    func wake() {
        association?.handleTimeout(at: peer.now)
        flush()
    }

    private func flush() {
        while let output = association?.poll() {
            switch output {
            case .transmit(let bytes):
                guard let remote else { break }
                let datagram = Datagram(source: SocketAddress(peer.address.ip, port), destination: remote, payload: bytes)
                if datagram.handshakeType == 1 { helloSentTo.append((peer.now, remote)) }
                peer.send(bytes, fromPort: port, to: remote)
            case .failed(let why): failure = why
            case .stateChanged, .keyLog: break
            }
        }
        guard inbound == nil, let agreed = association?.negotiated else { return }
        inbound = try? SRTPContext(profile: agreed.srtpProfile, key: agreed.keys.remote, direction: .inbound)
        outbound = try? SRTPContext(profile: agreed.srtpProfile, key: agreed.keys.local, direction: .outbound)
        profile = agreed.srtpProfile
        connectedAt = peer.now
    }

    // MARK: media

    func unprotect(_ payload: [UInt8], isControl: Bool) -> [UInt8]? {
        var packet = payload
        do throws(SRTPError) {
            guard let inbound else { return nil }
            if isControl { try inbound.unprotectRTCP(&packet) } else { try inbound.unprotectRTP(&packet) }
            return packet
        } catch {
            unprotectErrors += 1
            return nil
        }
    }

    func send(_ payload: [UInt8], isControl: Bool) {
        guard let outbound, let remote else { return }
        var packet = payload
        guard (try? isControl ? outbound.protectRTCP(&packet) : outbound.protectRTP(&packet)) != nil else { return }
        peer.send(packet, fromPort: port, to: remote)
    }
}
