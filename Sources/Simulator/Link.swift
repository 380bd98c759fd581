import Core

/// How datagrams get lost.
public enum Loss: Sendable, Equatable {
    case none
    /// Each by itself with this probability.
    case bernoulli(Double)
    /// Two states (Gilbert 1960, Elliott 1963): the probabilities to change, and of loss in each.
    case gilbertElliott(toBad: Double, toGood: Double, inGood: Double, inBad: Double)

    /// Bursts of three datagrams on average, with this share lost in all.
    public static func bursts(_ share: Double) -> Loss {
        guard share > 0, share < 1 else { return .bernoulli(share) }
        let toGood = 1.0 / 3
        return .gilbertElliott(toBad: toGood * share / (1 - share), toGood: toGood, inGood: 0, inBad: 1)
    }
}

/// What a way from one host to another does to datagrams.
public struct LinkProfile: Sendable, Equatable {
    public var delay: Duration
    /// Added to the delay, uniformly from zero; order is kept.
    public var jitter: Duration
    public var loss: Loss
    /// The probability that a datagram is held back by `reorderDelay` while others pass it.
    public var reorder: Double
    public var reorderDelay: Duration
    public var duplicate: Double
    /// Bits a second; nil: without limit.
    public var rate: Int?
    /// With a rate: how much may wait before datagrams are dropped at the tail.
    public var queueLimit: Duration

    public init(
        delay: Duration = .milliseconds(10), jitter: Duration = .zero, loss: Loss = .none, reorder: Double = 0,
        reorderDelay: Duration = .milliseconds(30), duplicate: Double = 0, rate: Int? = nil, queueLimit: Duration = .milliseconds(200)
    ) {
        self.delay = delay
        self.jitter = jitter
        self.loss = loss
        self.reorder = reorder
        self.reorderDelay = reorderDelay
        self.duplicate = duplicate
        self.rate = rate
        self.queueLimit = queueLimit
    }

    /// Loss as given, with 2 % reordered, 2 % duplicated and some jitter.
    public static func rough(loss: Loss) -> LinkProfile {
        LinkProfile(delay: .milliseconds(20), jitter: .milliseconds(8), loss: loss, reorder: 0.02, duplicate: 0.02)
    }
}

/// One direction between two hosts.
struct Link {
    var profile: LinkProfile
    private let random: RandomSource
    private var isBad = false
    /// When the line is free again, with a rate.
    private var freeAt = Instant.zero
    private var lastArrival = Instant.zero

    init(profile: LinkProfile, random: RandomSource) {
        self.profile = profile
        self.random = random
    }

    /// When copies of a datagram arrive: none when it is lost, two when it is duplicated.
    mutating func arrivals(bytes: Int, at now: Instant) -> [Instant] {
        var start = now
        if let rate = profile.rate, rate > 0 {
            start = max(now, freeAt)
            if start - now > profile.queueLimit { return [] }
            // 28 bytes of IPv4 and UDP headers.
            start += .nanoseconds((bytes + 28) * 8 * 1_000_000_000 / rate)
            freeAt = start
        }
        var out: [Instant] = []
        let copies = profile.duplicate > 0 && random.uniform() < profile.duplicate ? 2 : 1
        for _ in 0..<copies where !isLost() {
            var arrival = start + profile.delay
            if profile.jitter > .zero { arrival += .nanoseconds(Int64(Double(profile.jitter.totalNanoseconds) * random.uniform())) }
            if profile.reorder > 0, random.uniform() < profile.reorder {
                out.append(arrival + profile.reorderDelay)
            } else {
                arrival = max(arrival, lastArrival)
                lastArrival = arrival
                out.append(arrival)
            }
        }
        return out
    }

    private mutating func isLost() -> Bool {
        switch profile.loss {
        case .none: return false
        case .bernoulli(let probability): return random.uniform() < probability
        case .gilbertElliott(let toBad, let toGood, let inGood, let inBad):
            if random.uniform() < (isBad ? toGood : toBad) { isBad.toggle() }
            return random.uniform() < (isBad ? inBad : inGood)
        }
    }
}
