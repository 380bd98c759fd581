import Core
import Engine
import Glibc
import Interface
import Runtime
import Secure
import Testing

extension RuntimeTests {
    struct WebSocketTests {
        private func ended(_ phone: TestPhone) async throws -> String? {
            try await phone.event("end") { event -> String?? in
                if case .callState(_, .ended, _, let reason) = event { .some(reason) } else { nil }
            }
        }

        private func dialling(_ transport: String, _ listener: RawSocket, path: String = "/ws", limit: Duration = .seconds(10)) async throws
            -> TestPhone
        {
            var transports = try TestCertificates.transports()
            transports.webSocketPath = path
            transports.handshakeLimit = limit
            let caller = try await TestPhone.started(transports: transports) { $0.security = .none }
            await caller.client.send(.dial(uri: "sip:bob@127.0.0.1:\(listener.port);transport=\(transport)"))
            return caller
        }

        /// One message in a frame, whatever Content-Length says; fragments put together; a ping between them answered.
        @Test(arguments: ["ws", "wss"]) func aCallThatIsRefusedByABusyPeer(transport: String) async throws {
            let listener = try RawSocket(.tcp)
            let caller = try await dialling(transport, listener, path: "/sip?x=1")
            try await onThread {
                let server = try StreamServer(listener, identity: transport == "wss" ? TestCertificates.identity("localhost") : nil)
                let header = try server.upgrade().lowercased()
                #expect(header.hasPrefix("get /sip?x=1 http/1.1\r\n"))
                for line in ["host: 127.0.0.1:\(listener.port)", "sec-websocket-protocol: sip", "sec-websocket-version: 13", "upgrade: websocket"] {
                    #expect(header.contains("\r\n\(line)\r\n"))
                }
                let invite = try server.takeFrame()
                #expect(invite.opcode == 1 && invite.isFinal && invite.isMasked)
                #expect(invite.text.hasPrefix("INVITE sip:bob@127.0.0.1") && invite.text.contains("Via: SIP/2.0/\(transport.uppercased()) "))
                server.sendFrame(2, StreamServer.answer(invite.text, "180 Ringing"))
                let busy = StreamServer.answer(invite.text, "486 Busy Here")
                server.sendFrame(1, Array(busy[..<20]), isFinal: false)
                server.sendFrame(9, Array("are you there".utf8))
                server.sendFrame(0, Array(busy[20..<40]), isFinal: false)
                server.sendFrame(0, Array(busy[40...]))
                let pong = try server.takeFrame()
                #expect(pong.opcode == 10 && pong.text == "are you there")
                let ack = try server.takeFrame()
                #expect(ack.opcode == 1 && ack.text.hasPrefix("ACK "))
                // Closing is answered in kind, and the connection goes.
                server.sendFrame(8, [3, 232])
                let goodbye = try server.takeFrame()
                #expect(goodbye.opcode == 8 && goodbye.payload == [3, 232])
                try server.waitForEnd()
            }
            let result = try await caller.result()
            #expect(result.outcome == .busy && result.status == 486)
            _ = try await caller.reached(.ringing)
            try await caller.quit()
        }

        @Test func theServerRefusesTheUpgrade() async throws {
            let listener = try RawSocket(.tcp)
            let caller = try await dialling("ws", listener)
            try await onThread {
                let server = try StreamServer(listener)
                _ = try server.takeHeader()
                server.write("HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno!")
                try server.waitForEnd()
            }
            #expect(try await caller.result().outcome == .unreachable)
            #expect(try await ended(caller) == "the WebSocket server answered 403 Forbidden")
            try await caller.quit()
        }

        enum Fault: CaseIterable { case noSubprotocol, otherSubprotocol, wrongKey, notHTTP, hangsUp }

        @Test(arguments: Fault.allCases) func anUpgradeThatIsNoGood(_ fault: Fault) async throws {
            let listener = try RawSocket(.tcp)
            let caller = try await dialling("ws", listener)
            try await onThread {
                let server = try StreamServer(listener)
                switch fault {
                case .noSubprotocol: try server.upgrade(subprotocol: nil)
                case .otherSubprotocol: try server.upgrade(subprotocol: "mqtt")
                case .wrongKey: try server.upgrade(key: "AAAAAAAAAAAAAAAAAAAAAA==")
                case .notHTTP: server.write("SIP/2.0 200 OK\r\n\r\n")
                case .hangsUp:
                    _ = try server.takeHeader()
                    return
                }
                try server.waitForEnd()
            }
            #expect(try await caller.result().outcome == .unreachable)
            let expected =
                switch fault {
                case .noSubprotocol, .otherSubprotocol: "the WebSocket server does not speak the subprotocol sip"
                case .wrongKey: "the server's Sec-WebSocket-Accept is wrong"
                case .notHTTP: "the server does not speak HTTP"
                case .hangsUp: "the peer closed the connection during the WebSocket upgrade"
                }
            #expect(try await ended(caller) == expected)
            try await caller.quit()
        }

        @Test func theCertificateOfASecureWebSocketIsChecked() async throws {
            let listener = try RawSocket(.tcp)
            let caller = try await dialling("wss", listener)
            try await onThread {
                let server = try StreamServer(listener, identity: TestCertificates.identity("dns"))
                try server.waitForEnd()
                #expect(server.tlsFailure == .alert(42))
            }
            let result = try await caller.result()
            #expect(result.outcome == .tlsFailed)
            #expect(try await ended(caller) == "certificate is for pbx.example, second.example, not 127.0.0.1")
            try await caller.quit()
        }

        /// 64 KiB is the end: in one frame or in fragments.
        @Test(arguments: [true, false]) func messagesAreBounded(inOneFrame: Bool) async throws {
            let listener = try RawSocket(.tcp)
            let caller = try await dialling("ws", listener, limit: .seconds(1))
            // The phone connects again, and nobody answers any more.
            try await onThread {
                let server = try StreamServer(listener)
                try server.upgrade()
                _ = try server.takeFrame()
                let piece = [UInt8](repeating: 65, count: inOneFrame ? 65_537 : 40_000)
                server.sendFrame(1, piece, isFinal: inOneFrame)
                if !inOneFrame { server.sendFrame(0, piece, isFinal: false) }
                let goodbye = try server.takeFrame()
                #expect(goodbye.opcode == 8 && goodbye.payload == [3, 241])
                try server.waitForEnd()
            }
            #expect(try await caller.result().outcome == .unreachable)
            try await caller.quit()
        }

        /// Who asks without end and reads no answer is cut off, however willing to write we are.
        @Test func pingsThatNobodyReadsTheAnswersOf() async throws {
            let listener = try RawSocket(.tcp)
            var small: Int32 = 4096
            setsockopt(listener.descriptor, SOL_SOCKET, SO_RCVBUF, &small, socklen_t(MemoryLayout<Int32>.size))
            let caller = try await dialling("ws", listener, limit: .seconds(1))
            try await onThread {
                let server = try StreamServer(listener)
                try server.upgrade()
                _ = try server.takeFrame()
                #expect(server.flood(9, [UInt8](repeating: 65, count: 125), limit: 32 << 20) != nil)
            }
            // The phone connects again, and nobody answers any more.
            #expect(try await caller.result().outcome == .unreachable)
            try await caller.quit()
        }

        /// The address is only a source; no port is opened.
        @Test func listeningOpensNothing() async throws {
            let phone = try await TestPhone.started(["wss:127.0.0.1:0", "udp:127.0.0.1:0"])
            let port = try await phone.event("listening") { event -> UInt16?? in
                if case .listening("wss", "127.0.0.1", let port) = event { .some(port) } else { nil }
            }
            #expect(port == nil)
            try await phone.quit()
            let elsewhere = try TestPhone(["ws:192.0.2.77:0"])
            await #expect(throws: StartError.self) { try await elsewhere.client.start() }
            await elsewhere.client.stop()
        }
    }
}
