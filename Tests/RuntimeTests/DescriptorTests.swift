import Engine
import Foundation
import Interface
import Runtime
import Testing

extension RuntimeTests {
    struct DescriptorTests {
        /// This process's sockets and event polls: no other test has any.
        private func count() throws -> [String: Int] {
            var found: [String: Int] = [:]
            for name in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
                guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(name)") else { continue }
                if target.hasPrefix("socket:") { found["sockets", default: 0] += 1 }
                if target == "anon_inode:[eventpoll]" { found["event polls", default: 0] += 1 }
            }
            return found
        }

        @Test func twentyStartsLeakNothing() async throws {
            let before = try count()
            for _ in 0..<20 {
                let phone = try await TestPhone.started(["udp:127.0.0.1:0", "tcp:127.0.0.1:0"])
                let port = try await phone.port("tcp")
                let caller = try RawSocket(.tcp, isListening: false)
                #expect(caller.connect(to: port))
                #expect(try count() != before)
                try await phone.quit()
            }
            #expect(try count() == before)
        }

        @Test func aStartThatFailsLeaksNothing() async throws {
            let taken = try RawSocket(.tcp)
            let before = try count()
            for _ in 0..<5 {
                let phone = try TestPhone(["udp:127.0.0.1:0", "tcp:127.0.0.1:0", "tcp:127.0.0.1:\(taken.port)"])
                await #expect(throws: StartError.self) { try await phone.client.start() }
                #expect(try count()["sockets"] == before["sockets"])
                await phone.client.stop()
            }
            #expect(try count() == before)
        }

        @Test func callsCloseTheirMediaSockets() async throws {
            let before = try count()
            let callee = try await TestPhone.started { $0.autoAnswer = true }
            let caller = try await TestPhone.started()
            let listening = try count()
            await caller.client.send(.dial(uri: "sip:b@127.0.0.1:\(try await callee.port("udp"))"))
            let call = try await caller.reached(.answered)
            #expect((try count()["sockets"] ?? 0) > (listening["sockets"] ?? 0))
            await caller.client.send(.hangUp(call))
            _ = try await caller.result()
            _ = try await callee.result()
            #expect(try count() == listening)
            try await caller.quit()
            try await callee.quit()
            #expect(try count() == before)
        }
    }
}
