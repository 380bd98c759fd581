import Core
import RTP
import Testing

@Suite struct RTCPSessionTests {
    /// Runs the schedule of two parties until it has given `count` reports; the first length is that from joining.
    static func intervals(_ profile: RTCPProfile, seed: UInt64, count: Int) -> [Double] {
        var session = RTCPSession(profile: profile, random: RandomSource(seed: seed))
        var now = Instant(nanoseconds: 5_000_000_000)
        var last = now
        var lengths: [Double] = []
        session.handle(.membership(members: 2, senders: 2, isSender: true), at: now)
        session.handle(.joined, at: now)
        while lengths.count < count, let deadline = session.deadline {
            now = deadline
            session.handleTimeout(at: now)
            if session.poll() != nil {
                lengths.append((now - last).inSeconds)
                last = now
                session.handle(.compound(octets: 92), at: now)
            }
        }
        return lengths
    }

    static let bounds: [(RTCPProfile, ClosedRange<Double>, ClosedRange<Double>)] = [
        (.avpf, 0.2...0.95, 0.41...1.24),
        (.avp, 1.02...3.08, 2.05...6.16),
    ]

    @Test(arguments: bounds) func stayWithinBounds(profile: RTCPProfile, initial: ClosedRange<Double>, regular: ClosedRange<Double>) {
        var outside = 0
        var sum = 0.0
        var shortest = Double.infinity
        var longest = 0.0
        for seed in 0..<UInt64(1000) {
            let lengths = Self.intervals(profile, seed: seed, count: 3)
            guard lengths.count == 3 else {
                outside += 1
                continue
            }
            if !initial.contains(lengths[0]) || !regular.contains(lengths[1]) || !regular.contains(lengths[2]) { outside += 1 }
            sum += lengths[1] + lengths[2]
            shortest = min(shortest, lengths[1], lengths[2])
            longest = max(longest, lengths[1], lengths[2])
        }
        #expect(outside == 0)
        // It is really random, and reconsideration leaves the mean near the interval itself.
        #expect(longest - shortest > 0.6 * (regular.upperBound - regular.lowerBound))
        let mean = sum / 2000
        #expect(abs(mean - profile.minimumInterval.inSeconds) < 0.1 * profile.minimumInterval.inSeconds)
    }

    @Test func seedsReplay() {
        #expect(Self.intervals(.avpf, seed: 9, count: 50) == Self.intervals(.avpf, seed: 9, count: 50))
        #expect(Self.intervals(.avpf, seed: 9, count: 5) != Self.intervals(.avpf, seed: 10, count: 5))
    }

    @Test func idleUntilJoinedAndSilentWhenClosed() {
        var session = RTCPSession(profile: .avp, random: RandomSource(seed: 1))
        #expect(session.deadline == nil)
        session.handle(.joined, at: .zero)
        let first = session.deadline
        session.handle(.joined, at: Instant(nanoseconds: 1))
        #expect(first != nil && session.deadline == first)
        session.handleTimeout(at: .zero)
        #expect(session.poll() == nil)
        session.handle(.closed, at: .zero)
        #expect(session.deadline == nil)
        session.handle(.joined, at: .zero)
        session.handleTimeout(at: .distantFuture)
        #expect(session.deadline == nil && session.poll() == nil)
    }

    @Test func manyMembersWaitLonger() {
        var session = RTCPSession(profile: .avpf, random: RandomSource(seed: 1))
        session.handle(.membership(members: 2, senders: 2, isSender: true), at: .zero)
        #expect(session.deterministicInterval == .seconds(1))
        session.handle(.membership(members: 100, senders: 1, isSender: false), at: .zero)
        // 99 receivers share three quarters of 400 bytes a second.
        #expect(abs(session.deterministicInterval.inSeconds - 128.0 * 99 / 300) < 1e-6)
    }

    @Test func reverseReconsideration() throws {
        var session = RTCPSession(profile: .avp, random: RandomSource(seed: 1))
        session.handle(.membership(members: 4, senders: 0, isSender: false), at: .zero)
        session.handle(.joined, at: .zero)
        let due = try #require(session.deadline)
        session.handle(.memberLeft(remaining: 2), at: Instant(nanoseconds: 0))
        let earlier = try #require(session.deadline)
        #expect(abs((earlier - .zero).inSeconds - (due - .zero).inSeconds / 2) < 1e-6)
    }
}
