import Core
import Engine
import Interface
import Runtime
import Testing

extension RuntimeTests {
    struct TLSTests {
        private func ended(_ phone: TestPhone) async throws -> String? {
            try await phone.event("end") { event -> String?? in
                if case .callState(_, .ended, _, let reason) = event { .some(reason) } else { nil }
            }
        }

        private func callee(_ certificate: String) async throws -> TestPhone {
            try await TestPhone.started(["tls:127.0.0.1:0"], transports: try TestCertificates.transports(certificate)) {
                $0.autoAnswer = true
                $0.security = .dtls
            }
        }

        @Test(arguments: ["sip:bob@127.0.0.1:PORT;transport=tls", "sip:bob@localhost:PORT;transport=tls", "sips:bob@127.0.0.1:PORT"])
        func aCallOverTLS(uri: String) async throws {
            let callee = try await callee("localhost")
            let caller = try await TestPhone.started(transports: try TestCertificates.transports()) { $0.security = .dtls }
            await caller.client.send(.dial(uri: uri.replacing("PORT", with: "\(try await callee.port("tls"))")))
            let call = try await caller.reached(.answered)
            _ = try await callee.reached(.answered)
            await caller.client.send(.hangUp(call))
            #expect(try await caller.result().status == 200)
            #expect(try await callee.result().endedBy == "remote")
            try await caller.quit()
            try await callee.quit()
        }

        @Test(arguments: [
            ("dns", "certificate is for pbx.example, second.example, not 127.0.0.1"), ("strange", "certificate is signed by an unknown CA"),
        ])
        func aWrongCertificateEndsTheCall(_ certificate: String, _ sentence: String) async throws {
            let callee = try await callee(certificate)
            let caller = try await TestPhone.started(transports: try TestCertificates.transports())
            await caller.client.send(.dial(uri: "sip:bob@127.0.0.1:\(try await callee.port("tls"));transport=tls"))
            let result = try await caller.result()
            #expect(result.outcome == .tlsFailed && result.outcome.exitCode == 11)
            #expect(try await ended(caller) == sentence)
            #expect(!callee.log.events.contains { if case .callIncoming = $0 { true } else { false } })
            try await caller.quit()
            try await callee.quit()
        }

        @Test func aServerThatDoesNotSpeakTLS() async throws {
            let listener = try RawSocket(.tcp)
            let caller = try await TestPhone.started(transports: try TestCertificates.transports())
            await caller.client.send(.dial(uri: "sip:bob@127.0.0.1:\(listener.port);transport=tls"))
            try await onThread {
                let server = try StreamServer(listener)
                server.write("SIP/2.0 400 Bad Request\r\n\r\n")
                try server.waitForEnd()
            }
            #expect(try await caller.result().outcome == .tlsFailed)
            #expect(try await ended(caller)?.hasPrefix("protocol version") == true)
            try await caller.quit()
        }

        @Test func aServerThatSaysNothing() async throws {
            let listener = try RawSocket(.tcp)
            var transports = try TestCertificates.transports()
            transports.handshakeLimit = .milliseconds(300)
            let caller = try await TestPhone.started(transports: transports)
            await caller.client.send(.dial(uri: "sip:bob@127.0.0.1:\(listener.port);transport=tls"))
            #expect(try await caller.result().outcome == .unreachable)
            #expect(try await ended(caller) == "connection timed out")
            try await caller.quit()
        }

        @Test func aListenerNeedsACertificate() async throws {
            let phone = try TestPhone(["tls:127.0.0.1:0"])
            await #expect(throws: StartError.self) { try await phone.client.start() }
            await phone.client.stop()
        }

        /// Strangers on the TLS port: they are closed, and calls go on.
        @Test func noiseOnTheListener() async throws {
            let callee = try await callee("localhost")
            let port = try await callee.port("tls")
            for bytes in [Requests.options("TCP", from: 5060, branch: "x"), [22, 3, 1, 255, 255] + [UInt8](repeating: 1, count: 500), [0]] {
                let stranger = try RawSocket(.tcp, isListening: false)
                #expect(stranger.connect(to: port))
                if bytes == [0] { stranger.send([]) } else { #expect(await stranger.exchange(bytes)?.contains("SIP/2.0") != true) }
            }
            let caller = try await TestPhone.started(transports: try TestCertificates.transports())
            await caller.client.send(.dial(uri: "sip:bob@127.0.0.1:\(port);transport=tls"))
            let call = try await caller.reached(.answered)
            await caller.client.send(.hangUp(call))
            _ = try await caller.result()
            try await caller.quit()
            try await callee.quit()
        }
    }
}
