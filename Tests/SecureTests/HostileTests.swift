import Core
import Secure
import Testing

/// What a stranger can do: RFC 6347 §4.1.2.7, §4.2.4; RFC 5763 §8.
@Suite struct HostileTests {
    private static let orders: [[Int]] = [
        [0, 1], [1, 0], [0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0], [3, 0, 2, 1], [1, 3, 0, 2], [4, 3, 2, 1, 0],
        [2, 2, 0, 0, 1, 1],
    ]

    /// Cuts a handshake record into fragments with records of their own.
    private func fragments(_ hello: [UInt8], count: Int, firstSequence: Int = 0) -> [[UInt8]] {
        let body = Array(hello[25...])
        let size = body.count / count
        return (0..<count).map { part in
            let range = part * size..<(part == count - 1 ? body.count : (part + 1) * size)
            var w = ByteWriter()
            w.append(hello[13..<19])
            w.u24(UInt32(range.lowerBound))
            w.u24(UInt32(range.count))
            w.append(body[range])
            return record(type: 22, sequence: UInt16(firstSequence + part), w.bytes)
        }
    }

    /// Adds to the sequence number of records in clear, so that they do not collide with the fragments'.
    private func renumbered(_ datagram: [UInt8]) -> [UInt8] {
        records(datagram).flatMap { r -> [UInt8] in
            var r = r
            if r[4] == 0 { r[10] += 8 }
            return r
        }
    }

    @Test(arguments: orders)
    func row10ClientHelloInFragments(order: [Int]) {
        let link = Link()
        link.filter = { fromClient, number, datagram in
            guard fromClient else { return [datagram] }
            guard number == 0 else { return [self.renumbered(datagram)] }
            let parts = self.fragments(datagram, count: Set(order).count)
            return order.map { parts[$0] }
        }
        link.start()
        link.run(until: at(45))
        #expect(link.keysAgree)
    }

    @Test func row10ClientHelloAboveTheMTU() {
        var configuration = DTLSConfiguration()
        configuration.cipherList = "ALL:!aNULL:!eNULL:@SECLEVEL=0"
        configuration.mtu = 256
        let link = Link(client: configuration)
        var first = 0
        link.filter = { [unowned link] fromClient, _, datagram in
            if fromClient, link.now == .zero { first += 1 }
            return [datagram]
        }
        link.start()
        link.run(until: at(2000))
        #expect(first == 2)
        #expect(link.keysAgree)
    }

    @Test func row10NothingForgedTouchesAnEstablishedAssociation() throws {
        let link = Link()
        var hello: [UInt8] = []
        var last: [UInt8] = []
        link.filter = { fromClient, number, datagram in
            if fromClient, number == 0 { hello = datagram }
            if fromClient { last = datagram }
            return [datagram]
        }
        link.start()
        link.run(until: at(1000))
        let before = try #require(link.server.association.negotiated)
        let random = RandomSource(seed: 7)
        var other = hello
        other[10] = 99
        other[30] ^= 0xFF
        var hostile: [[UInt8]] = [
            hello, other, [], [22], [20, 254, 253], [0xFF], Array(repeating: 22, count: 1200),
            record(type: 21, sequence: 200, [2, 40]), record(type: 21, sequence: 201, [1, 0]), record(type: 21, sequence: 202, [2, 0]),
            record(type: 20, sequence: 203, [1]), record(type: 20, sequence: 204, [1, 1]), record(type: 23, sequence: 205, [1, 2, 3]),
            record(type: 21, epoch: 1, sequence: 300, [2, 40]), record(type: 23, epoch: 1, sequence: 301, Array(repeating: 0, count: 100)),
            record(type: 22, epoch: 1, sequence: 302, Array(repeating: 1, count: 40)), record(type: 21, epoch: 2, sequence: 0, [2, 40]),
            record(type: 22, sequence: 206, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        ]
        for _ in 0..<300 {
            hostile.append(record(type: 20 + UInt8(random.next() % 4), epoch: UInt16(random.next() % 3), sequence: 400, random.bytes(60)))
        }
        for _ in 0..<300 { hostile.append(random.bytes(Int(random.next() % 200))) }
        for bytes in hostile {
            link.inject(toServer: true, bytes)
            link.inject(toServer: false, bytes)
        }
        #expect(link.client.states == [.connecting, .connected])
        #expect(link.server.states == [.connecting, .connected])
        #expect(link.server.association.negotiated == before)
        #expect(link.keysAgree)
        // A repeated last flight still gets its answer, and the end can still be said.
        let sent = link.server.sentAt.count
        link.inject(toServer: true, last)
        #expect(link.server.sentAt.count == sent)
        link.client.association.close(at: link.now)
        link.pump()
        link.run(until: at(2000), stopWhenDone: false)
        #expect(link.server.states == [.connecting, .connected, .closed])
    }

    @Test func row10AlertsInClearDoNotEndTheHandshake() {
        let link = Link()
        var sequence: UInt16 = 1000
        link.filter = { _, _, datagram in
            sequence += 2
            let alert = record(type: 21, sequence: sequence, [2, 40])
            let notice = record(type: 21, sequence: sequence + 1, [1, 0])
            return [alert, alert + datagram, notice]
        }
        link.start()
        link.run(until: at(1000))
        #expect(link.keysAgree)
        #expect(link.client.association.statistics.plaintextAlerts >= 3)
        #expect(link.server.association.statistics.plaintextAlerts >= 3)
    }

    @Test func anAlertAndNothingElseIsBelievedAfterAWhile() {
        let side = Side(.client, Identities.alice)
        side.association.start(at: .zero)
        side.association.receive(record(type: 21, sequence: 0, [2, 70]).span.bytes, at: at(20))
        side.association.receive(record(type: 21, sequence: 1, [2, 40]).span.bytes, at: at(5000))
        while let deadline = side.association.deadline { side.association.handleTimeout(at: deadline) }
        _ = side.drain(at: at(10_020))
        #expect(side.failure == .alert(40))
        #expect(side.association.statistics.plaintextAlerts == 2)
    }

    @Test func aWarningIsNoReason() {
        let side = Side(.client, Identities.alice)
        side.association.start(at: .zero)
        side.association.receive(record(type: 21, sequence: 0, [1, 90]).span.bytes, at: at(20))
        while let deadline = side.association.deadline { side.association.handleTimeout(at: deadline) }
        _ = side.drain(at: at(40_000))
        #expect(side.failure == .timeout(alert: nil))
    }

    @Test func row10AnUnreadableClientHelloDoesNotSpoilTheServer() {
        let link = Link()
        link.server.association.start(at: .zero)
        // A whole ClientHello of 40 bytes of nonsense.
        var w = ByteWriter()
        w.u8(1)
        w.u24(40)
        w.u16(0)
        w.u24(0)
        w.u24(40)
        w.append([UInt8](repeating: 0xFE, count: 40))
        link.inject(toServer: true, record(type: 22, sequence: 0, w.bytes))
        #expect(link.server.association.state == .connecting)
        #expect(link.server.association.statistics.restarts == 1)
        #expect(link.server.sentAt.isEmpty)
        link.start()
        link.run(until: at(1000))
        #expect(link.keysAgree)
        #expect(link.now == at(40))
    }

    @Test func twoClientsDoNotUnderstandEachOther() {
        let a = Side(.client, Identities.alice)
        let b = Side(.client, Identities.bob)
        a.association.start(at: .zero)
        b.association.start(at: .zero)
        for datagram in a.drain(at: .zero) { b.association.receive(datagram.span.bytes, at: at(1)) }
        #expect(b.drain(at: at(1)).count == 1)
        #expect(b.association.state == .connecting)
        #expect(b.association.statistics.recordsDropped == 1)
    }

    /// Bytes changed anywhere during the handshake: it may fail, but never with keys that differ, and it never traps.
    @Test func changedBytes() {
        var connected = 0
        var disagreed = 0
        for seed in UInt64(1)...250 {
            let link = Link()
            let random = RandomSource(seed: seed)
            link.filter = { _, _, datagram in
                guard random.next() % 3 == 0, !datagram.isEmpty else { return [datagram] }
                var changed = datagram
                for _ in 0...Int(random.next() % 4) { changed[Int(random.next() % UInt64(changed.count))] = UInt8(truncatingIfNeeded: random.next()) }
                if random.next() % 4 == 0 { changed.removeLast(Int(random.next() % UInt64(changed.count))) }
                return random.next() % 2 == 0 ? [changed] : [changed, datagram]
            }
            link.start()
            link.run(until: at(45_000))
            if link.bothConnected {
                connected += 1
                if !link.keysAgree { disagreed += 1 }
            }
        }
        #expect(disagreed == 0)
        #expect(connected > 50)
    }
}
