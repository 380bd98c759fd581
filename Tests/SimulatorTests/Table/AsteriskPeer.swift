import Core
import ICE
import RTP
import Secure
import Simulator

/// A scripted peer that behaves as Asterisk was seen to: its words are the recorded ones (`AsteriskWords`), with this call's numbers in them.
///
/// Full ICE with USE-CANDIDATE on every check; DTLS only after its own first valid pair, and only from an address of the candidate list, what
/// comes earlier is dropped; without rtcp-mux a second association for RTCP. Its application is Echo: what it hears it says.
final class AsteriskPeer {
    struct Style: Sendable, CustomStringConvertible {
        var hasMux = true
        var hasIce = true
        var description: String { "\(hasMux ? "mux" : "no mux"), \(hasIce ? "ICE" : "no ICE")" }
    }

    let peer: ScriptedPeer
    let style: Style
    /// A new one for each call.
    var identity: CertificateIdentity
    private let random: RandomSource
    let components: [ScriptedComponent]
    let credentials: IceCredentials
    /// Asks for a password, as it does by default.
    var challenges = false
    var rtp: RTPSession
    private(set) var remoteCredentials: IceCredentials?
    private var remoteCandidates: [Int: [SocketAddress]] = [:]
    private var remoteDefault: SocketAddress?
    private var remoteFingerprints: [CertificateFingerprint] = []
    private var isDTLSClient = false
    private var isControlling = false
    private var isPlain = false
    private var transactions: [StunTransactionID: (component: Int, to: SocketAddress)] = [:]
    private var validPairs: [Int: SocketAddress] = [:]
    private var nextChecks: Instant?
    private var session: SIPText?

    // What was seen.
    /// DTLS that came before ICE was done here.
    private(set) var earlyDTLS = 0
    private(set) var strangeDTLS = 0
    private(set) var badChecks = 0
    private(set) var media: [UInt8: Int] = [:]
    private(set) var offers: [SIPText] = []
    private(set) var answers: [SIPText] = []

    init(_ simulation: Simulation, style: Style = Style(), identity: CertificateIdentity = Identities.mallory) {
        self.style = style
        self.identity = identity
        random = RandomSource(seed: simulation.random.next())
        let peer = ScriptedPeer("asterisk", "192.0.2.20", in: simulation)
        self.peer = peer
        components = (style.hasMux ? [1] : [1, 2]).map { ScriptedComponent($0, port: 20_284 + UInt16($0 - 1), peer: peer) }
        credentials = IceCredentials(ufrag: random.bytes(16).hexadecimal, pwd: random.bytes(16).hexadecimal)
        rtp = RTPSession(
            configuration: RTPSession.Configuration(cname: "asterisk", ssrc: 0x5EED_0001, clockRates: [0: 8000, 8: 8000, 96: 48000, 107: 48000]),
            random: random, clock: NTPClock(unixNanoseconds: 1_790_000_000_000_000_000, at: .zero))
        peer.react = { [weak self] _, text, from in self?.receive(text, from) }
        peer.onDatagram = { [weak self] _, datagram in self?.receive(datagram) }
        peer.deadline = { [weak self] in self?.deadline }
        peer.onWake = { [weak self] _ in self?.wake() }
    }

    // MARK: signalling

    /// Calls the phone.
    func call(_ node: Node) {
        isControlling = true
        let invite = AsteriskWords(self).invite(to: node)
        session = invite
        peer.send(invite, to: node.signallingAddress)
    }

    /// Offers again in the call that it began or took, maybe with a new certificate.
    func reoffer(to node: Node) {
        guard let session else { return }
        let words = AsteriskWords(self)
        peer.send(words.reinvite(session, cseq: 5000 + answers.count + offers.count), to: node.signallingAddress)
    }

    private func receive(_ text: SIPText, _ from: SocketAddress) {
        if let status = text.status {
            guard status == 200, text.cseqMethod == "INVITE" else { return }
            session = session?.method == "INVITE" && text["From"] == session?["From"] ? text : session
            let cseq = text["CSeq"]?.split(separator: " ").first.flatMap { Int($0) } ?? 1
            peer.send(
                peer.request(
                    "ACK", to: "sip:alice@192.0.2.1", callID: text["Call-ID"] ?? "", from: text["From"] ?? "", toHeader: text["To"] ?? "", cseq: cseq),
                to: from)
            if !answers.contains(where: { $0["CSeq"] == text["CSeq"] }) {
                answers.append(text)
                adopt(text, weOffered: true)
            }
            return
        }
        switch text.method {
        case "INVITE":
            if offers.contains(where: { $0["CSeq"] == text["CSeq"] }) { return }
            if challenges, text["Authorization"] == nil, offers.isEmpty {
                peer.send(AsteriskWords(self).challenge(text), to: from)
                return
            }
            offers.append(text)
            let answer = AsteriskWords(self).answer(to: text)
            session = session ?? answer
            peer.send(text.response(100, "Trying"), to: from)
            peer.send(answer, to: from)
            adopt(text, weOffered: false, setup: answer.line("a=setup:"))
        case "BYE", "CANCEL", "UPDATE", "INFO": peer.send(text.response(200, "OK"), to: from)
        default: break
        }
    }

    /// The phone's description, and what follows for us.
    private func adopt(_ text: SIPText, weOffered: Bool, setup own: String? = nil) {
        remoteDefault = mediaAddress(text)
        let lines = text.lines
        isPlain = text.line("a=fingerprint:") == nil
        remoteCandidates = [:]
        for line in lines where line.hasPrefix("a=candidate:") {
            let fields = line.split(separator: " ")
            guard fields.count > 7, let number = Int(fields[1]), let address = SocketAddress("\(fields[4]):\(fields[5])") else { continue }
            remoteCandidates[number, default: []].append(address)
        }
        if let ufrag = text.line("a=ice-ufrag:"), let pwd = text.line("a=ice-pwd:") { remoteCredentials = IceCredentials(ufrag: ufrag, pwd: pwd) }
        let former = remoteFingerprints
        remoteFingerprints = lines.compactMap { $0.hasPrefix("a=fingerprint:") ? CertificateFingerprint(attribute: $0.dropFirst(14)) : nil }
        isDTLSClient = weOffered ? text.line("a=setup:") == "passive" : own == "active"
        if style.hasIce, remoteCredentials != nil, validPairs.isEmpty { nextChecks = peer.now }
        if isPlain { return }
        // Again: another certificate on one of the sides is another association.
        let isNew = former != remoteFingerprints || identity !== startedWith
        for component in components.reversed() where isNew && (!style.hasIce || validPairs[component.number] != nil) { startDTLS(component) }
    }

    private var startedWith: CertificateIdentity?

    /// RTCP's ClientHello goes to RTP's port + 1 first, and to the ICE candidate only a second later.
    private func startDTLS(_ component: ScriptedComponent) {
        startedWith = identity
        let base = remoteDefault.map { SocketAddress($0.ip, $0.port &+ UInt16(component.number - 1)) }
        if component.number == 2, isDTLSClient, let pair = validPairs[2] {
            component.remote = base
            peer.later(.seconds(1)) { _ in component.remote = pair }
        } else {
            component.remote = validPairs[component.number] ?? base
        }
        component.start(isDTLSClient ? .client : .server, identity, expecting: remoteFingerprints, profiles: [.aesCM128Tag80])
    }

    // MARK: packets

    private var deadline: Instant? {
        var next = earliest(nextChecks, rtp.deadline)
        for component in components { next = earliest(next, component.deadline) }
        return next
    }

    private func wake() {
        if let due = nextChecks, due <= peer.now { check() }
        for component in components { component.wake() }
        rtp.handleTimeout(at: peer.now)
        sendControl()
    }

    private func sendControl() {
        while let output = rtp.poll() {
            if case .transmit(let bytes) = output { components.last?.send(bytes, isControl: true) }
        }
    }

    private func receive(_ datagram: Datagram) {
        guard let component = components.first(where: { $0.port == datagram.destination.port }) else { return }
        switch datagram.kind {
        case .stun: receiveSTUN(datagram, component)
        case .dtls:
            if style.hasIce {
                guard validPairs[component.number] != nil else {
                    earlyDTLS += 1
                    return
                }
                guard remoteCandidates[component.number]?.contains(datagram.source) == true else {
                    strangeDTLS += 1
                    return
                }
            }
            component.receiveDTLS(datagram.payload)
        case .rtp: echo(datagram, component)
        case .rtcp:
            guard let packet = component.unprotect(datagram.payload, isControl: true) else { return }
            _ = rtp.receiveRTCP(packet.span.bytes, at: peer.now)
            sendControl()
        case .sip, .other: break
        }
    }

    private func echo(_ datagram: Datagram, _ component: ScriptedComponent) {
        let plain = isPlain ? datagram.payload : component.unprotect(datagram.payload, isControl: false)
        guard let packet = plain, let header = try? RTPHeader(packet.span.bytes) else { return }
        media[header.payloadType, default: 0] += 1
        _ = rtp.receiveRTP(header, payloadLength: header.payloadLength, at: peer.now)
        let payload = packet[header.payloadRange]
        let out = rtp.willSend(
            payloadType: header.payloadType, payloadLength: payload.count, timestamp: header.timestamp, marker: header.marker, at: peer.now)
        var bytes = [UInt8](repeating: 0, count: RTPHeader.fixedLength)
        bytes.withUnsafeMutableBytes { _ = out.write(into: $0) }
        if isPlain {
            peer.send(bytes + payload, fromPort: component.port, to: datagram.source)
        } else {
            component.send(bytes + payload, isControl: false)
        }
        sendControl()
    }

    // MARK: ICE

    private func check() {
        let waiting = components.filter { validPairs[$0.number] == nil }
        nextChecks = waiting.isEmpty ? nil : peer.now + .milliseconds(100)
        guard let remoteCredentials else { return }
        for component in waiting {
            for candidate in remoteCandidates[component.number] ?? [] { sendCheck(component, to: candidate, remoteCredentials) }
        }
    }

    private func sendCheck(_ component: ScriptedComponent, to address: SocketAddress, _ remote: IceCredentials) {
        let id = StunTransactionID(random: random)
        transactions[id] = (component.number, address)
        var request = StunBuilder(.request, id: id)
        request.add(.username, text: "\(remote.ufrag):\(credentials.ufrag)")
        request.add(.priority, u32: 1_694_498_815)
        request.add(isControlling ? .iceControlling : .iceControlled, u64: 0x1234_5678_9ABC_DEF0)
        if isControlling { request.add(flag: .useCandidate) }
        peer.send(request.finish(key: .shortTerm(password: remote.pwd)), fromPort: component.port, to: address)
    }

    private func receiveSTUN(_ datagram: Datagram, _ component: ScriptedComponent) {
        guard let message = try? StunMessage.parse(datagram.payload.span.bytes) else { return }
        switch message.messageClass {
        case .request:
            let isOurs = message.username?.hasPrefix(credentials.ufrag + ":") == true && message.verify(.shortTerm(password: credentials.pwd))
            guard isOurs else {
                badChecks += 1
                var refusal = StunBuilder(.error, id: message.transactionID)
                refusal.addError(401, reason: "Unauthorized")
                peer.send(refusal.finish(), fromPort: component.port, to: datagram.source)
                return
            }
            var success = StunBuilder(.success, id: message.transactionID)
            success.add(.xorMappedAddress, xorAddress: datagram.source)
            peer.send(success.finish(key: .shortTerm(password: credentials.pwd)), fromPort: component.port, to: datagram.source)
        case .success:
            guard let sent = transactions.removeValue(forKey: message.transactionID), sent.component == component.number, sent.to == datagram.source
            else { return }
            guard validPairs[component.number] == nil else { return }
            validPairs[component.number] = datagram.source
            if !isPlain { startDTLS(component) }
        case .error, .indication: break
        }
    }
}
