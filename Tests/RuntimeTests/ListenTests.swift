import Core
import Engine
import Interface
import Runtime
import SIP
import Testing

extension RuntimeTests {
    struct ListenTests {
        @Test(
            arguments: [
                ("udp:192.0.2.1:5060", .udp, "192.0.2.1:5060", true), ("tcp:[::1]:0", .tcp, "[::1]:0", false),
                ("UDP:0.0.0.0:5070", .udp, "0.0.0.0:5070", true),
                ("wss:[::]:0", .wss, "[::]:0", false),
            ] as [(String, SIPTransport, String, Bool)])
        func specification(text: String, transport: SIPTransport, address: String, isExplicit: Bool) throws {
            let expected = ListenSpecification(transport: transport, address: try #require(SocketAddress(address)), isExplicit: isExplicit)
            #expect(ListenSpecification(text) == expected)
        }

        @Test(arguments: [
            "", "udp", "udp:", "udp:127.0.0.1", "udp:127.0.0.1:", "udp:127.0.0.1:70000", "sctp:127.0.0.1:1", "udp:localhost:1", "udp:::1:5060",
            ":1.2.3.4:5",
        ])
        func notASpecification(text: String) {
            #expect(ListenSpecification(text) == nil)
        }

        @Test func optionsOverUDP() async throws {
            let phone = try await TestPhone.started()
            let port = try await phone.port("udp")
            let socket = try RawSocket(.udp)
            let answer = await socket.exchange(Requests.options("UDP", from: socket.port, branch: "u1"), with: port)
            #expect(answer?.hasPrefix("SIP/2.0 200 ") == true)
            #expect(answer?.contains("branch=z9hG4bKu1") == true)
            #expect(await phone.client.udpAddress == SocketAddress(.loopbackV4, port))
            try await phone.quit()
        }

        @Test func optionsOverTCP() async throws {
            let phone = try await TestPhone.started(["udp:127.0.0.1:0", "tcp:127.0.0.1:0"])
            let port = try await phone.port("tcp")
            let socket = try RawSocket(.tcp, isListening: false)
            try #require(socket.connect(to: port))
            for branch in ["t1", "t2"] {
                let answer = await socket.exchange(Requests.options("TCP", from: socket.port, branch: branch))
                #expect(answer?.hasPrefix("SIP/2.0 200 ") == true)
                #expect(answer?.contains("branch=z9hG4bK\(branch)") == true)
            }
            try await phone.quit()
        }

        @Test(arguments: [(RawSocket.Kind.udp, "udp"), (.tcp, "tcp")])
        func anExplicitPortThatIsTakenIsOneLine(kind: RawSocket.Kind, transport: String) async throws {
            let taken = try RawSocket(kind)
            // The first listener is there already, and must go again.
            let phone = try TestPhone(["udp:127.0.0.1:0", "\(transport):127.0.0.1:\(taken.port)"])
            let error = await #expect(throws: StartError.self) { try await phone.client.start() }
            let message = error?.description ?? ""
            #expect(message.hasPrefix("cannot listen on \(transport):127.0.0.1:\(taken.port)"))
            #expect(!message.contains { $0.isNewline })
            await phone.client.stop()
        }

        @Test func theDefaultPortGivesWay() async throws {
            let taken = try RawSocket(.udp)
            let listener = ListenSpecification(transport: .udp, address: SocketAddress(.loopbackV4, taken.port), isExplicit: false)
            let phone = try TestPhone(specifications: [listener])
            try await phone.client.start()
            let port = try await phone.port("udp")
            #expect(port != taken.port && port != 0)
            let message = try await phone.event("warning") { if case .notice(.warning, "port-taken", let message, nil) = $0 { message } else { nil } }
            #expect(message.contains(String(taken.port)) && message.contains(String(port)))
            #expect(!message.contains { $0.isNewline })
            try await phone.quit()
        }

        /// What nobody asked for is not announced, and takes no request of a stranger.
        @Test func aSocketToSendFromIsNoListener() async throws {
            var source = try #require(ListenSpecification("udp:127.0.0.1:0"))
            source.sendsOnly = true
            let phone = try TestPhone(specifications: [try #require(ListenSpecification("tcp:127.0.0.1:0")), source])
            try await phone.client.start()
            _ = try await phone.port("tcp")
            let port = try #require(await phone.client.udpAddress?.port)
            let socket = try RawSocket(.udp)
            let answer = await socket.exchange(Requests.options("UDP", from: socket.port, branch: "s1"), with: port)
            #expect(answer?.hasPrefix("SIP/2.0 403 ") == true)
            let announced = phone.log.events.compactMap { if case .listening(let transport, _, _) = $0 { transport } else { nil } }
            #expect(announced == ["tcp"])
            try await phone.quit()
        }

        @Test func stopClosesTheSockets() async throws {
            let phone = try await TestPhone.started(["udp:127.0.0.1:0", "tcp:127.0.0.1:0"])
            let udp = try await phone.port("udp")
            let tcp = try await phone.port("tcp")
            #expect(throws: Hang.self) { try RawSocket(.udp, port: udp) }
            let caller = try RawSocket(.tcp, isListening: false)
            #expect(caller.connect(to: tcp))
            await phone.client.stop()
            #expect(throws: Never.self) { try RawSocket(.udp, port: udp) }
            let late = try RawSocket(.tcp, isListening: false)
            #expect(!late.connect(to: tcp))
            // A second stop and late posts do nothing.
            await phone.client.stop()
            phone.client.post(.command(.quit))
        }
    }
}
