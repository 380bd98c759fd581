import Core

/// A host of an SRV record.
struct ServiceTarget: Hashable, Sendable {
    var name: String
    var port: UInt16
    var transport: SIPTransport
}

extension SIPTransport {
    /// The owner name of SRV records, before the domain (RFC 3263 §4.1, RFC 7118 §6).
    var serviceLabel: String {
        switch self {
        case .udp: "_sip._udp."
        case .tcp: "_sip._tcp."
        case .tls: "_sips._tcp."
        case .ws: "_sip._ws."
        case .wss: "_sips._ws."
        }
    }

    /// From the service field of a NAPTR record (RFC 3263 §4.1, RFC 7118 §6).
    init?(service: String) {
        switch SIPSyntax.lowercased(service) {
        case "sip+d2u": self = .udp
        case "sip+d2t": self = .tcp
        case "sips+d2t": self = .tls
        case "sip+d2w": self = .ws
        case "sips+d2w": self = .wss
        default: return nil
        }
    }
}

/// Which questions a URI needs, and in which order its servers are tried (RFC 3263 §4).
extension Resolver {
    struct Failure: Error {
        let text: String
    }

    private enum Service {
        case targets([ServiceTarget])
        case none
        /// A target of "." (RFC 2782): there is decidedly no such service.
        case denied
    }

    private static let maximumTargets = 16

    /// nil: some answer is missing.
    mutating func evaluate(_ id: ResolutionID, at now: Instant) -> Result<[ResolvedAddress], Failure>? {
        guard let resolution = resolutions[id] else { return nil }
        let query = resolution.query
        // "tls" for sips and "udp" for sip when nothing names a transport (§4.1).
        let wanted = query.transport ?? (query.secure ? .tls : .udp)
        let transport = query.transport == nil && !resolution.transports.contains(wanted) ? resolution.transports.first : wanted
        guard let transport, resolution.transports.contains(transport) else {
            return .failure(Failure(text: "no usable transport for \(query.host)"))
        }
        let port = query.port ?? transport.defaultPort
        switch query.host {
        case .ip(let ip): return .success([ResolvedAddress(transport, SocketAddress(ip, port))])
        case .name(let host):
            let name = DNSName.normalised(host)
            if let addresses = staticAddresses(name) {
                return .success(addresses.map { ResolvedAddress(transport, SocketAddress($0, port)) })
            }
            guard DNSName.isValid(name) else { return .failure(Failure(text: "\(host) is no domain name")) }
            if DNSName.isUnder(name, "local") { return .failure(Failure(text: "\(host) is a name of multicast DNS")) }
            for candidate in candidates(name) {
                guard let found = addresses(of: candidate, default: transport, id, at: now) else { return nil }
                if !found.isEmpty { return .success(Array(found.prefix(Resolver.maximumRecords))) }
            }
            let reason = resolution.isOver ? "\(host) was not resolved in time" : "no address for \(host)"
            return .failure(Failure(text: reason))
        }
    }

    /// A name without a dot is looked for in the machine's own domains first.
    private func candidates(_ name: String) -> [String] {
        name.contains(".") ? [name] : configuration.searchDomains.prefix(6).map { "\(name).\($0)" } + [name]
    }

    private func staticAddresses(_ name: String) -> [IPAddress]? {
        if let known = configuration.hosts[name] { return known }
        guard DNSName.isUnder(name, "localhost") else { return nil }  // RFC 6761 §6.3
        return (configuration.hasIPv6 ? [IPAddress.loopbackV6] : []) + (configuration.hasIPv4 ? [IPAddress.loopbackV4] : [])
    }

    private mutating func addresses(
        of name: String, default transport: SIPTransport, _ id: ResolutionID, at now: Instant
    ) -> [ResolvedAddress]? {
        guard let resolution = resolutions[id] else { return [] }
        let plain = ServiceTarget(name: name, port: resolution.query.port ?? transport.defaultPort, transport: transport)
        if resolution.query.port != nil { return addresses(of: [plain], id, at: now) }
        let service =
            resolution.query.transport == nil
            ? anyService(of: name, resolution.transports, id, at: now)
            : services(transport.serviceLabel + name, transport, id, at: now)
        switch service {
        case .targets(let targets): return addresses(of: targets, id, at: now)
        case .none?: return addresses(of: [plain], id, at: now)
        case .denied: return []
        case nil: return nil
        }
    }

    /// NAPTR, and without it the SRV records of all transports.
    private mutating func anyService(
        of name: String, _ transports: [SIPTransport], _ id: ResolutionID, at now: Instant
    ) -> Service? {
        guard let records = records(name, .naptr, for: id, at: now) else { return nil }
        let chosen = Resolver.pointers(records).filter { transports.contains($0.transport) }
        let found = merged(chosen.map { ($0.replacement, $0.transport) }, id, at: now)
        if case .targets = found { return found }
        guard found != nil else { return nil }
        return merged(transports.map { ($0.serviceLabel + name, $0) }, id, at: now)
    }

    /// All are asked at once; their targets follow each other in the order given.
    private mutating func merged(_ questions: [(String, SIPTransport)], _ id: ResolutionID, at now: Instant) -> Service? {
        var isWaiting = false
        var isDenied = false
        var targets: [ServiceTarget] = []
        for (name, transport) in questions {
            switch services(name, transport, id, at: now) {
            case nil: isWaiting = true
            case .targets(let found): targets += found
            case .denied: isDenied = true
            case .none?: break
            }
        }
        if isWaiting { return nil }
        if !targets.isEmpty { return .targets(targets) }
        return isDenied ? .denied : Service.none
    }

    /// The usable NAPTR records in their order (RFC 3403 §4.1): terminal ones ("s") without a regular expression.
    static func pointers(_ records: [DNSRecord]) -> [(replacement: String, transport: SIPTransport)] {
        var found: [(order: UInt32, replacement: String, transport: SIPTransport)] = []
        for case .naptr(let order, let preference, let flags, let service, let regexp, let replacement, _) in records {
            guard SIPSyntax.lowercased(flags) == "s", regexp.isEmpty, let transport = SIPTransport(service: service) else { continue }
            guard DNSName.isValid(DNSName.normalised(replacement)) else { continue }
            found.append((UInt32(order) << 16 | UInt32(preference), replacement, transport))
        }
        // Stable for equal ranks: the answer's own order.
        let sorted = found.enumerated().sorted { ($0.element.order, $0.offset) < ($1.element.order, $1.offset) }
        return sorted.prefix(8).map { ($0.element.replacement, $0.element.transport) }
    }

    private mutating func services(_ name: String, _ transport: SIPTransport, _ id: ResolutionID, at now: Instant) -> Service? {
        let question = DNSQuestion(name, .srv)
        if let order = resolutions[id]?.orders[question] { return order.isEmpty ? Service.none : .targets(order) }
        guard let records = records(name, .srv, for: id, at: now) else { return nil }
        if records.count == 1, case .srv(_, _, _, let target, _) = records[0], DNSName.normalised(target).isEmpty { return .denied }
        let order = serviceOrder(records, transport)
        resolutions[id]?.orders[question] = order
        return order.isEmpty ? Service.none : .targets(order)
    }

    /// By priority, and at random by weight among equals (RFC 2782).
    private func serviceOrder(_ records: [DNSRecord], _ transport: SIPTransport) -> [ServiceTarget] {
        var groups: [UInt16: [(weight: UInt32, target: ServiceTarget)]] = [:]
        for case .srv(let priority, let weight, let port, let target, _) in records where port > 0 {
            let name = DNSName.normalised(target)
            guard DNSName.isValid(name) else { continue }
            groups[priority, default: []].append((UInt32(weight), ServiceTarget(name: name, port: port, transport: transport)))
        }
        var order: [ServiceTarget] = []
        for priority in groups.keys.sorted() {
            // Those with weight 0 stand first, so that they have a small chance.
            var left = (groups[priority] ?? []).sorted { $0.weight == 0 && $1.weight != 0 }
            while !left.isEmpty {
                let sum = left.reduce(UInt32(0)) { $0 &+ $1.weight }
                let draw = UInt32(random.uniform() * (Double(sum) + 1))
                var running: UInt32 = 0
                let index = left.firstIndex { entry in
                    running &+= entry.weight
                    return running >= draw
                }
                order.append(left.remove(at: index ?? 0).target)
            }
        }
        return Array(order.prefix(Resolver.maximumTargets))
    }

    /// Both families of each target are asked at once and taken in turn.
    private mutating func addresses(of targets: [ServiceTarget], _ id: ResolutionID, at now: Instant) -> [ResolvedAddress]? {
        var isWaiting = false
        var out: [ResolvedAddress] = []
        for target in targets {
            var six: [IPAddress] = []
            var four: [IPAddress] = []
            if let known = staticAddresses(target.name) {
                six = known.filter(\.isV6)
                four = known.filter(\.isV4)
            } else {
                if configuration.hasIPv6 {
                    let records = records(target.name, .aaaa, for: id, at: now)
                    isWaiting = isWaiting || records == nil
                    for case .aaaa(let ip, _) in records ?? [] { six.append(ip) }
                }
                if configuration.hasIPv4 {
                    let records = records(target.name, .a, for: id, at: now)
                    isWaiting = isWaiting || records == nil
                    for case .a(let ip, _) in records ?? [] { four.append(ip) }
                }
            }
            for i in 0..<max(six.count, four.count) {
                for ip in [six, four].compactMap({ i < $0.count ? $0[i] : nil }) where !ip.isUnspecified && !ip.isMulticast {
                    let address = ResolvedAddress(target.transport, SocketAddress(ip, target.port))
                    if !out.contains(address) { out.append(address) }
                }
            }
        }
        return isWaiting ? nil : out
    }
}
