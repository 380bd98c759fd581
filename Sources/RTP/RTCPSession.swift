import Core

/// When to send reports: the transmission rules of RFC 3550 §6.2–6.3 and A.7, with RFC 4585's shorter interval and early reports.
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
        /// There is something to report: do not wait for the next regular time. Once between two regular reports, and in AVPF only.
        case urgent
        /// A compound was sent or received, in bytes without IP and UDP headers.
        case compound(octets: Int)
        case closed
    }

    public enum Output: Sendable, Equatable {
        /// Build and send a report now.
        case report
    }

    // idle ──joined──▶ scheduled ──expired, reconsidered──▶ due ──polled──▶ scheduled …   any ──closed──▶ closed
    //                     └──urgent──▶ early ──expired──▶ due
    private enum State {
        case idle
        case scheduled(since: Instant, phase: Phase)
        case early
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
    private let bandwidth: RTCPBandwidth
    private let random: RandomSource
    private var members = 1
    private var senders = 0
    private var isSender = false
    private var averageSize = 128.0
    private var lastReportAt: Instant?
    /// RFC 4585 §3.5.2: after an early report a regular one comes first.
    private var allowsEarly: Bool

    /// An early report keeps this distance from the one before: a peer cannot make us answer each packet.
    static let earlyDistance: Duration = .milliseconds(250)
    /// How often to look again while our share of the bandwidth is nothing.
    static let silentInterval: Duration = .seconds(5)

    /// - Parameter sessionBandwidth: bit/s of media; RTCP takes 5 % of it.
    public init(profile: RTCPProfile, sessionBandwidth: Int = 64_000, random: RandomSource) {
        self.init(profile: profile, bandwidth: RTCPBandwidth(session: sessionBandwidth), random: random)
    }

    public init(profile: RTCPProfile, bandwidth: RTCPBandwidth, random: RandomSource) {
        self.profile = profile
        self.bandwidth = bandwidth
        self.random = random
        allowsEarly = profile.allowsEarly
    }

    public var deadline: Instant? { timers.deadline }

    /// What the interval would be without randomisation; five of these without a sign of life and a member is gone (§6.3.5).
    public var deterministicInterval: Duration { deterministicSeconds(.regular).map { .seconds($0) } ?? Self.silentInterval }

    public mutating func handle(_ input: consuming Input, at now: Instant) {
        switch input {
        case .joined:
            guard case .idle = state, bandwidth.total > 0 else { return }
            schedule(since: now, phase: .initial)
        case .membership(let members, let senders, let isSender):
            self.members = max(1, members)
            self.senders = max(0, senders)
            self.isSender = isSender
        case .memberLeft(let remaining): memberLeft(remaining: max(1, remaining), at: now)
        case .urgent: hasten(at: now)
        case .compound(let octets):
            // 28 bytes of IPv4 and UDP headers count (§6.2); the average is smoothed by 1/16 (§6.3.3).
            averageSize += (Double(max(0, octets)) + 28 - averageSize) / 16
        case .closed:
            state = .closed
            timers.cancelAll()
        }
    }

    public mutating func handleTimeout(at now: Instant) {
        guard timers.popExpired(at: now) != nil else { return }
        switch state {
        case .early:
            allowsEarly = false
            state = .due(at: now)
        case .scheduled(let since, let phase):
            guard let interval = draw(phase) else { return schedule(since: now, phase: phase) }
            // Reconsideration (§6.3.6): the interval is drawn again with what is known now.
            let next = since + interval
            if next > now {
                timers.set(.report, at: next)
            } else if isTooSoon(at: now) {
                schedule(since: now, phase: .regular)
            } else {
                allowsEarly = profile.allowsEarly
                state = .due(at: now)
            }
        case .idle, .due, .closed: return
        }
    }

    public mutating func poll() -> Output? {
        guard case .due(let now) = state else { return nil }
        lastReportAt = now
        schedule(since: now, phase: .regular)
        return .report
    }

    private mutating func schedule(since now: Instant, phase: Phase) {
        state = .scheduled(since: now, phase: phase)
        timers.set(.report, at: now + (draw(phase) ?? Self.silentInterval))
    }

    /// RFC 4585 §3.5.3: with `trr-int` a regular report is left out when the one before is too near.
    private func isTooSoon(at now: Instant) -> Bool {
        guard profile.minimumReportInterval > .zero, let lastReportAt else { return false }
        return lastReportAt + .seconds(profile.minimumReportInterval.inSeconds * (random.uniform() + 0.5)) > now
    }

    private mutating func hasten(at now: Instant) {
        guard allowsEarly, case .scheduled = state, let due = timers.deadline, deterministicSeconds(.regular) != nil else { return }
        let early = max(now, (lastReportAt ?? now) + Self.earlyDistance)
        guard early < due else { return }
        state = .early
        timers.set(.report, at: early)
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
    /// - Returns: nil while we have no bandwidth.
    private func draw(_ phase: Phase) -> Duration? {
        deterministicSeconds(phase).map { .seconds($0 * (random.uniform() + 0.5) / 1.21828) }
    }

    private func deterministicSeconds(_ phase: Phase) -> Double? {
        let minimum = phase == .initial ? profile.minimumInitialInterval : profile.minimumInterval
        let share = bandwidth.share(members: members, senders: senders, isSender: isSender)
        guard share.octets > 0 else { return nil }
        return max(averageSize * Double(max(1, share.members)) / share.octets, minimum.inSeconds)
    }
}
