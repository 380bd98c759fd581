import Core
import NIOCore
import NIOPosix
import SIP

/// DNS over the loop's own sockets: `Resolver` thinks, `DNSCodec` reads and writes, and each question has a socket (so a port) of its own.
extension PhoneClient {
    /// What came of a look-up: the places to try, or a reason.
    typealias Found = Result<[ResolvedAddress], LookupFailure>

    struct LookupFailure: Error, Sendable { var text: String }

    /// One look-up's sockets and servers.
    struct DNSState {
        var resolver: SIP.Resolver
        var configuration: DNSConfiguration
        var read: Instant
        var waiting: [ResolutionID: @Sendable (Found) -> Void] = [:]
        var channels: [UInt16: [any Channel]] = [:]
        var timer: Scheduled<Void>?
    }

    /// The system's servers and hosts are read again when they may have changed and nobody waits.
    private static let configurationAge = Duration.seconds(10)

    /// `finish` is called on the loop, perhaps inside this call.
    func lookUp(_ id: ResolutionID, _ query: ResolutionQuery, _ finish: @escaping @Sendable (Found) -> Void) {
        let now = PhoneClient.now()
        var query = query
        // `sips:` is TLS, whatever the transport parameter says (RFC 3261 §26.2.2).
        if query.secure, query.transport != nil { query.transport = PhoneClient.transport(of: query) }
        prepareDNS(at: now)
        dns?.waiting[id] = finish
        // A WebSocket has a path that no record tells: it is used only where a URI asks for it.
        let usable: [SIPTransport] = query.transport?.isWebSocket == true ? SIPTransport.allCases : [.udp, .tcp, .tls]
        dns?.resolver.handle(.query(id, query, transports: usable), at: now)
        drainDNS(at: now)
    }

    private func prepareDNS(at now: Instant) {
        if let dns, !dns.waiting.isEmpty || now - dns.read < PhoneClient.configurationAge { return }
        let found = transports.nameServers.map { DNSConfiguration(servers: $0) } ?? DNSConfiguration.system()
        if dns?.configuration == found {
            dns?.read = now
            return
        }
        let (usable, _) = Sockets.interfaceAddresses()
        let configuration = ResolverConfiguration(
            serverCount: found.servers.count, hasIPv6: usable.contains(where: \.isV6), hosts: found.hosts, searchDomains: found.searchDomains)
        let random = RandomSource {
            var system = SystemRandomNumberGenerator()
            return system.next()
        }
        dns?.timer?.cancel()
        dns = DNSState(resolver: SIP.Resolver(configuration: configuration, random: random), configuration: found, read: now)
    }

    private func drainDNS(at now: Instant) {
        while let output = dns?.resolver.poll() {
            switch output {
            case .ask(let id, let question, let server, let overStream): ask(id, question, server, overStream)
            case .forget(let id): for channel in dns?.channels.removeValue(forKey: id) ?? [] { channel.close(promise: nil) }
            case .resolved(let id, let addresses, _): finish(id, .success(addresses))
            case .failed(let id, let text): finish(id, .failure(LookupFailure(text: text)))
            }
        }
        dns?.timer?.cancel()
        let deadline = dns?.resolver.deadline
        let timer = deadline.map { deadline in
            loop.scheduleTask(in: .nanoseconds(max(0, (deadline - now).totalNanoseconds))) { [weak self] () -> Void in
                self?.assumeIsolated { me in
                    let now = PhoneClient.now()
                    me.dns?.resolver.handleTimeout(at: now)
                    me.drainDNS(at: now)
                }
            }
        }
        dns?.timer = timer
    }

    private func finish(_ id: ResolutionID, _ found: Found) {
        // Taken out first: who is told may ask for the next name at once.
        let waiter = dns?.waiting.removeValue(forKey: id)
        waiter?(found)
    }

    private func ask(_ id: UInt16, _ question: DNSQuestion, _ server: Int, _ overStream: Bool) {
        guard let servers = dns?.configuration.servers, servers.indices.contains(server), let remote = Sockets.nio(servers[server]),
            let bytes = DNSCodec.question(id: id, name: question.name, type: DNSCodec.RecordType(question.type))
        else { return post(serverFailed: id) }
        let received: @Sendable ([UInt8]) -> Void = { [weak self] bytes in
            self?.assumeIsolated { $0.answered(bytes, from: server) }
        }
        let failed: @Sendable () -> Void = { [weak self] in self?.assumeIsolated { $0.serverFailed(id) } }
        dns?.channels[id, default: []] += []
        let opened =
            overStream
            ? ClientBootstrap(group: loop).connectTimeout(.seconds(2))
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(DNSStreamHandler(received: received, failed: failed))
                    }
                }.connect(to: remote)
            : DatagramBootstrap(group: loop)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(DNSDatagramHandler(received: received, failed: failed))
                    }
                }.connect(to: remote)
        opened.whenComplete { [weak self] result in
            self?.assumeIsolated { me in
                switch result {
                case .failure: me.serverFailed(id)
                case .success(let channel):
                    // The answer may have come from another server meanwhile.
                    guard me.dns?.channels[id] != nil else {
                        channel.close(promise: nil)
                        return
                    }
                    me.dns?.channels[id]?.append(channel)
                    let length = overStream ? [UInt8(truncatingIfNeeded: bytes.count >> 8), UInt8(truncatingIfNeeded: bytes.count)] : []
                    if overStream {
                        channel.writeAndFlush(ByteBuffer(bytes: length + bytes), promise: nil)
                    } else {
                        channel.writeAndFlush(AddressedEnvelope(remoteAddress: remote, data: ByteBuffer(bytes: bytes)), promise: nil)
                    }
                }
            }
        }
    }

    private func answered(_ bytes: [UInt8], from server: Int) {
        guard let message = DNSCodec.message(bytes), let answer = DNSAnswer(message) else { return }
        let now = PhoneClient.now()
        dns?.resolver.handle(.answer(answer, server: server), at: now)
        drainDNS(at: now)
    }

    /// A no-op for a question that nobody asks any more.
    private func serverFailed(_ id: UInt16) {
        guard dns?.channels[id] != nil else { return }
        let now = PhoneClient.now()
        dns?.resolver.handle(.serverFailed(id: id), at: now)
        drainDNS(at: now)
    }

    private func post(serverFailed id: UInt16) {
        dns?.channels[id, default: []] += []
        loop.execute { self.assumeIsolated { $0.serverFailed(id) } }
    }

    func closeDNS() {
        dns?.timer?.cancel()
        for channels in dns?.channels.values ?? [:].values { for channel in channels { channel.close(promise: nil) } }
        dns = nil
    }
}

extension DNSCodec.RecordType {
    init(_ type: DNSQuestion.RecordType) {
        switch type {
        case .a: self = .a
        case .aaaa: self = .aaaa
        case .srv: self = .srv
        case .naptr: self = .naptr
        }
    }
}

extension DNSAnswer {
    /// nil when the question is of a type that nobody asks for.
    init?(_ message: DNSCodec.Message) {
        let type: DNSQuestion.RecordType
        switch DNSCodec.RecordType(rawValue: message.type) {
        case .a: type = .a
        case .aaaa: type = .aaaa
        case .srv: type = .srv
        case .naptr: type = .naptr
        case .cname, nil: return nil
        }
        let records = message.records.map { record -> DNSRecord in
            switch record.data {
            case .address(let ip): ip.isV4 ? .a(ip, ttl: record.ttl) : .aaaa(ip, ttl: record.ttl)
            case .cname(let name): .cname(name, ttl: record.ttl)
            case .srv(let priority, let weight, let port, let target):
                .srv(priority: priority, weight: weight, port: port, target: target, ttl: record.ttl)
            case .naptr(let order, let preference, let flags, let service, let regexp, let replacement):
                .naptr(
                    order: order, preference: preference, flags: flags, service: service, regexp: regexp, replacement: replacement,
                    ttl: record.ttl)
            }
        }
        self.init(
            id: message.id, question: DNSQuestion(message.name, type), rcode: Int(message.code), truncated: message.isTruncated, records: records)
    }
}
