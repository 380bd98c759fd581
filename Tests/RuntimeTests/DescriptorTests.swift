import Engine
import Foundation
import Interface
import Runtime
import Testing

extension RuntimeTests {
    struct DescriptorTests {
        /// This process's sockets of the network, and its event polls: no other test has any.
        private func count() throws -> [String: Int] {
            var found: [String: Int] = [:]
            for name in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
                guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(name)") else { continue }
                if target.hasPrefix("socket:"), let descriptor = Int32(name), isOfNetwork(descriptor) { found["sockets", default: 0] += 1 }
                if target == "anon_inode:[eventpoll]" { found["event polls", default: 0] += 1 }
            }
            return found
        }

        private func isOfNetwork(_ descriptor: Int32) -> Bool {
            var address = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let code = withUnsafeMutablePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
            }
            return code == 0 && [AF_INET, AF_INET6].contains(Int32(address.ss_family))
        }

        /// What is open beyond `before` and stays so; closing goes on in the background, also of what an earlier test had open.
        private func leftOver(since before: [String: Int]) async throws -> [String: Int] {
            let end = ContinuousClock.now + .seconds(5)
            while true {
                let more = try count().filter { $0.value > before[$0.key] ?? 0 }
                if more.isEmpty || ContinuousClock.now > end { return more }
                await Task.yield()
            }
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
            let left = try await leftOver(since: before)
            #expect(left == [:])
        }

        @Test func aStartThatFailsLeaksNothing() async throws {
            let taken = try RawSocket(.tcp)
            let before = try count()
            for _ in 0..<5 {
                let phone = try TestPhone(["udp:127.0.0.1:0", "tcp:127.0.0.1:0", "tcp:127.0.0.1:\(taken.port)"])
                await #expect(throws: StartError.self) { try await phone.client.start() }
                #expect((try count()["sockets"] ?? 0) <= (before["sockets"] ?? 0))
                await phone.client.stop()
            }
            #expect(try await leftOver(since: before) == [:])
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
            #expect(try await leftOver(since: listening) == [:])
            try await caller.quit()
            try await callee.quit()
            #expect(try await leftOver(since: before) == [:])
        }
    }
}
