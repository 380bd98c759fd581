import Core
import RTP
import Testing

@Suite struct TelephoneEventTests {
    @Test func codec() throws {
        let event = try TelephoneEvent(hex("0b 8a 03 20").span.bytes)
        #expect(event == TelephoneEvent(code: 11, isEnd: true, volume: 10, duration: 800))
        #expect(event.payload == hex("0b 8a 03 20"))
        #expect(throws: TelephoneEventError.truncated) { try TelephoneEvent(hex("0b 8a 03").span.bytes) }
        let digits = (0...20).map { TelephoneEvent.digit(of: $0) }
        #expect(String(digits.compactMap { $0 }) == "0123456789*#ABCD")
        #expect("0123456789*#abcd".compactMap { TelephoneEvent.code(of: $0) } == Array(0...15))
        #expect(TelephoneEvent.code(of: "x") == nil && TelephoneEvent.code(of: "٣") == nil)
    }

    static func send(_ digits: String, rate: UInt32 = 8000, start: UInt32 = 0, ticks: Int, duration: Duration = .milliseconds(100)) throws
        -> [TelephoneEventSender.Packet?]
    {
        var sender = TelephoneEventSender(clockRate: rate, duration: duration)
        try sender.enqueue(digits)
        return (0..<ticks).map { sender.next(timestamp: start &+ UInt32($0) * (rate / 50)) }
    }

    @Test func oneDigitPacketByPacket() throws {
        let packets = try Self.send("5", start: .max - 200, ticks: 12)
        let sent = packets.compactMap { $0 }
        #expect(sent.map(\.event.duration) == [160, 320, 480, 640, 800, 800, 800])
        #expect(sent.map(\.event.isEnd) == [false, false, false, false, true, true, true])
        #expect(sent.map(\.marker) == [true, false, false, false, false, false, false])
        #expect(sent.allSatisfy { $0.timestamp == .max - 200 && $0.event.code == 5 })
        #expect(sent.compactMap(\.completed) == [.init(digit: "5", durationMs: 100)])
        #expect(packets[7...].allSatisfy { $0 == nil })
    }

    @Test func gapBetweenDigits() throws {
        let packets = try Self.send("12", rate: 48000, ticks: 30)
        let starts = packets.compactMap { $0 }.filter(\.marker).map(\.timestamp)
        // The first ends after 100 ms; 50 ms of gap end within the tick at 160 ms.
        #expect(starts == [0, 160 * 48])
    }

    @Test func refusals() throws {
        var sender = TelephoneEventSender(clockRate: 8000)
        #expect(throws: TelephoneEventError.invalidDigit("x")) { try sender.enqueue("12x") }
        #expect(sender.isIdle && sender.waiting == 0)
        #expect(throws: TelephoneEventError.queueFull) { try sender.enqueue(String(repeating: "1", count: 257)) }
        try sender.enqueue(String(repeating: "1", count: 256))
        #expect(throws: TelephoneEventError.queueFull) { try sender.enqueue("1") }
        _ = sender.next(timestamp: 0)
        sender.cancelWaiting()
        #expect(!sender.isIdle && sender.waiting == 0)
    }

    @Test(arguments: [UInt32(0), 1, 8000, 48000, .max]) func absurdClocksAndLengthsDoNotTrap(rate: UInt32) throws {
        for duration in [Duration.zero, .seconds(-1), .seconds(60), .seconds(Int64.max)] {
            var sender = TelephoneEventSender(clockRate: rate, packetTime: duration, duration: duration, gap: duration)
            try sender.enqueue("1#")
            for step: UInt32 in [0, 160, 0xFFFF, 0x8000_0000, .max, 3] { _ = sender.next(timestamp: step) }
        }
        let long = try Self.send("1", ticks: 500, duration: .seconds(60)).compactMap { $0 }
        #expect(long.last?.event.duration == 0xFFFF && long.filter(\.event.isEnd).count == 3)
    }

    /// Sends digits through loss, duplication and reordering; what comes out must be the digits.
    static func transfer(_ digits: String, seed: UInt64, loss: Double, rate: UInt32) throws -> (
        received: [TelephoneEventReceiver.Received], sent: [Bool]
    ) {
        let random = RandomSource(seed: seed)
        var sender = TelephoneEventSender(clockRate: rate)
        var receiver = TelephoneEventReceiver(clockRate: rate)
        try sender.enqueue(digits)
        var received: [TelephoneEventReceiver.Received] = []
        var heard: [(start: UInt32, any: Bool, end: Bool)] = []
        var held: (TelephoneEventSender.Packet, Instant)?
        var tick: UInt32 = 0
        func deliver(_ packet: TelephoneEventSender.Packet, _ now: Instant) throws {
            try receiver.receive(packet.event.payload.span.bytes, timestamp: packet.timestamp, marker: packet.marker, at: now)
        }
        while !sender.isIdle || tick % 50 != 0 {
            let now = ms(Double(tick) * 20)
            if let deadline = receiver.deadline, deadline <= now { receiver.handleTimeout(at: deadline) }
            if let packet = sender.next(timestamp: (UInt32.max - 3 * rate) &+ tick * (rate / 50)) {
                if heard.last?.start != packet.timestamp { heard.append((packet.timestamp, false, false)) }
                if random.uniform() >= loss {
                    heard[heard.count - 1].any = true
                    if packet.event.isEnd { heard[heard.count - 1].end = true }
                    if random.uniform() < 0.1, held == nil {
                        held = (packet, now)
                    } else {
                        try deliver(packet, now)
                        if random.uniform() < 0.1 { try deliver(packet, now) }
                        if let late = held {
                            try deliver(late.0, now)
                            held = nil
                        }
                    }
                }
            } else if let late = held {
                try deliver(late.0, now)
                held = nil
            }
            tick += 1
            while let digit = receiver.poll() { received.append(digit) }
        }
        receiver.handleTimeout(at: ms(Double(tick) * 20 + 1000))
        while let digit = receiver.poll() { received.append(digit) }
        return (received, heard.map { $0.any ? $0.end : false })
    }

    static let all = "0123456789*#ABCD5555"

    @Test(arguments: [UInt32(8000), 48000]) func exactWithoutLoss(rate: UInt32) throws {
        for seed in 0..<UInt64(50) {
            let result = try Self.transfer(Self.all, seed: seed, loss: 0, rate: rate)
            #expect(String(result.received.compactMap(\.digit)) == Self.all && result.received.allSatisfy { $0.durationMs == 100 })
        }
    }

    /// 30 % loss: each digit of which something arrived appears once and in order; those whose end arrived have their exact duration.
    @Test func exactUnderLoss() throws {
        var wrong = 0
        var ended = 0
        var short = 0
        for seed in 0..<UInt64(300) {
            let result = try Self.transfer(Self.all, seed: seed, loss: 0.3, rate: 8000)
            guard result.sent.count == Self.all.count, String(result.received.compactMap(\.digit)) == Self.all else {
                // All seven packets lost: 2 in 10,000 digits.
                wrong += 1
                continue
            }
            for (digit, end) in zip(result.received, result.sent) {
                if end {
                    ended += 1
                    if digit.durationMs != 100 { wrong += 1 }
                } else {
                    short += 1
                    if !(20...100).contains(digit.durationMs) { wrong += 1 }
                }
            }
        }
        #expect(wrong <= 5)
        #expect(ended > 5000 && short > 50)
    }

    @Test func endPacketsLost() throws {
        var receiver = TelephoneEventReceiver(clockRate: 8000)
        func receive(_ duration: UInt16, end: Bool, _ at: Double) throws {
            let payload = TelephoneEvent(code: 3, isEnd: end, volume: 10, duration: duration).payload
            try receiver.receive(payload.span.bytes, timestamp: 1000, marker: duration == 160, at: ms(at))
        }
        // The shorter one is late: the longest duration heard counts.
        try receive(320, end: false, 0)
        try receive(160, end: false, 20)
        #expect(receiver.deadline == ms(270))
        receiver.handleTimeout(at: ms(269))
        #expect(receiver.poll() == nil)
        receiver.handleTimeout(at: ms(270))
        #expect(receiver.poll() == .init(code: 3, digit: "3", durationMs: 40))
        // A late end is the same event.
        try receive(800, end: true, 300)
        #expect(receiver.poll() == nil && receiver.deadline == nil)
        receiver.restart()
        try receive(800, end: true, 400)
        #expect(receiver.poll()?.durationMs == 100)
    }

    @Test func longEventInSegments() throws {
        var receiver = TelephoneEventReceiver(clockRate: 8000)
        let segments: [(UInt32, UInt16, Bool, Bool)] = [
            (0, 160, false, true), (0, 0xFFFF, false, false), (0xFFFF, 160, false, false), (0xFFFF, 465, true, false),
        ]
        for (index, segment) in segments.enumerated() {
            let payload = TelephoneEvent(code: 9, isEnd: segment.2, volume: 10, duration: segment.1).payload
            try receiver.receive(payload.span.bytes, timestamp: segment.0, marker: segment.3, at: ms(Double(index)))
        }
        #expect(receiver.poll() == .init(code: 9, digit: "9", durationMs: 8250))
        #expect(receiver.poll() == nil)
    }

    @Test func floodIsCapped() throws {
        var receiver = TelephoneEventReceiver(clockRate: 8000)
        let payload = TelephoneEvent(code: 9, isEnd: true, volume: 10, duration: 1).payload
        for n in 0..<UInt32(1000) { try receiver.receive(payload.span.bytes, timestamp: n, marker: true, at: .zero) }
        var count = 0
        while receiver.poll() != nil { count += 1 }
        #expect(count == 64)
    }
}
