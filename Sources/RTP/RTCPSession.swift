import Core

/// How often reports go out.
public struct RTCPProfile: Sendable, Equatable {
    /// Before randomisation (half to one and a half times) and its compensation.
    public var minimumInterval: Duration
    public var minimumInitialInterval: Duration

    public init(minimumInterval: Duration, minimumInitialInterval: Duration) {
        self.minimumInterval = minimumInterval
        self.minimumInitialInterval = minimumInitialInterval
    }

    /// RFC 3550 §6.2: 5 s, half of it before the first report.
    public static let avp = RTCPProfile(minimumInterval: .seconds(5), minimumInitialInterval: .milliseconds(2500))
    /// RFC 4585 §3.4 has no minimum of 5 s. 2 s is what a screen with live round-trip times wants: 0.8 to 2.5 s after
    /// randomisation, and 0.2 to 0.6 s before the first report.
    public static let avpf = RTCPProfile(minimumInterval: .seconds(2), minimumInitialInterval: .milliseconds(500))
}

/// When to send reports: the transmission rules of RFC 3550 §6.2–6.3 and A.7, with RFC 4585's shorter interval.
///
/// Says when; `RTPSession` builds what.
public struct RTCPSession: StateMachine {
    public enum Input: Sendable {
        /// Media or RTCP flows: the first report is scheduled. Repeats are ignored.
        case joined
        /// Us included.
        case membership(members: Int, senders: Int, isSender: Bool)
        /// A BYE came and this many members are left (us included): reverse reconsideration.
        case memberLeft(remaining: Int)
        /// A compound was sent or received, in bytes without IP and UDP headers.
        case compound(octets: Int)
        case closed
    }

    public enum Output: Sendable, Equatable {
        /// Build and send a report now.
        case report
    }

    // idle ──joined──▶ scheduled ──expired, reconsidered──▶ due ──polled──▶ scheduled …   any ──closed──▶ closed
    private enum State {
        case idle
        case scheduled(since: Instant, phase: Phase)
        case due(at: Instant)
        case closed
    }

    private enum Phase {
        case initial
        case regular
    }

    private enum TimerName {
        case report
    }

    private var state = State.idle
    private var timers = TimerTable<TimerName>()
    private let profile: RTCPProfile
    /// Bytes a second for all members together.
    private let bandwidth: Double
    private let random: RandomSource
    private var members = 1
    private var senders = 0
    private var isSender = false
    private var averageSize = 128.0

    /// - Parameter sessionBandwidth: bit/s of media; RTCP takes 5 % of it.
    public init(profile: RTCPProfile, sessionBandwidth: Int = 64_000, random: RandomSource) {
        self.profile = profile
        bandwidth = max(1, Double(sessionBandwidth) * 0.05 / 8)
        self.random = random
    }

    public var deadline: Instant? { timers.deadline }

    /// What the interval would be without randomisation; five of these without a sign of life and a member is gone (§6.3.5).
    public var deterministicInterval: Duration { .seconds(deterministicSeconds(.regular)) }

    public mutating func handle(_ input: consuming Input, at now: Instant) {
        switch input {
        case .joined:
            guard case .idle = state else { return }
            schedule(since: now, phase: .initial)
        case .membership(let members, let senders, let isSender):
            self.members = max(1, members)
            self.senders = max(0, senders)
            self.isSender = isSender
        case .memberLeft(let remaining): memberLeft(remaining: max(1, remaining), at: now)
        case .compound(let octets):
            // 28 bytes of IPv4 and UDP headers count (§6.2); the average is smoothed by 1/16 (§6.3.3).
            averageSize += (Double(max(0, octets)) + 28 - averageSize) / 16
        case .closed:
            state = .closed
            timers.cancelAll()
        }
    }

    public mutating func handleTimeout(at now: Instant) {
        guard timers.popExpired(at: now) != nil, case .scheduled(let since, let phase) = state else { return }
        // Reconsideration (§6.3.6): the interval is drawn again with what is known now.
        let next = since + draw(phase)
        if next <= now {
            state = .due(at: now)
        } else {
            timers.set(.report, at: next)
        }
    }

    public mutating func poll() -> Output? {
        guard case .due(let now) = state else { return nil }
        schedule(since: now, phase: .regular)
        return .report
    }

    private mutating func schedule(since now: Instant, phase: Phase) {
        state = .scheduled(since: now, phase: phase)
        timers.set(.report, at: now + draw(phase))
    }

    /// §6.3.4: the fewer are left, the sooner the next report.
    private mutating func memberLeft(remaining: Int, at now: Instant) {
        let before = members
        members = min(remaining, members)
        senders = min(senders, members)
        guard case .scheduled(let since, let phase) = state, let due = timers.deadline, members < before, due > now else { return }
        let share = Double(members) / Double(before)
        let since2 = now - .seconds(share * (now - since).inSeconds)
        state = .scheduled(since: since2, phase: phase)
        timers.set(.report, at: now + .seconds(share * (due - now).inSeconds))
    }

    /// A.7: half to one and a half times, divided by e − 1.5 to make up for reconsideration.
    private func draw(_ phase: Phase) -> Duration {
        .seconds(deterministicSeconds(phase) * (random.uniform() + 0.5) / 1.21828)
    }

    private func deterministicSeconds(_ phase: Phase) -> Double {
        let minimum = phase == .initial ? profile.minimumInitialInterval : profile.minimumInterval
        var share = bandwidth
        var count = members
        // A quarter of the bandwidth is for senders while they are few.
        if senders > 0, Double(senders) <= Double(members) * 0.25 {
            share *= isSender ? 0.25 : 0.75
            count = isSender ? senders : members - senders
        }
        return max(averageSize * Double(max(1, count)) / share, minimum.inSeconds)
    }
}
