import Core

@testable import SIP

/// DNS servers by hand: a zone, and what each server does with a question.
final class ScriptedDNS {
    enum Behaviour {
        case answers, silent, refuses, truncates
        /// The answer as it shall be.
        case lies((UInt16, DNSQuestion) -> DNSAnswer)
    }

    var zone: [DNSQuestion: [DNSRecord]] = [:]
    var servers: [Behaviour]
    var ignoresStreams = false
    var resolver: Resolver
    private(set) var now = Instant.zero
    private(set) var asked: [(question: DNSQuestion, server: Int, overStream: Bool)] = []
    private(set) var resolved: [ResolutionID: [ResolvedAddress]] = [:]
    private(set) var names: [ResolutionID: String] = [:]
    private(set) var failed: [ResolutionID: String] = [:]
    private(set) var endedAt: [ResolutionID: Instant] = [:]
    private var counter: UInt64 = 0

    init(
        _ servers: [Behaviour] = [.answers], hasIPv6: Bool = false, hosts: [String: [IPAddress]] = [:], search: [String] = [], seed: UInt64 = 1
    ) {
        self.servers = servers
        let configuration = ResolverConfiguration(serverCount: servers.count, hasIPv6: hasIPv6, hosts: hosts, searchDomains: search)
        resolver = Resolver(configuration: configuration, random: RandomSource(seed: seed))
    }

    func add(_ name: String, _ type: DNSQuestion.RecordType, _ records: DNSRecord...) { zone[DNSQuestion(name, type), default: []] += records }
    func address(_ name: String, _ text: String, ttl: UInt32 = 60) {
        guard let ip = IPAddress(text) else { return }
        if ip.isV4 { add(name, .a, .a(ip, ttl: ttl)) } else { add(name, .aaaa, .aaaa(ip, ttl: ttl)) }
    }
    func service(_ name: String, _ target: String, port: UInt16, priority: UInt16 = 0, weight: UInt16 = 0) {
        add(name, .srv, .srv(priority: priority, weight: weight, port: port, target: target, ttl: 60))
    }
    func pointer(_ name: String, _ service: String, _ replacement: String, order: UInt16 = 0, preference: UInt16 = 0, flags: String = "s") {
        add(
            name, .naptr,
            .naptr(order: order, preference: preference, flags: flags, service: service, regexp: "", replacement: replacement, ttl: 60))
    }

    /// Asks and lets 20 s pass, or less.
    @discardableResult
    func resolve(
        _ uri: String, _ transports: [SIPTransport] = SIPTransport.allCases, until seconds: Double = 20
    ) -> [String] {
        let id = start(uri, transports)
        run(until: seconds)
        return text(id)
    }

    func start(_ uri: String, _ transports: [SIPTransport] = SIPTransport.allCases) -> ResolutionID {
        counter += 1
        let id = ResolutionID(raw: counter)
        guard let uri = SIPURI(uri), let query = UserAgent.query(for: uri) else { return id }
        resolver.handle(.query(id, query, transports: transports), at: now)
        drain()
        return id
    }

    func text(_ id: ResolutionID) -> [String] { resolved[id]?.map { "\($0.transport) \($0.address)" } ?? ["failed: \(failed[id] ?? "-")"] }

    func tell(_ input: Resolver.Input) {
        resolver.handle(input, at: now)
        drain()
    }

    func run(until seconds: Double) {
        let end = now + .milliseconds(Int(seconds * 1000))
        while let due = resolver.deadline, due <= end {
            now = max(now, due)
            resolver.handleTimeout(at: now)
            drain()
        }
        now = end
    }

    private func drain() {
        while let output = resolver.poll() {
            switch output {
            case .ask(let id, let question, let server, let overStream):
                asked.append((question, server, overStream))
                if let answer = answer(id, question, server, overStream) { resolver.handle(.answer(answer, server: server), at: now) }
            case .forget: break
            case .resolved(let id, let addresses, let name):
                resolved[id] = addresses
                names[id] = name
                endedAt[id] = now
            case .failed(let id, let text):
                failed[id] = text
                endedAt[id] = now
            }
        }
    }

    private func answer(_ id: UInt16, _ question: DNSQuestion, _ server: Int, _ overStream: Bool) -> DNSAnswer? {
        if overStream, ignoresStreams { return nil }
        let known = zone[question]
        let right = DNSAnswer(id: id, question: question, rcode: known == nil ? 3 : 0, records: known ?? [])
        switch servers[server] {
        case .answers: return right
        case .silent: return nil
        case .refuses: return DNSAnswer(id: id, question: question, rcode: 5)
        case .truncates where overStream: return right
        case .truncates: return DNSAnswer(id: id, question: question, truncated: true, records: Array((known ?? []).prefix(1)))
        case .lies(let lie): return lie(id, question)
        }
    }
}
