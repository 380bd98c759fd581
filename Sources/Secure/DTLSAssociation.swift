import COpenSSL
import Core

/// One DTLS 1.2 association that makes keys for SRTP (RFC 5764): datagrams and the time in, datagrams and results out.
///
/// Keys leave only after the peer's certificate was found among the signalled fingerprints. Nothing that is not authenticated ends a handshake
/// or changes an established association. Belongs to one thread. After every call, `poll` is drained until nil and `deadline` is read.
public final class DTLSAssociation {
    public typealias Output = DTLSOutput

    enum State {
        case idle
        /// W3C "connecting".
        case handshaking
        /// The handshake is done, the fingerprint is not here yet. Still "connecting".
        case unverified(certificate: [UInt8])
        case connected(DTLSNegotiated)
        case closed
        case failed(DTLSFailure)
    }

    enum Timer: Hashable {
        /// The library's own retransmission.
        case retransmission
        /// The library has retransmitted as often as it can; the flight is repeated byte by byte.
        case repetition
        /// The owner's limit for the whole handshake.
        case limit
        /// Nothing else came after an alert in clear or an unreadable ClientHello.
        case patience
    }

    /// Datagrams kept when they come before `start`: the newest of them.
    static let maximumEarly = 8

    public let role: DTLSRole
    let configuration: DTLSConfiguration
    let queue: DatagramQueue
    let filter: DTLSRecordFilter
    private let clock: ((Instant) -> Void)?
    let context: Result<DTLSContext, DTLSFailure>

    var ssl: OpaquePointer?
    var machine: State = .idle
    var timers = TimerTable<Timer>()
    var outputs: [DTLSOutput] = []
    var early: [[UInt8]] = []
    /// The datagrams of our latest flight.
    var flight: [[UInt8]] = []
    /// What the handshake fails with when the patience runs out.
    var suspicion: DTLSFailure?
    var expected: (fingerprints: [CertificateFingerprint], policy: FingerprintPolicy)?
    var counters = DTLSStatistics()

    /// - Parameter clock: told `now` before each call of the library, whose timer reads a clock of its own. Nil in the program.
    public init(
        role: DTLSRole, identity: CertificateIdentity, configuration: DTLSConfiguration = DTLSConfiguration(), clock: ((Instant) -> Void)? = nil
    ) {
        self.role = role
        self.configuration = configuration
        self.clock = clock
        queue = DatagramQueue(mtu: max(256, min(configuration.mtu, 16_384)))
        filter = DTLSRecordFilter(role: role)
        do throws(DTLSFailure) {
            context = .success(try DTLSContext(role: role, identity: identity, configuration: configuration))
        } catch { context = .failure(error) }
    }

    deinit { SSL_free(ssl) }

    // MARK: what it is

    public var state: DTLSState {
        switch machine {
        case .idle: .new
        case .handshaking, .unverified: .connecting
        case .connected: .connected
        case .closed: .closed
        case .failed: .failed
        }
    }

    /// Keys and names. Nil until the fingerprint was verified, and again after the end.
    public var negotiated: DTLSNegotiated? { if case .connected(let negotiated) = machine { negotiated } else { nil } }

    public var failure: DTLSFailure? { if case .failed(let failure) = machine { failure } else { nil } }

    /// The SRTP profiles of the client's use_srtp, in its order: ours, or the peer's once its ClientHello is here. A number without a name that we
    /// know is written as such.
    public var profilesOffered: [String]? {
        switch role {
        case .client: (configuration.srtpProfiles ?? SRTPProfile.dtlsOffered).filter { $0.dtlsIdentifier != nil }.map(\.rawValue)
        case .server: queue.offeredProfiles?.map { SRTPProfile(dtlsIdentifier: $0)?.rawValue ?? "profile \($0)" }
        }
    }

    public var statistics: DTLSStatistics {
        var out = counters
        out.retransmissions &+= queue.totalRetransmissions
        return out
    }

    // MARK: what it is told

    /// Begins the handshake; a client's first flight is in `poll` at once. A no-op the second time.
    public func start(at now: Instant) {
        guard case .idle = machine else { return }
        machine = .handshaking
        outputs.append(.stateChanged(.connecting))
        timers.set(.limit, at: now + min(configuration.limit, .seconds(1800)))
        guard renew(at: now) else { return }
        advance(at: now)
        let kept = early
        early = []
        for datagram in kept { receive(datagram.span.bytes, at: now) }
    }

    /// One datagram from the peer. Whatever it holds, it never traps.
    public func receive(_ datagram: RawSpan, at now: Instant) {
        counters.datagramsReceived &+= 1
        switch machine {
        case .idle:
            if early.count >= Self.maximumEarly { early.removeFirst() }
            early.append(datagram.copy())
        case .handshaking: receiveHandshake(datagram, at: now)
        case .unverified, .connected: receiveEstablished(datagram, at: now)
        case .closed, .failed: break
        }
    }

    /// What the peer's signalling says. May come before, during or after the handshake; a later call replaces an earlier one as long as nothing
    /// was verified. A connected association stays as it is: ask `match` whether a new description still describes it.
    public func expect(fingerprints: [CertificateFingerprint], policy: FingerprintPolicy = FingerprintPolicy(), at now: Instant) {
        expected = (fingerprints, policy)
        if case .unverified(let certificate) = machine { verify(certificate, at: now) }
    }

    /// Compares the peer's certificate with these values. Nil while there is no certificate.
    public func match(fingerprints: [CertificateFingerprint], policy: FingerprintPolicy = FingerprintPolicy()) -> FingerprintMatch? {
        switch machine {
        case .unverified(let certificate): .match(certificate: certificate, fingerprints, policy)
        case .connected(let negotiated): .match(certificate: negotiated.remoteCertificate, fingerprints, policy)
        case .idle, .handshaking, .closed, .failed: nil
        }
    }

    /// What the certificate that came before the handshake was done means, when it is none of those signalled: nothing ends by it, since it is
    /// not authenticated yet, but it tells why, once something else ends the handshake (the peer hung up, an alert in clear, the time limit).
    public var certificateFailure: DTLSFailure? {
        guard case .handshaking = machine, let ssl, let expected, let certificate = SSL_get0_peer_certificate(ssl) else { return nil }
        let match = CertificateFingerprint.match(certificate: derBytes(of: certificate), signalled: expected.fingerprints, policy: expected.policy)
        guard case .mismatch(let presented) = match else { return nil }
        return .fingerprintMismatch(presented: presented)
    }

    /// Sends close_notify (when there is a session) and ends. A no-op after the end.
    public func close(at now: Instant) {
        switch machine {
        case .closed, .failed: return
        case .unverified, .connected: sayGoodbye(at: now)
        case .idle, .handshaking: break
        }
        finish(.closed)
    }

    /// A no-op before `deadline`.
    public func handleTimeout(at now: Instant) {
        while let timer = timers.popExpired(at: now) {
            switch timer {
            case .limit: fail(.timeout(alert: suspectedAlert), at: now)
            case .patience: if let suspicion { fail(suspicion, at: now) }
            case .repetition: repeatFlight(at: now)
            case .retransmission: retransmit(at: now)
            }
        }
    }

    public var deadline: Instant? { timers.deadline }

    public func poll() -> DTLSOutput? { outputs.isEmpty ? nil : outputs.removeFirst() }

    // MARK: shared with the extensions

    /// Tells the clock before the library is called, and forgets the errors of others.
    func prepare(at now: Instant) {
        clock?(now)
        ERR_clear_error()
    }

    /// A new `SSL` in place of the present one. False when the library refuses; the association has then failed.
    func renew(at now: Instant) -> Bool {
        SSL_free(ssl)
        ssl = nil
        queue.inbound = []
        queue.outbound = []
        switch context {
        case .success(let context): ssl = context.makeSSL(role: role, queue: queue)
        case .failure(let failure):
            fail(failure, at: now)
            return false
        }
        if ssl == nil { fail(.library(reason: libraryReason()), at: now) }
        return ssl != nil
    }

    /// Moves what the library wrote to the outputs and returns it.
    @discardableResult
    func drain() -> [[UInt8]] {
        let datagrams = queue.outbound
        queue.outbound = []
        transmit(datagrams)
        for line in queue.keyLog { outputs.append(.keyLog(line)) }
        queue.keyLog = []
        return datagrams
    }

    func transmit(_ datagrams: [[UInt8]]) {
        counters.datagramsSent &+= datagrams.count
        for datagram in datagrams { outputs.append(.transmit(datagram)) }
    }

    func fail(_ failure: DTLSFailure, at now: Instant) {
        let failure = certificateFailure ?? failure
        outputs.append(.failed(failure))
        finish(.failed(failure))
    }

    /// The end, with nothing left that could be used or that could wake it.
    func finish(_ end: State) {
        machine = end
        timers.cancelAll()
        SSL_free(ssl)
        ssl = nil
        early = []
        flight = []
        outputs.append(.stateChanged(state))
    }

    private var suspectedAlert: UInt8? { if case .alert(let description) = suspicion { description } else { nil } }
}

extension FingerprintMatch {
    fileprivate static func match(
        certificate: [UInt8], _ fingerprints: [CertificateFingerprint], _ policy: FingerprintPolicy
    ) -> FingerprintMatch { CertificateFingerprint.match(certificate: certificate, signalled: fingerprints, policy: policy) }
}
