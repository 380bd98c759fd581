import Core

/// One place to try, without the local address, which only the driver knows.
public struct ResolvedAddress: Hashable, Sendable {
    public var transport: SIPTransport
    public var address: SocketAddress

    public init(_ transport: SIPTransport, _ address: SocketAddress) {
        self.transport = transport
        self.address = address
    }
}

/// What a resolver knows from the machine that it runs on.
public struct ResolverConfiguration: Sendable {
    /// Servers are named by their index, 0 first.
    public var serverCount: Int
    public var hasIPv4: Bool
    /// AAAA is asked, and its addresses come first (RFC 6157 leaves the order to the host's policy).
    public var hasIPv6: Bool
    /// `/etc/hosts`: names in lower case. They are not looked up by DNS, SRV neither.
    public var hosts: [String: [IPAddress]]
    /// Appended to names without a dot.
    public var searchDomains: [String]

    public init(
        serverCount: Int, hasIPv4: Bool = true, hasIPv6: Bool = false, hosts: [String: [IPAddress]] = [:], searchDomains: [String] = []
    ) {
        self.serverCount = serverCount
        self.hasIPv4 = hasIPv4
        self.hasIPv6 = hasIPv6
        self.hosts = hosts
        self.searchDomains = searchDomains
    }
}

/// Finds the places to try for a SIP URI (RFC 3263, RFC 7118 §6) by DNS questions that a driver encodes, sends and decodes.
public struct Resolver: StateMachine {
    public enum Input: Sendable {
        /// - Parameters: transports: what can be used, the most wanted first.
        case query(ResolutionID, ResolutionQuery, transports: [SIPTransport])
        /// `server`: the index of the server whose address and port it came from.
        case answer(DNSAnswer, server: Int)
        /// The question with this identifier could not be delivered (ICMP, connection refused): the next server is asked at once.
        case serverFailed(id: UInt16)
        case cancel(ResolutionID)
    }

    public enum Output: Sendable, Equatable {
        /// Send this question, recursion desired. `overStream`: by TCP, because the answer does not fit a datagram.
        case ask(id: UInt16, DNSQuestion, server: Int, overStream: Bool)
        /// No answer with this identifier is waited for any more.
        case forget(id: UInt16)
        /// In the order to try. What TLS verifies stays the URI's domain, whatever SRV said (RFC 5922 §4): `serverName`.
        case resolved(ResolutionID, [ResolvedAddress], serverName: String)
        case failed(ResolutionID, String)
    }

    enum Timer: Hashable, Sendable {
        case transmission(UInt16)
        case resolution(ResolutionID)
    }

    /// A question on its way; every resolution that wants it waits here.
    struct Pending {
        let question: DNSQuestion
        var transmissions = 0
        var servers: Set<Int> = []
        var overStream = false
        var waiters: [ResolutionID]
    }

    struct Resolution {
        let query: ResolutionQuery
        let transports: [SIPTransport]
        /// What is known of the questions that it asked.
        var results: [DNSQuestion: [DNSRecord]] = [:]
        /// The order of SRV targets is drawn once.
        var orders: [DNSQuestion: [ServiceTarget]] = [:]
        /// Time is over: what is not known counts as none.
        var isOver = false
    }

    struct Cached {
        let records: [DNSRecord]
        let expires: Instant
    }

    static let maximumResolutions = 32
    static let maximumQuestions = 48
    static let maximumRecords = 64
    static let maximumCached = 256
    static let maximumAliases = 8
    /// A server that says nothing for so long is left for the next one; two rounds over all of them.
    static let transmissionLimit = Duration.seconds(1)
    static let rounds = 2
    static let resolutionLimit = Duration.seconds(8)
    /// How long "there is none" is believed. The SOA would say it, but a codec seldom shows it.
    static let negativeSeconds: UInt32 = 30

    /// Answers that nobody asked for.
    public private(set) var strays = 0

    let configuration: ResolverConfiguration
    let random: RandomSource
    var resolutions: [ResolutionID: Resolution] = [:]
    var timers = TimerTable<Timer>()
    private var pending: [UInt16: Pending] = [:]
    private var identifiers: [DNSQuestion: UInt16] = [:]
    private var cache: [DNSQuestion: Cached] = [:]
    private var outputs: [Output] = []

    public init(configuration: ResolverConfiguration, random: RandomSource) {
        self.configuration = configuration
        self.random = random
    }

    public var deadline: Instant? { timers.deadline }
    public mutating func poll() -> Output? { outputs.isEmpty ? nil : outputs.removeFirst() }
    var pendingCount: Int { pending.count }
    var cachedCount: Int { cache.count }

    public mutating func handle(_ input: consuming Input, at now: Instant) {
        switch input {
        case .query(let id, let query, let transports): start(id, query, transports, at: now)
        case .answer(let answer, let server): receive(answer, server, at: now)
        case .serverFailed(let id):
            guard pending[id] != nil else { return }
            transmit(id, at: now)
        case .cancel(let id): remove(id)
        }
    }

    public mutating func handleTimeout(at now: Instant) {
        while let timer = timers.popExpired(at: now) {
            switch timer {
            case .transmission(let id): transmit(id, at: now)
            case .resolution(let id):
                resolutions[id]?.isOver = true
                advance(id, at: now)
            }
        }
    }

    private mutating func start(_ id: ResolutionID, _ query: ResolutionQuery, _ transports: [SIPTransport], at now: Instant) {
        guard resolutions[id] == nil else { return }
        guard resolutions.count < Resolver.maximumResolutions else { return outputs.append(.failed(id, "too many look-ups at once")) }
        let usable = transports.filter { !query.secure || $0.isSecure }
        resolutions[id] = Resolution(query: query, transports: usable)
        timers.set(.resolution(id), at: now + Resolver.resolutionLimit)
        advance(id, at: now)
    }

    /// Evaluates anew with what is known by now; ends the resolution when nothing is missing.
    private mutating func advance(_ id: ResolutionID, at now: Instant) {
        guard let query = resolutions[id]?.query, let outcome = evaluate(id, at: now) else { return }
        remove(id)
        switch outcome {
        case .success(let addresses): outputs.append(.resolved(id, addresses, serverName: query.host.description))
        case .failure(let failure): outputs.append(.failed(id, failure.text))
        }
    }

    private mutating func remove(_ id: ResolutionID) {
        guard resolutions.removeValue(forKey: id) != nil else { return }
        timers.cancel(.resolution(id))
        for (identifier, question) in pending where question.waiters.contains(id) {
            pending[identifier]?.waiters.removeAll { $0 == id }
            if pending[identifier]?.waiters.isEmpty == true { forget(identifier) }
        }
    }

    // MARK: Questions

    /// The records that answer a question, aliases followed; nil: not known yet, and asked for.
    mutating func records(_ name: String, _ type: DNSQuestion.RecordType, for id: ResolutionID, at now: Instant) -> [DNSRecord]? {
        var name = DNSName.normalised(name)
        for _ in 0...Resolver.maximumAliases {
            // Names of multicast DNS never leave by unicast (RFC 6762 §3), nor does what cannot be a name.
            guard DNSName.isValid(name), !DNSName.isUnder(name, "local"), IPAddress(name) == nil else { return [] }
            let question = DNSQuestion(name, type)
            guard let known = known(question, for: id, at: now) else { return nil }
            let wanted = known.filter { $0.answers(type) }
            if !wanted.isEmpty { return wanted }
            guard case .cname(let alias, _) = known.last(where: \.isAlias) else { return [] }
            name = DNSName.normalised(alias)
        }
        return []
    }

    private mutating func known(_ question: DNSQuestion, for id: ResolutionID, at now: Instant) -> [DNSRecord]? {
        guard let resolution = resolutions[id] else { return [] }
        if let records = resolution.results[question] { return records }
        if let cached = cache[question] {
            if cached.expires > now {
                resolutions[id]?.results[question] = cached.records
                return cached.records
            }
            cache[question] = nil
        }
        if let identifier = identifiers[question] {
            if pending[identifier]?.waiters.contains(id) == false { pending[identifier]?.waiters.append(id) }
            return resolution.isOver ? [] : nil
        }
        guard !resolution.isOver, configuration.serverCount > 0, resolution.results.count < Resolver.maximumQuestions else { return [] }
        let waiting = pending.values.reduce(0) { $1.waiters.contains(id) ? $0 + 1 : $0 }
        guard waiting < Resolver.maximumQuestions, let identifier = makeIdentifier() else { return [] }
        pending[identifier] = Pending(question: question, waiters: [id])
        identifiers[question] = identifier
        transmit(identifier, at: now)
        return nil
    }

    /// Not to be guessed: an answer is believed because it knows this number (and the port).
    private func makeIdentifier() -> UInt16? {
        for _ in 0..<64 {
            let candidate = UInt16(truncatingIfNeeded: random.next())
            if pending[candidate] == nil { return candidate }
        }
        return nil
    }

    /// To the next server; after two rounds the question has no answer.
    private mutating func transmit(_ id: UInt16, at now: Instant) {
        guard var entry = pending[id] else { return }
        guard entry.transmissions < configuration.serverCount * Resolver.rounds else { return complete(id, [], isKnown: false, at: now) }
        let server = entry.transmissions % configuration.serverCount
        entry.transmissions += 1
        entry.servers.insert(server)
        entry.overStream = false
        pending[id] = entry
        timers.set(.transmission(id), at: now + Resolver.transmissionLimit)
        outputs.append(.ask(id: id, entry.question, server: server, overStream: false))
    }

    private mutating func receive(_ answer: DNSAnswer, _ server: Int, at now: Instant) {
        guard let entry = pending[answer.id], entry.question == answer.question, entry.servers.contains(server) else {
            strays &+= 1
            return
        }
        if answer.truncated {
            guard !entry.overStream else { return }  // a late datagram; the stream's answer is on its way
            pending[answer.id]?.overStream = true
            timers.set(.transmission(answer.id), at: now + Resolver.transmissionLimit * 2)
            return outputs.append(.ask(id: answer.id, entry.question, server: server, overStream: true))
        }
        // A server that fails or refuses is as good as a silent one.
        guard answer.rcode == 0 || answer.rcode == 3 else { return transmit(answer.id, at: now) }
        let records = answer.records.prefix(Resolver.maximumRecords).filter { $0.answers(entry.question.type) || $0.isAlias }
        complete(answer.id, answer.rcode == 0 ? records : [], isKnown: true, at: now)
    }

    private mutating func complete(_ id: UInt16, _ records: [DNSRecord], isKnown: Bool, at now: Instant) {
        guard let entry = pending[id] else { return }
        forget(id)
        if isKnown { remember(entry.question, records, at: now) }
        for waiter in entry.waiters { resolutions[waiter]?.results[entry.question] = records }
        for waiter in entry.waiters { advance(waiter, at: now) }
    }

    private mutating func forget(_ id: UInt16) {
        guard let entry = pending.removeValue(forKey: id) else { return }
        identifiers[entry.question] = nil
        timers.cancel(.transmission(id))
        outputs.append(.forget(id: id))
    }

    private mutating func remember(_ question: DNSQuestion, _ records: [DNSRecord], at now: Instant) {
        let seconds = min(records.map(\.ttl).min() ?? Resolver.negativeSeconds, 86_400)
        guard seconds > 0 else { return }
        if cache.count >= Resolver.maximumCached {
            cache = cache.filter { $0.value.expires > now }
            if cache.count >= Resolver.maximumCached, let oldest = cache.min(by: { $0.value.expires < $1.value.expires }) { cache[oldest.key] = nil }
        }
        cache[question] = Cached(records: records, expires: now + .seconds(Int64(seconds)))
    }
}
