import Core
import Engine
import Interface
import Runtime
import Synchronization
import Testing

extension RuntimeTests {
    struct DNSTests {
        private func call(_ uri: String, servers: [SocketAddress]) async throws -> CallResult {
            let caller = try await TestPhone.started(transports: TransportConfiguration(nameServers: servers)) { $0.security = .none }
            await caller.client.send(.dial(uri: uri))
            let answered = try await caller.event("answer or end") { event -> CallID?? in
                switch event {
                case .callState(let id, .answered, _, _): .some(id)
                case .result: .some(nil)
                default: nil
                }
            }
            if let answered { await caller.client.send(.hangUp(answered)) }
            let result = try await caller.result()
            try await caller.quit()
            return result
        }

        private func callee() async throws -> (phone: TestPhone, port: UInt16) {
            let phone = try await TestPhone.started { $0.autoAnswer = true }
            return (phone, try await phone.port("udp"))
        }

        /// The first target of the SRV record is dead, the second lives; over UDP and, where answers are cut, over TCP.
        @Test(arguments: [false, true]) func servicesWithADeadFirstTarget(truncates: Bool) async throws {
            let (callee, port) = try await callee()
            let dead = try RawSocket(.udp).port
            let server = try NameServer(
                [
                    "_sip._udp.pbx.test SRV": [
                        .srv(priority: 2, port: port, target: "two.pbx.test"), .srv(priority: 1, port: dead, target: "one.pbx.test"),
                    ],
                    "one.pbx.test A": [.address(.loopbackV4)], "two.pbx.test A": [.address(.loopbackV4)],
                ], truncates: truncates)
            let result = try await call("sip:bob@pbx.test", servers: [server.address])
            #expect(result.status == 200)
            #expect(server.questions.load(ordering: .relaxed) > 0)
            #expect((server.questionsByTCP.load(ordering: .relaxed) > 0) == truncates)
            server.stop()
            try await callee.quit()
        }

        /// A port in the URI means that addresses are asked for and nothing else. The first server is not there: the kernel says so.
        @Test func theNextServerIsAsked() async throws {
            let (callee, port) = try await callee()
            let server = try NameServer(["pbx.test A": [.address(.loopbackV4)]])
            let nobody = SocketAddress(.loopbackV4, try RawSocket(.udp).port)
            let clock = ContinuousClock()
            let start = clock.now
            #expect(try await call("sip:bob@pbx.test:\(port)", servers: [nobody, server.address]).status == 200)
            // Not by the time-out of a second for each of its questions.
            #expect(clock.now - start < .milliseconds(900))
            server.stop()
            try await callee.quit()
        }

        @Test func aNameThatDoesNotExist() async throws {
            let server = try NameServer([:])
            let result = try await call("sip:bob@nowhere.test", servers: [server.address])
            #expect(result.outcome == .unreachable && result.status == nil)
            server.stop()
        }
    }
}
