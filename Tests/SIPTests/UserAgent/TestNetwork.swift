import Core
import SIP

/// A user agent of a test, with what it told and sent.
final class Phone {
    let name: String
    let address: SocketAddress
    var agent: UserAgent
    private(set) var events: [(at: Instant, event: UserAgentEvent)] = []
    /// Start lines of what was sent, with the instant.
    private(set) var sent: [(at: Instant, line: String)] = []
    /// What the person does about an event.
    var react: (UserAgentEvent) -> [UserAgent.Input] = { _ in [] }
    var listensTCP = false

    init(_ name: String, _ ip: String, _ configuration: UserAgentConfiguration, seed: UInt64) {
        self.name = name
        address = SocketAddress(IPAddress(ip) ?? .loopbackV4, 5060)
        agent = UserAgent(configuration: configuration, random: RandomSource(seed: seed))
    }

    func note(_ event: UserAgentEvent, at now: Instant) { events.append((now, event)) }
    func noteSent(_ bytes: [UInt8], at now: Instant) {
        let line = String(decoding: bytes.prefix { $0 != 13 }, as: UTF8.self)
        sent.append((now, line))
    }

    var uri: SIPURI { SIPURI(user: name, host: .ip(address.ip), port: address.port) }
}

/// A scripted peer: gets messages, sends bytes.
final class Script {
    let address: SocketAddress
    private(set) var received: [(at: Instant, message: SIPMessage)] = []
    var react: (SIPMessage) -> [[UInt8]] = { _ in [] }
    /// Takes connections of these transports.
    var accepts: Set<SIPTransport> = []
    var answersPings = true
    /// What was opened to it, and what is open.
    var opened: [(at: Instant, transport: SIPTransport, serverName: String)] = []
    var open: [ConnectionID] = []
    /// When a double CRLF came, and when a single one.
    var pings: [Instant] = []
    var pongs = 0

    init(_ ip: String) { address = SocketAddress(IPAddress(ip) ?? .loopbackV4, 5060) }

    func note(_ message: SIPMessage, at now: Instant) { received.append((now, message)) }
    func requests(_ method: SIPMethod) -> [SIPRequest] {
        received.compactMap { if case .request(let request) = $0.message, request.method == method { request } else { nil } }
    }
    func instants(_ method: SIPMethod) -> [Instant] {
        received.compactMap { if case .request(let request) = $0.message, request.method == method { $0.at } else { nil } }
    }
    var responses: [SIPResponse] { received.compactMap { if case .response(let response) = $0.message { response } else { nil } } }
}

/// Virtual time and a seeded link: loss, duplicates, reordering by jitter. Streams are never lost.
final class TestNetwork {
    private enum Arrival {
        case datagram([UInt8], from: SocketAddress, to: SocketAddress)
        case stream([UInt8], SIPFlow)
        case toScript([UInt8], ConnectionID)
        case input(Phone, UserAgent.Input)
        case closure(() -> Void)
    }

    private(set) var now = Instant.zero
    private var queue: [(at: Instant, order: Int, arrival: Arrival)] = []
    private var order = 0
    private var phones: [SocketAddress: Phone] = [:]
    private var scripts: [SocketAddress: Script] = [:]
    /// The other end of a connection.
    private var peers: [ConnectionID: (Phone, SIPFlow)] = [:]
    private var scripted: [ConnectionID: (script: Script, phone: Phone, flow: SIPFlow, framer: SIPStreamFramer)] = [:]
    private var acceptedCounter: UInt64 = 2
    private var portCounter: UInt16 = 40000
    private let random: RandomSource
    var loss = 0.0
    var duplication = 0.0
    var delay = 10.0
    var jitter = 0.0
    /// Names to addresses, for every phone.
    var names: [String: [SocketAddress]] = [:]
    /// Datagrams that must not arrive.
    var drops: ([UInt8]) -> Bool = { _ in false }

    init(seed: UInt64 = 1) { random = RandomSource(seed: seed) }

    func phone(_ name: String, _ ip: String, _ configuration: UserAgentConfiguration = UserAgentConfiguration()) -> Phone {
        let phone = Phone(name, ip, configuration, seed: random.next())
        phones[phone.address] = phone
        phone.agent.handle(.listening(.udp, phone.address), at: now)
        return phone
    }

    func script(_ ip: String) -> Script {
        let script = Script(ip)
        scripts[script.address] = script
        return script
    }

    func send(_ bytes: [UInt8], from: SocketAddress, to: SocketAddress) {
        if drops(bytes) { return }
        for _ in 0..<(random.uniform() < duplication ? 2 : 1) where random.uniform() >= loss {
            schedule(.datagram(bytes, from: from, to: to), after: delay + random.uniform() * jitter)
        }
    }

    func at(seconds: Double, _ action: @escaping () -> Void) { schedule(.closure(action), at: .zero + .milliseconds(Int(seconds * 1000))) }

    func tell(_ phone: Phone, _ input: UserAgent.Input) {
        phone.agent.handle(input, at: now)
        drain(phone)
    }

    func call(_ from: Phone, _ to: SIPURI, account: String? = nil, body: String? = "offer") -> SessionID {
        let id = from.agent.makeSessionID()
        tell(from, .invite(id, to: to, account: account, body: body.map { Array($0.utf8) }, contentType: "application/sdp"))
        return id
    }

    private func schedule(_ arrival: Arrival, after milliseconds: Double) { schedule(arrival, at: now + .microseconds(Int(milliseconds * 1000))) }
    private func schedule(_ arrival: Arrival, at instant: Instant) {
        order += 1
        queue.append((max(instant, now), order, arrival))
    }

    private func drain(_ phone: Phone) {
        while let output = phone.agent.poll() {
            switch output {
            case .transmit(let transmit):
                phone.noteSent(transmit.bytes, at: now)
                if let id = transmit.flow.connection {
                    if let (_, flow) = peers[id] { schedule(.stream(transmit.bytes, flow), after: delay) }
                    if scripted[id] != nil { schedule(.toScript(transmit.bytes, id), after: delay) }
                } else {
                    send(transmit.bytes, from: phone.address, to: transmit.flow.remote)
                }
            case .resolve(let id, let query): resolve(id, query, phone)
            case .connect(let id, let transport, _, let to, let name): connect(id, transport, to, name, phone)
            case .close(let id):
                if let entry = scripted.removeValue(forKey: id) { entry.script.open.removeAll { $0 == id } }
                if let (other, flow) = peers.removeValue(forKey: id), let connection = flow.connection {
                    peers[connection] = nil
                    schedule(.input(other, .closed(connection)), after: delay)
                }
            case .event(let event):
                phone.note(event, at: now)
                for input in phone.react(event) { schedule(.input(phone, input), after: 0) }
            case .trace: break
            }
        }
    }

    private func resolve(_ id: ResolutionID, _ query: ResolutionQuery, _ phone: Phone) {
        let transport = query.transport ?? (query.secure ? .tls : .udp)
        var addresses: [SocketAddress] = []
        switch query.host {
        case .ip(let ip): addresses = [SocketAddress(ip, query.port ?? 5060)]
        case .name(let name): addresses = names[name] ?? []
        }
        if addresses.isEmpty { return schedule(.input(phone, .resolutionFailed(id, "no such name")), after: 1) }
        let targets = addresses.map { ResolvedTarget(transport: transport, address: $0, local: phone.address) }
        schedule(.input(phone, .resolved(id, targets)), after: 0)
    }

    /// The server closes all that is open; the phone hears of it.
    func cut(_ script: Script) {
        for id in script.open {
            guard let entry = scripted.removeValue(forKey: id) else { continue }
            schedule(.input(entry.phone, .closed(id)), after: delay)
        }
        script.open = []
    }

    /// The server writes to the connection that was opened last.
    func push(_ script: Script, _ bytes: [UInt8]) {
        guard let id = script.open.last, let entry = scripted[id] else { return }
        schedule(.stream(bytes, entry.flow), after: delay)
    }

    private func connectScript(
        _ script: Script, _ id: ConnectionID, _ transport: SIPTransport, _ name: String, _ phone: Phone
    ) {
        guard script.accepts.contains(transport) else {
            return schedule(.input(phone, .connectionFailed(id, reason: .refused)), after: delay)
        }
        let local = SocketAddress(phone.address.ip, portCounter)
        portCounter += 1
        let flow = SIPFlow(transport: transport, local: local, remote: script.address, connection: id)
        scripted[id] = (script, phone, flow, SIPStreamFramer())
        script.open.append(id)
        script.opened.append((now, transport, name))
        schedule(.input(phone, .connected(id, local: local, remote: script.address)), after: delay)
    }

    private func arriveAtScript(_ bytes: [UInt8], _ id: ConnectionID) {
        guard var entry = scripted[id] else { return }
        var messages: [[UInt8]] = []
        if bytes == [13, 10, 13, 10] {
            entry.script.pings.append(now)
            if entry.script.answersPings { schedule(.stream([13, 10], entry.flow), after: delay) }
        } else if bytes == [13, 10] {
            entry.script.pongs += 1
        } else if entry.flow.transport.isWebSocket {
            messages = [bytes]
        } else {
            entry.framer.append(bytes)
            while let item = try? entry.framer.next() { if case .message(let message) = item { messages.append(message) } }
            scripted[id]?.framer = entry.framer
        }
        for bytes in messages {
            guard let message = try? SIPMessage.parse(bytes) else { continue }
            entry.script.note(message, at: now)
            for reply in entry.script.react(message) { schedule(.stream(reply, entry.flow), after: delay) }
        }
    }

    private func connect(_ id: ConnectionID, _ transport: SIPTransport, _ to: SocketAddress, _ name: String, _ phone: Phone) {
        if let script = scripts[to] { return connectScript(script, id, transport, name, phone) }
        guard let other = phones[to], other.listensTCP else {
            return schedule(.input(phone, .connectionFailed(id, reason: .refused)), after: delay)
        }
        let local = SocketAddress(phone.address.ip, portCounter)
        portCounter += 1
        let theirs = ConnectionID(raw: acceptedCounter)
        acceptedCounter += 2
        // Identifiers of different agents may be equal: tests with connections open them from one side only.
        let flow = SIPFlow(transport: transport, local: to, remote: local, connection: theirs)
        peers[id] = (other, flow)
        peers[theirs] = (phone, SIPFlow(transport: transport, local: local, remote: to, connection: id))
        schedule(.input(other, .accepted(flow)), after: delay)
        schedule(.input(phone, .connected(id, local: local, remote: to)), after: delay)
    }

    /// Runs until nothing is due before `seconds`.
    func run(until seconds: Double) {
        let end = Instant.zero + .milliseconds(Int(seconds * 1000))
        while step(until: end) {}
        now = max(now, end)
    }

    private func step(until end: Instant) -> Bool {
        var due: Instant?
        for phone in phones.values { due = earliest(due, phone.agent.deadline) }
        let next = queue.indices.min { (queue[$0].at, queue[$0].order) < (queue[$1].at, queue[$1].order) }
        if let next, queue[next].at <= (due ?? .distantFuture) {
            guard queue[next].at <= end else { return false }
            let entry = queue.remove(at: next)
            now = max(now, entry.at)
            arrive(entry.arrival)
            return true
        }
        guard let due, due <= end else { return false }
        now = max(now, due)
        for phone in phones.values.sorted(by: { $0.name < $1.name }) where (phone.agent.deadline ?? .distantFuture) <= now {
            phone.agent.handleTimeout(at: now)
            drain(phone)
        }
        return true
    }

    private func arrive(_ arrival: Arrival) {
        switch arrival {
        case .datagram(let bytes, let from, let to):
            if let phone = phones[to] {
                phone.agent.receive(bytes, flow: SIPFlow(transport: .udp, local: to, remote: from), at: now)
                drain(phone)
            } else if let script = scripts[to], bytes == [13, 10, 13, 10] {
                script.pings.append(now)
            } else if let script = scripts[to], let message = try? SIPMessage.parse(bytes) {
                script.note(message, at: now)
                for reply in script.react(message) { send(reply, from: to, to: from) }
            }
        case .stream(let bytes, let flow):
            guard let phone = phones.values.first(where: { $0.address.ip == flow.local.ip }) else { return }
            if flow.transport.isWebSocket {
                phone.agent.receive(bytes, flow: flow, at: now)
            } else {
                phone.agent.receiveStream(bytes, flow: flow, at: now)
            }
            drain(phone)
        case .toScript(let bytes, let id): arriveAtScript(bytes, id)
        case .input(let phone, let input): tell(phone, input)
        case .closure(let action): action()
        }
    }
}

extension SessionEnd {
    var summary: String { "\(by.rawValue) \(status.map(String.init) ?? "-") \(cause)\(credentialsSent ? " credentials" : "")" }
}

extension Phone {
    /// Events as short words, for comparison.
    var story: [String] { events.map { Phone.word($0.event) } }

    static func word(_ event: UserAgentEvent) -> String {
        let text = { (bytes: [UInt8]?) in bytes.map { String(decoding: $0, as: UTF8.self) } ?? "-" }
        switch event {
        case .incomingCall(_, let call): return "incoming \(text(call.offer))"
        case .provisional(_, let status, _, let sdp, _): return "\(status) \(text(sdp))"
        case .answered(_, let status, _, let sdp, _, _, _): return "answered \(status) \(text(sdp))"
        case .acknowledged(_, let sdp): return "acknowledged \(text(sdp))"
        case .reoffered(_, let sdp): return "reoffered \(text(sdp))"
        case .reofferAnswered(_, let sdp): return "reofferAnswered \(text(sdp))"
        case .reofferFailed(_, let status): return "reofferFailed \(status)"
        case .refreshNeeded: return "refreshNeeded"
        case .rejected(_, let status, _, _): return "rejected \(status)"
        case .dtmfInfo(_, let digit, let duration): return "dtmf \(digit) \(duration)"
        case .info(_, let package, let type, let body): return "info \(package) \(type) \(text(body))"
        case .infoFailed(_, let package, let status): return "infoFailed \(package) \(status)"
        case .ended(_, let end): return "ended \(end.summary)"
        case .registration(_, let state, let status, let expires, let cause):
            let numbers = [status, expires].map { $0.map(String.init) ?? "-" }.joined(separator: " ")
            return "\(state.rawValue) \(numbers)\(cause.map { " \($0)" } ?? "")"
        }
    }

    var session: SessionID? {
        for (_, event) in events { if case .incomingCall(let id, _) = event { return id } }
        return nil
    }

    /// Rings, then answers.
    func answers(_ body: String? = "answer", ringing: Bool = true) {
        react = { event in
            switch event {
            case .incomingCall(let id, _):
                let accept = UserAgent.Input.accept(id, body: body.map { Array($0.utf8) })
                return ringing ? [.provisional(id, status: 180, body: nil), accept] : [accept]
            case .reoffered(let id, _): return [.answerReoffer(id, body: Array("answer2".utf8), status: 200)]
            default: return []
            }
        }
    }

    func rings() {
        react = { event in
            if case .incomingCall(let id, _) = event { return [.provisional(id, status: 180, body: nil)] }
            return []
        }
    }

    var leftovers: String {
        let c = agent.counts
        return "\(c.transactions) \(c.dialogs) \(c.sessions) \(c.timers) \(c.requests)"
    }
}

let noLeftovers = "0 0 0 0 0"
