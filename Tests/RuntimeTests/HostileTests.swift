import Core
import Engine
import Interface
import Runtime
import Testing

extension RuntimeTests {
    struct HostileTests {
        /// Noise, cut and bent requests, empty datagrams.
        private func garbage(_ random: RandomSource, port: UInt16) -> [UInt8] {
            let request = Requests.options("UDP", from: port, branch: random.token(8))
            switch random.next() % 5 {
            case 0: return random.bytes(Int(random.next() % 1400))
            case 1: return Array(request.prefix(Int(random.next() % UInt64(request.count - 2))))
            case 2:
                var bent = request
                for _ in 0..<12 { bent[Int(random.next() % UInt64(bent.count))] = UInt8(truncatingIfNeeded: random.next()) }
                return bent
            case 3:
                return Array("INVITE sip:a@b SIP/2.0\r\n".utf8) + random.bytes(60) + Array("\r\nContent-Length: 99999999999999999999\r\n\r\n".utf8)
            default: return []
            }
        }

        @Test(arguments: [1, 2] as [UInt64])
        func fiveHundredGarbageDatagrams(seed: UInt64) async throws {
            let phone = try await TestPhone.started()
            let port = try await phone.port("udp")
            let random = RandomSource(seed: seed)
            let stranger = try RawSocket(.udp)
            for _ in 0..<500 { stranger.send(garbage(random, port: stranger.port), to: port) }
            let socket = try RawSocket(.udp)
            let answer = await socket.exchange(Requests.options("UDP", from: socket.port, branch: "after"), with: port)
            #expect(answer?.hasPrefix("SIP/2.0 200 ") == true)
            #expect(!phone.log.events.contains { if case .callIncoming = $0 { true } else { false } })
            try await phone.quit()
        }

        @Test func garbageOnConnections() async throws {
            let phone = try await TestPhone.started(["udp:127.0.0.1:0", "tcp:127.0.0.1:0"])
            let port = try await phone.port("tcp")
            let random = RandomSource(seed: 3)
            for _ in 0..<20 {
                let stranger = try RawSocket(.tcp, isListening: false)
                try #require(stranger.connect(to: port))
                for _ in 0..<10 { stranger.send(garbage(random, port: stranger.port)) }
            }
            let socket = try RawSocket(.tcp, isListening: false)
            try #require(socket.connect(to: port))
            let answer = await socket.exchange(Requests.options("TCP", from: socket.port, branch: "after"))
            #expect(answer?.hasPrefix("SIP/2.0 200 ") == true)
            try await phone.quit()
        }
    }
}
