import Core
import Interface
import SIP
import Secure
import Testing

@testable import Engine

/// The phone's outputs to single inputs, without a world.
@Suite struct PhoneTests {
    private func phone(_ edit: (inout PhoneConfiguration) -> Void = { _ in }) throws -> Phone {
        var configuration = PhoneConfiguration()
        edit(&configuration)
        return Phone(
            configuration: configuration, identity: try CertificateIdentity.selfSigned(unixTime: 1_790_000_000), random: RandomSource(seed: 1),
            wallClock: WallClock(origin: .zero, milliseconds: 0))
    }

    private func drain(_ phone: inout Phone) -> [PhoneOutput] {
        var out: [PhoneOutput] = []
        while let output = phone.poll() { out.append(output) }
        return out
    }

    private func notices(_ outputs: [PhoneOutput]) -> [String] {
        outputs.compactMap { if case .event(let timed) = $0, case .notice(_, let code, _, _) = timed.event { code } else { nil } }
    }

    @Test func anIdlePhoneWantsNothing() throws {
        var phone = try phone()
        phone.start(at: .zero)
        #expect(drain(&phone).isEmpty)
        #expect(phone.deadline == nil)
        #expect(phone.snapshot(at: .zero).calls.isEmpty)
    }

    @Test func listeningIsTold() throws {
        var phone = try phone()
        phone.handle(.signalling(.listening(.udp, SocketAddress(.v4(0xC000_0201), 5060))), at: .zero)
        let outputs = drain(&phone)
        #expect(outputs.count == 1)
        guard case .event(let timed) = outputs.first, case .listening(let transport, let address, let port) = timed.event else {
            Issue.record("no listening event")
            return
        }
        #expect(transport == "udp" && address == "192.0.2.1" && port == 5060)
        #expect(phone.snapshot(at: .zero).listening.count == 1)
    }

    @Test(arguments: ["tel:1", "", "sip:"]) func badAddressesAreNamed(typed: String) throws {
        var phone = try phone()
        phone.handle(.command(.dial(uri: typed)), at: .zero)
        #expect(notices(drain(&phone)) == ["bad-uri"])
        #expect(phone.aliveCounts.calls == 0)
    }

    @Test func callsAreCapped() throws {
        var phone = try phone { $0.maximumCalls = 2 }
        for _ in 0..<3 { phone.handle(.command(.dial(uri: "sip:bob@192.0.2.2")), at: .zero) }
        #expect(notices(drain(&phone)) == ["too-many-calls"])
        #expect(phone.aliveCounts.calls == 2)
    }

    @Test func theEchoIsStartedOnce() throws {
        var phone = try phone()
        phone.handle(.command(.dial(uri: "echo")), at: .zero)
        phone.handle(.command(.dial(uri: "echo")), at: .zero)
        let starts = drain(&phone).filter { if case .startEcho = $0 { true } else { false } }
        #expect(starts.count == 1)
        phone.handle(.echoListening(try #require(SIPURI("sip:echo@127.0.0.1:40000"))), at: .zero)
        #expect(phone.snapshot(at: .zero).calls.map(\.remoteUri) == ["echo"])
    }

    /// A call whose sockets cannot be had ends with a result; what it asked for is given back.
    @Test func noPortIsFree() throws {
        var phone = try phone()
        phone.handle(.command(.dial(uri: "sip:bob@192.0.2.2")), at: .zero)
        guard case .openMedia(let request) = drain(&phone).first(where: { if case .openMedia = $0 { true } else { false } }) else {
            Issue.record("no sockets are asked for")
            return
        }
        phone.handle(.mediaFailed(request.id, message: "none is free", unresolved: false), at: .zero)
        let outputs = drain(&phone)
        let results = outputs.compactMap { if case .event(let timed) = $0, case .result(let result) = timed.event { result } else { nil } }
        #expect(results.map(\.outcome) == [.usage])
        #expect(outputs.contains { if case .closeMedia(request.id) = $0 { true } else { false } })
        #expect(phone.snapshot(at: .zero).history.count == 1)
        #expect(phone.deadline == nil)
    }

    @Test func anIdlePhoneQuitsAtOnce() throws {
        var phone = try phone()
        phone.handle(.command(.quit), at: .zero)
        #expect(drain(&phone).contains { if case .finished = $0 { true } else { false } })
        phone.handle(.command(.dial(uri: "sip:bob@192.0.2.2")), at: .zero)
        #expect(drain(&phone).isEmpty)
        #expect(phone.deadline == nil)
    }
}
