import Core
import Engine
import Interface
import Runtime
import Testing

extension RuntimeTests {
    struct UnreachableTests {
        private func closedPort(_ kind: RawSocket.Kind) throws -> UInt16 { try RawSocket(kind).port }

        private func ended(_ phone: TestPhone) async throws -> String? {
            try await phone.event("end") { event -> String?? in
                if case .callState(_, .ended, _, let reason) = event { .some(reason) } else { nil }
            }
        }

        /// The kernel's ICMP message ends the call, not Timer B.
        @Test func aClosedUDPPort() async throws {
            let phone = try await TestPhone.started()
            await phone.client.send(.dial(uri: "sip:nobody@127.0.0.1:\(try closedPort(.udp))"))
            let result = try await phone.result()
            #expect(result.outcome == .unreachable && result.status == nil)
            #expect(try await ended(phone) == "the peer cannot be reached")
            try await phone.quit()
        }

        @Test func aClosedTCPPort() async throws {
            let phone = try await TestPhone.started()
            await phone.client.send(.dial(uri: "sip:nobody@127.0.0.1:\(try closedPort(.tcp));transport=tcp"))
            let result = try await phone.result()
            #expect(result.outcome == .unreachable && result.status == nil)
            #expect(try await ended(phone) == "connection refused")
            try await phone.quit()
        }

        /// A label of 64 letters cannot be in the DNS: nothing is asked there.
        @Test func aNameThatDoesNotResolve() async throws {
            let phone = try await TestPhone.started()
            await phone.client.send(.dial(uri: "sip:nobody@\(String(repeating: "a", count: 64)).invalid"))
            #expect(try await phone.result().outcome == .unreachable)
            let message = try await phone.event("error") { if case .notice(.error, "unreachable", let message, _) = $0 { message } else { nil } }
            #expect(message.contains("is no domain name"))
            try await phone.quit()
        }

        @Test func localhostResolves() async throws {
            #expect(NameResolver.addresses(of: "localhost").contains { $0.isLoopback })
            #expect(NameResolver.addresses(of: "127.0.0.1") == [.loopbackV4])
            #expect(NameResolver.addresses(of: "") == [])
            let callee = try await TestPhone.started { $0.autoAnswer = true }
            let caller = try await TestPhone.started { $0.security = .none }
            await caller.client.send(.dial(uri: "sip:bob@localhost:\(try await callee.port("udp"))"))
            let call = try await caller.reached(.answered)
            await caller.client.send(.hangUp(call))
            #expect(try await caller.result().status == 200)
            try await caller.quit()
            try await callee.quit()
        }
    }
}
