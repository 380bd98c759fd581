import Core

/// Virtual time and a seeded network. Everything that happens is a function of the seed and of what the test does.
///
/// Belongs to one thread. Nothing here waits in real time.
public final class Simulation {
    private struct Pending {
        var at: Instant
        var order: UInt64
        var body: () -> Void
    }

    private struct Way: Hashable {
        var from: String
        var to: String
    }

    public let seed: UInt64
    public let random: RandomSource
    public private(set) var now: Instant
    /// What every way is like that `link` did not set.
    public var defaultProfile: LinkProfile
    /// Changes, delays or drops datagrams before they go on a link: each gets what the one before it gave.
    public var filters: [(Datagram) -> [Datagram]] = []
    /// One line for each datagram and each event of a phone, while `isTracing`.
    public private(set) var journal: [String] = []
    public var isTracing = false
    /// SIP passes NAT boxes untranslated, as if a proxy stood between; media does not.
    public var carriesSignallingThroughNAT = false
    /// What must never happen: a machine that asks to be woken at once for ever.
    public private(set) var faults: [String] = []
    public private(set) var sent: [Datagram.Kind: Int] = [:]
    /// Datagrams for addresses or ports that nobody has.
    public private(set) var undelivered = 0
    public private(set) var streamBytes = 0

    private var pending: [Pending] = []
    private var counter: UInt64 = 0
    private var hosts: [any Host] = []
    private var byAddress: [IPAddress: any Host] = [:]
    private var boxes: [IPAddress: NATBox] = [:]
    private var boxesByPublic: [IPAddress: NATBox] = [:]
    private var profiles: [Way: LinkProfile] = [:]
    private var links: [Way: Link] = [:]
    private var stepsAtInstant = 0

    public init(seed: UInt64, profile: LinkProfile = LinkProfile()) {
        self.seed = seed
        random = RandomSource(seed: seed)
        defaultProfile = profile
        now = .zero + .seconds(1000)
    }

    // MARK: who is there

    public func add(_ host: any Host, behind box: NATBox? = nil) {
        hosts.append(host)
        for address in host.addresses {
            byAddress[address] = host
            if let box { boxes[address] = box }
        }
        if let box { boxesByPublic[box.publicAddress] = box }
    }

    /// A host keeps its links and gets other addresses.
    func readdress(_ host: any Host, from old: [IPAddress], to new: [IPAddress]) {
        for address in old where !new.contains(address) { byAddress[address] = nil }
        for address in new { byAddress[address] = host }
    }

    /// Both directions between two hosts, by their names.
    public func link(_ one: String, _ other: String, _ profile: LinkProfile) {
        direct(one, other, profile)
        direct(other, one, profile)
    }

    public func direct(_ from: String, _ to: String, _ profile: LinkProfile) {
        profiles[Way(from: from, to: to)] = profile
        links[Way(from: from, to: to)]?.profile = profile
    }

    // MARK: datagrams

    public func send(_ datagram: Datagram) {
        sent[datagram.kind, default: 0] += 1
        var batch = [datagram]
        for filter in filters { batch = batch.flatMap(filter) }
        if batch.isEmpty { note(datagram, "filtered") }
        for item in batch { carry(item) }
    }

    /// Puts a datagram on its link past all filters, e.g. one that a filter held back, or a forged one.
    public func inject(_ datagram: Datagram, after delay: Duration = .zero) {
        schedule(after: delay) { [unowned self] in carry(datagram) }
    }

    private func carry(_ datagram: Datagram) {
        guard let from = byAddress[datagram.source.ip] else {
            undelivered += 1
            return
        }
        let isUntranslated = carriesSignallingThroughNAT && datagram.kind == .sip
        let sourceBox = isUntranslated ? nil : boxes[datagram.source.ip]
        let destinationBox = isUntranslated ? nil : boxes[datagram.destination.ip]
        var outside = datagram
        // A private address is known on its own side of the box only.
        if let destinationBox, destinationBox !== sourceBox {
            note(datagram, "no route")
            return
        }
        if let sourceBox, destinationBox == nil { outside.source = sourceBox.outbound(from: datagram.source, to: datagram.destination) }
        let receiver = byAddress[datagram.destination.ip]?.name ?? datagram.destination.ip.description
        let way = Way(from: from.name, to: receiver)
        let arrivals = links[way, default: Link(profile: profiles[way] ?? defaultProfile, random: RandomSource(seed: random.next()))]
            .arrivals(bytes: datagram.payload.count, at: now)
        if arrivals.isEmpty { note(outside, "lost") }
        for arrival in arrivals { schedule(at: arrival) { [unowned self] in deliver(outside) } }
    }

    private func deliver(_ datagram: Datagram) {
        var inside = datagram
        if let box = boxesByPublic[datagram.destination.ip] {
            guard let destination = box.inbound(from: datagram.source, to: datagram.destination.port) else {
                note(datagram, "refused by NAT")
                return
            }
            inside.destination = destination
        }
        guard let host = byAddress[inside.destination.ip] else {
            undelivered += 1
            note(datagram, "no host")
            return
        }
        note(inside, "arrived")
        host.receive(inside)
    }

    /// Nobody has this address.
    func isUnknown(_ ip: IPAddress) -> Bool { byAddress[ip] == nil && boxesByPublic[ip] == nil }

    func countUndelivered() { undelivered += 1 }

    // MARK: streams

    /// Opens a stream. `done` gets this side's end after a round trip, or nil when it is refused.
    public func connect(from: SocketAddress, to: SocketAddress, _ done: @escaping (StreamEnd?) -> Void) {
        let delay = defaultProfile.delay
        schedule(after: delay) { [unowned self] in
            let (near, far) = StreamEnd.pair(simulation: self, delay: delay)
            let isTaken = byAddress[to.ip]?.accept(far, local: to, remote: from) ?? false
            schedule(after: delay) {
                withExtendedLifetime(far) { done(isTaken ? near : nil) }
            }
        }
    }

    func countStream(_ bytes: Int) { streamBytes += bytes }

    // MARK: time

    public func schedule(after delay: Duration, _ body: @escaping () -> Void) { schedule(at: now + delay, body) }

    public func schedule(at instant: Instant, _ body: @escaping () -> Void) {
        counter &+= 1
        push(Pending(at: max(instant, now), order: counter, body: body))
    }

    /// Runs everything up to `duration` from now.
    public func run(for duration: Duration) { run(until: now + duration) }

    public func run(until end: Instant) {
        while step(until: end) {}
        now = max(now, end)
    }

    /// Runs until `condition` holds or the limit is reached; tells which.
    @discardableResult
    public func run(limit: Duration, until condition: () -> Bool) -> Bool {
        let end = now + limit
        while !condition() {
            guard step(until: end) else {
                now = max(now, end)
                return condition()
            }
        }
        return true
    }

    /// One event. False when none is left before `end`.
    private func step(until end: Instant) -> Bool {
        var next = pending.first?.at
        var waking: (any Host)?
        for host in hosts {
            guard let at = host.wakeAt else { continue }
            if let known = next, known <= at { continue }
            next = at
            waking = host
        }
        guard let next, next <= end else { return false }
        if next > now {
            now = next
            stepsAtInstant = 0
        } else {
            stepsAtInstant += 1
            if stepsAtInstant > 20_000 {
                faults.append("\(now): \(waking?.name ?? "the network") spins")
                return false
            }
        }
        if let waking { waking.wake() } else if let event = pop() { event.body() }
        return true
    }

    // MARK: journal

    func note(_ datagram: Datagram, _ fate: String) {
        guard isTracing else { return }
        // The lengths of DTLS flights follow the library's own random numbers.
        let size = datagram.kind == .dtls ? "" : " \(datagram.payload.count)"
        var line = "\(now) \(datagram.source)>\(datagram.destination) \(datagram.kind.rawValue)\(size) \(fate)"
        if datagram.kind == .sip { line += " " + String(decoding: datagram.payload.prefix { $0 != 13 }, as: UTF8.self) }
        journal.append(line)
    }

    public func note(_ line: @autoclosure () -> String) {
        if isTracing { journal.append("\(now) \(line())") }
    }

    // MARK: the queue, a binary heap

    private func comesFirst(_ a: Pending, _ b: Pending) -> Bool { (a.at, a.order) < (b.at, b.order) }

    private func push(_ item: Pending) {
        pending.append(item)
        var child = pending.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard comesFirst(pending[child], pending[parent]) else { return }
            pending.swapAt(child, parent)
            child = parent
        }
    }

    private func pop() -> Pending? {
        guard let first = pending.first else { return nil }
        let last = pending.removeLast()
        guard !pending.isEmpty else { return first }
        pending[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < pending.count && comesFirst(pending[child], pending[least]) { least = child }
            if least == parent { return first }
            pending.swapAt(parent, least)
            parent = least
        }
    }
}
