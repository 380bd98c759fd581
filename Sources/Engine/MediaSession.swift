import Audio
import Codecs
import Core
import ICE
import Interface
import RTP
import SDP
import Secure

/// The media of one call: ICE, DTLS, SRTP, RTP and RTCP joined, and the port to the audio thread. Knows no SIP.
///
/// A class, because it owns C handles and lives in a table. Packets come by `receive`; after every call `poll` is drained.
final class MediaSession {
    struct Environment {
        var configuration: PhoneConfiguration
        var identity: CertificateIdentity
        var random: RandomSource
        var ntp: NTPClock
        /// Told the time before each call of libssl; nil in the program.
        var dtlsClock: ((Instant) -> Void)?
    }

    enum Output {
        case transmit(Transmit)
        case stream(StreamRequest)
        case ice(component: Int, state: IceState)
        /// Every server has answered or is given up.
        case gathered
        /// There are candidates that the peer has not been told of.
        case candidates
        case iceConnected
        case iceFailed
        case consentLost
        case dtls(component: Int)
        case dtlsConnected
        case dtlsFailed(DTLSFailure)
        case firstReceived
        case firstSent
        /// A STUN or TURN server gave nothing; the text is sanitised.
        case serverFailed(SocketAddress, isTurn: Bool, String)
        case warning(String, String)
        case frame(VP8Frame)
        /// For the call that this one is joined with.
        case audioPacket(RelayedAudio)
        case audioSkipped(UInt16, ssrc: UInt32)
        /// For whoever this call's video is passed to.
        case videoPacket(VideoPacket)
        /// The peer needs a key frame of the video that is passed to it.
        case keyFrameRequested
        case digit(Character, durationMs: Int, DTMFDirection)
        case attach(AudioStreamPort)
        case keyLog(String)
        case trace(Trace.Layer, Trace.Direction, String, local: SocketAddress?, remote: SocketAddress?)
    }

    let environment: Environment
    var sockets: [MediaSocket] = []
    var describer: MediaDescriber
    var ice: IceAgent?
    var transports: [Int: MediaTransport] = [:]
    var rtp: RTPSession
    var video: VideoSession?
    var videoFile: VideoFileSource?
    var bundle = BundleDemultiplexer()
    var audioBridge = AudioBridge.none
    /// Packets of video go to another call, and come from there.
    var passesVideo = false
    /// A person looks at the picture.
    var isWatched = false
    var port: AudioStreamPort?
    var digits = MediaDigits()
    var outputs: [Output] = []
    /// Room for one packet and its tag.
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 2048, alignment: 16)

    private(set) var isAnswered = false
    /// How much longer than after an answer ICE and DTLS may take when they begin with early media: the peer may take them up with its answer only.
    var patience = Duration.zero
    private(set) var isMuted = false
    /// Where video under the same SSRCs stopped before.
    var videoNumbers: VideoSession.Numbers?
    var hasReceived = false
    var hasSent = false
    var audioFlow = MediaFlow()
    var videoFlow = MediaFlow()
    /// The peer wants to know how loud we are.
    var writesLevel = false
    /// The candidates of the present generation that the peer was told of, and whether it was told that there are no more; nil before a description.
    var signalled: (candidates: Set<IceCandidate>, isComplete: Bool)?
    /// Candidates of the peer that came before its description.
    var earlyFragments: [TrickleFragment] = []
    /// When the last authenticated packet came.
    var lastReceivedAt: Instant?
    /// The first INVITE: what the times of the handshake count from.
    var zero: Instant?
    /// Candidates of the peer's latest description that are mDNS names.
    var remoteNamesIgnored = 0
    private var isIceReported = false
    private var isDTLSReported = false
    private var isClosed = false
    var sdes = SDESContexts()

    init(environment: Environment) {
        self.environment = environment
        describer = MediaDescriber(configuration: environment.configuration, identity: environment.identity, random: environment.random)
        rtp = RTPSession(
            configuration: RTPSession.Configuration(cname: describer.cname, ssrc: describer.ssrc, clockRates: [:]), random: environment.random,
            clock: environment.ntp)
    }

    deinit { scratch.deallocate() }

    var negotiated: NegotiatedMedia? { describer.negotiated }

    var hasOutput: Bool { !outputs.isEmpty }

    func poll() -> Output? { outputs.isEmpty ? nil : outputs.removeFirst() }

    // MARK: sockets and descriptions

    /// The sockets are bound. The first of component 1 is the default.
    func open(_ sockets: [MediaSocket]) { self.sockets = sockets }

    func base(component: Int) -> SocketAddress? { sockets.first { $0.component == component }?.address }
    func component(of base: SocketAddress) -> Int { sockets.first { $0.address == base }?.component ?? ice?.component(ofBase: base) ?? 1 }

    private func makeAgent(controlling: Bool, components: Int, at now: Instant) {
        var configuration = IceConfiguration(isControlling: controlling, components: components)
        configuration.timeout = environment.configuration.iceTimeout + patience
        configuration.policy = environment.configuration.icePolicy
        var agent = IceAgent(configuration: configuration, random: environment.random)
        for socket in sockets where socket.component <= components {
            agent.handle(.addHost(component: socket.component, base: socket.address), at: now)
        }
        gather(&agent, at: now)
        ice = agent
    }

    func gather(_ agent: inout IceAgent, at now: Instant) {
        let known = environment.configuration
        agent.handle(.gather(stunServers: known.stunServers, turnServers: known.turnServers), at: now)
    }

    /// False while server-reflexive candidates are still asked for: then the description waits a little.
    var isGathered: Bool { ice.map { $0.gatheringState == .complete } ?? true }

    /// Gathering begins, before `makeOffer` or `makeAnswer`.
    func prepare(ice wanted: Bool, controlling: Bool, components: Int, at now: Instant) {
        if wanted {
            if ice == nil { makeAgent(controlling: controlling, components: components, at: now) }
        } else {
            dropIce(at: now)
        }
        pump(at: now)
    }

    /// The peer does not take part in ICE.
    func dropIce(at now: Instant) {
        ice?.handle(.close, at: now)
        pumpIce(at: now)
        ice = nil
    }

    private func ground() -> MediaDescriber.Ground? {
        guard var address = base(component: 1) else { return nil }
        if environment.configuration.icePolicy == .relay, let ice {
            // Our own address stays private; without a relay there is none to give (RFC 8839 §4.2.1.3).
            let relayed = ice.localCandidates.first { $0.component == 1 && $0.kind == .relayed }?.address
            address = relayed ?? SocketAddress(address.ip.isV4 ? .anyV4 : .anyV6, 9)
            let control = ice.localCandidates.first { $0.component == 2 && $0.kind == .relayed }?.address
            return MediaDescriber.Ground(
                address: address, rtcpPort: base(component: 2).map { _ in control?.port ?? 9 }, ice: (ice.localCredentials, ice.localCandidates),
                isGathered: isGathered)
        }
        return MediaDescriber.Ground(
            address: address, rtcpPort: base(component: 2)?.port, ice: ice.map { ($0.localCredentials, $0.localCandidates) },
            isGathered: isGathered)
    }

    func makeOffer(_ mode: SecurityMode) -> [UInt8]? {
        guard let ground = ground() else { return nil }
        noteSignalled()
        return describer.offer(mode, ground: ground)
    }

    func makeAnswer(_ evaluation: OfferEvaluation, at now: Instant) -> Result<[UInt8], NegotiationError> {
        // New credentials of the peer's restart ICE: the answer has new ones, too (RFC 8839 §4.4.1.1.1).
        if let former = negotiated?.ice, let new = evaluation.media.ice, former.ufrag != new.ufrag || former.pwd != new.pwd {
            ice?.handle(.restart(newControlling: nil), at: now)
        }
        guard var ground = ground() else { return .failure(.refused) }
        if evaluation.media.ice == nil { ground.ice = nil }
        if evaluation.media.rtcpMux { ground.rtcpPort = nil }
        let old = describer.negotiated
        switch describer.answer(evaluation, ground: ground) {
        case .failure(let error): return .failure(error)
        case .success(let answer):
            noteSignalled()
            tell(evaluation.issues)
            adopt(answer.media, replacing: old, at: now)
            adoptVideo(at: now)
            return .success(answer.description.bytes)
        }
    }

    /// - Returns: nil, or why the answer cannot be used.
    func apply(answer: SessionDescription, at now: Instant) -> NegotiationError? {
        let old = describer.negotiated
        switch describer.apply(answer: answer) {
        case .failure(let error): return error
        case .success(let session):
            tell(session.issues)
            adopt(session.audio, replacing: old, at: now)
            adoptVideo(at: now)
            return nil
        }
    }

    /// The call goes on without video.
    private func tell(_ issues: [NegotiationIssue]) {
        for issue in issues { outputs.append(.warning("video-refused", issue.description)) }
    }

    /// The call was answered: from now on what is said is sent.
    func answered(at now: Instant) {
        isAnswered = true
        applyControls()
        applyVideoControls(at: now)
        pump(at: now)
    }

    // MARK: time

    var deadline: Instant? {
        var next = earliest(ice?.deadline, rtp.deadline)
        if let video { next = earliest(next, earliest(video.deadline, videoFile?.deadline)) }
        for transport in transports.values { next = earliest(next, transport.deadline) }
        return earliest(next, digits.deadline)
    }

    func handleTimeout(at now: Instant) {
        ice?.handleTimeout(at: now)
        for transport in transports.values { transport.handleTimeout(at: now) }
        rtp.handleTimeout(at: now)
        digits.handleTimeout(at: now)
        handleVideoTimeout(at: now)
        pump(at: now)
    }

    // MARK: the round

    /// Carries what one machine says to the next, until all are quiet.
    func pump(at now: Instant) {
        pumpIce(at: now)
        for component in transports.keys.sorted() {
            guard let transport = transports[component] else { continue }
            if negotiated?.security == .dtls { startDTLS(transport, at: now) }
            flush(transport, at: now)
        }
        pumpControl(at: now)
        while let received = digits.poll() {
            if let digit = received.digit { outputs.append(.digit(digit, durationMs: received.durationMs, .incoming)) }
        }
    }

    func pumpIce(at now: Instant) {
        while let output = ice?.poll() {
            switch output {
            case .transmit(let transmit): outputs.append(.transmit(transmit))
            case .openStream(let stream, let server): outputs.append(.stream(.open(stream, server)))
            case .sendStream(let stream, let bytes): outputs.append(.stream(.send(stream, bytes)))
            case .closeStream(let stream): outputs.append(.stream(.close(stream)))
            case .event(let event): handle(event, at: now)
            }
        }
    }

    private func handle(_ event: IceEvent, at now: Instant) {
        switch event {
        case .stateChanged(let state):
            for component in transports.keys.sorted() { outputs.append(.ice(component: component, state: state)) }
            if state == .connected || state == .completed, !isIceReported {
                isIceReported = true
                outputs.append(.iceConnected)
            }
            if state == .failed { outputs.append(.iceFailed) }
        case .validPair(let component, let local, let remote):
            if transports[component]?.route == nil { setRoute(component, local, remote, at: now) }
        case .selectedPair(let component, let pair): setRoute(component, pair.local.base, pair.remote.address, at: now)
        // Nothing is sent there any more (RFC 7675 §5.1). Without RTCP's own path the call goes on.
        case .consentLost(let component):
            transports[component]?.setRoute(nil)
            if component == 1 { outputs.append(.consentLost) }
        case .serverFailed(let server, let isTurn, _, let message):
            outputs.append(.serverFailed(server, isTurn: isTurn, Sanitiser.text(message)))
        case .gatheringComplete: outputs.append(.gathered)
        case .localCandidate: if signalled != nil { outputs.append(.candidates) }
        case .roleChanged: break
        }
    }

    func setMuted(_ muted: Bool, at now: Instant) {
        isMuted = muted
        applyControls()
        applyVideoControls(at: now)
    }

    private func setRoute(_ component: Int, _ local: SocketAddress, _ remote: SocketAddress, at now: Instant) {
        transports[component]?.setRoute(MediaTransport.Route(base: local, remote: remote))
        outputs.append(.trace(.stun, .local, "component \(component): pair \(local) \(remote)", local: local, remote: remote))
        applyControls()
        applyVideoControls(at: now)
    }

    func flush(_ transport: MediaTransport, at now: Instant) {
        for step in transport.progress(at: now) {
            switch step {
            case .transmit(let bytes, let route):
                transport.countSent(bytes.count)
                transmit(bytes, route)
            case .keyLog(let line): outputs.append(.keyLog(line))
            case .connecting: outputs.append(.dtls(component: transport.component))
            case .keyed:
                outputs.append(.dtls(component: transport.component))
                if transport.component == 1, !isDTLSReported {
                    isDTLSReported = true
                    outputs.append(.dtlsConnected)
                }
                applyControls()
                applyVideoControls(at: now)
            case .failed(let failure):
                outputs.append(.dtls(component: transport.component))
                switch failure {
                // Without RTCP the call goes on, but not with a certificate that is not the peer's.
                case .timeout, .alert, .handshake, .noCommonSRTPProfile, .library:
                    guard transport.component != 1 else { fallthrough }
                    outputs.append(.warning("rtcp-failed", "no reports, RTCP has no keys: \(Phone.sentence(failure))"))
                case .fingerprintMismatch, .untrustedCertificate, .ciphersRefused, .noUsableFingerprint: outputs.append(.dtlsFailed(failure))
                }
            }
        }
    }

    /// BYE of RTCP and close_notify; nothing goes out afterwards.
    func close(at now: Instant) {
        guard !isClosed else { return }
        isClosed = true
        port?.sendAllowed = false
        rtp.handle(.close(reason: nil), at: now)
        pumpControl(at: now)
        video?.handle(.close, at: now)
        pumpVideo(at: now)
        videoFile = nil
        for transport in transports.sorted(by: { $0.key < $1.key }).map(\.value) {
            transport.close(at: now)
            flush(transport, at: now)
        }
        ice?.handle(.close, at: now)
        pumpIce(at: now)
    }

    /// What an answered call has not reached, or has lost.
    enum Shortcoming { case noPath, pathLost, noHandshake }

    /// - Parameter isDue: the time for it is over; else only what failed for good counts.
    func shortcoming(ice isIceDue: Bool, dtls isDTLSDue: Bool) -> Shortcoming? {
        if let ice {
            switch ice.state {
            case .failed: return .noPath
            // RTCP's component may lack its path: RTP goes on without it.
            case .new, .checking: if isIceDue, transports[1]?.route == nil { return .noPath }
            case .disconnected: if transports[1]?.route == nil { return .pathLost }
            case .connected, .completed, .closed: break
            }
        }
        guard negotiated?.security == .dtls, let transport = transports[1], !transport.isReady else { return nil }
        return isDTLSDue || transport.dtlsState == .failed ? .noHandshake : nil
    }

    /// The peer showed another certificate than it signalled, on any component, even when no handshake came to its end.
    var certificateFailure: DTLSFailure? { transports.keys.sorted().lazy.compactMap { self.transports[$0]?.certificateFailure }.first }
}
