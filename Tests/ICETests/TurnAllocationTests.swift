import Core
import Digest
import Testing

@testable import ICE

/// One allocation against a server written out by the test.
final class TurnScript {
    var now = Instant.zero
    var allocation: TurnAllocation
    let server: TurnServer
    let relayed = SocketAddress(.v4(0xC633_6464), 50_000)
    let mapped = SocketAddress(.v4(0xCB00_7101), 61_000)
    let peer = SocketAddress(.v4(0xC000_0202), 5000)
    let realm = "example.org"
    var nonce = Array("nonce1".utf8)
    var sent: [(at: Instant, bytes: [UInt8])] = []
    var outputs: [TurnAllocation.Output] = []

    init(_ transport: TurnServer.Transport = .udp, ip: IPAddress = .v4(0xC633_6401)) {
        server = TurnServer(transport: transport, address: SocketAddress(ip, 3478), username: "user", password: "secret")
        allocation = TurnAllocation(server: server, random: RandomSource(seed: 4))
    }

    func handle(_ input: TurnAllocation.Input) {
        allocation.handle(input, at: now)
        drain()
    }

    func drain() {
        while let output = allocation.poll() {
            if case .send(let bytes) = output { sent.append((now, bytes)) } else { outputs.append(output) }
        }
    }

    func advance(_ duration: Duration) {
        let end = now + duration
        while let deadline = allocation.deadline, deadline <= end {
            now = max(now, deadline)
            allocation.handleTimeout(at: now)
            drain()
        }
        now = end
    }

    var last: StunMessage? { sent.last.flatMap { try? StunMessage.parse($0.bytes.span.bytes) } }
    func messages(_ method: StunMethod) -> [StunMessage] {
        sent.compactMap { try? StunMessage.parse($0.bytes.span.bytes) }.filter { $0.method == method }
    }

    func key(_ algorithm: HashAlgorithm = .md5) -> StunKey { .longTerm(username: "user", realm: realm, password: "secret", algorithm) }

    func receive(_ bytes: [UInt8]) {
        guard let message = try? StunMessage.parse(bytes.span.bytes) else { return }
        allocation.receive(message, at: now)
        drain()
    }

    func challenge(_ code: Int = 401, algorithms: [UInt8]? = nil, to request: StunMessage? = nil) {
        guard let request = request ?? last else { return }
        var builder = StunBuilder(.error, method: request.method, id: request.transactionID)
        builder.addError(code, reason: "No")
        builder.add(.realm, text: realm)
        builder.add(.nonce, nonce)
        if let algorithms { builder.add(.passwordAlgorithms, algorithms) }
        receive(builder.finish())
    }

    func refuse(_ code: Int, to request: StunMessage? = nil) {
        guard let request = request ?? last else { return }
        var builder = StunBuilder(.error, method: request.method, id: request.transactionID)
        builder.addError(code, reason: "No")
        receive(builder.finish(key: request.integrity.map { _ in key() }))
    }

    func succeed(_ request: StunMessage? = nil, lifetime: UInt32 = 600, key: StunKey? = nil, integrity: StunIntegrity = .sha1) {
        guard let request = request ?? last else { return }
        var builder = StunBuilder(.success, method: request.method, id: request.transactionID)
        if request.method == .allocate {
            builder.add(.xorRelayedAddress, xorAddress: relayed)
            builder.add(.xorMappedAddress, xorAddress: mapped)
        }
        if request.method == .allocate || request.method == .refresh { builder.add(.lifetime, u32: lifetime) }
        receive(builder.finish(key: key ?? self.key(), integrity: integrity))
    }

    /// Allocated, with everything before forgotten.
    func allocate(lifetime: UInt32 = 600) {
        handle(.allocate)
        challenge()
        succeed(lifetime: lifetime)
        sent = []
    }

    func unwrap(_ datagram: [UInt8]) -> (peer: SocketAddress, payload: [UInt8])? {
        allocation.channelData(datagram.span.bytes).map { ($0.peer, Array(datagram[$0.range])) }
    }

    var failure: (code: Int?, message: String)? {
        for case .failed(let code, let message) in outputs { return (code, message) }
        return nil
    }
}

@Suite struct TurnAllocationTests {
    @Test func longTermCredentials() throws {
        let script = TurnScript()
        script.handle(.allocate)
        let first = try #require(script.last)
        #expect(first.method == .allocate && first.integrity == nil && first.u32(.requestedTransport) == 17 << 24)
        script.challenge()
        let second = try #require(script.last)
        #expect(
            second.transactionID != first.transactionID && second.username == "user" && second.realm == script.realm && second.nonce == script.nonce)
        #expect(second.integrity == .sha1 && second.verify(script.key()))
        // Nobody without the password may answer.
        script.succeed(key: .shortTerm(password: "wrong"))
        #expect(script.allocation.state == .allocating)
        script.succeed()
        #expect(script.outputs == [.allocated(relayed: script.relayed, mapped: script.mapped)])
    }

    /// RFC 8489 §9.2.4: the algorithms go back as they came, the hash of the name instead of it, and HMAC-SHA-256.
    @Test func passwordAlgorithms() throws {
        let script = TurnScript()
        script.nonce = Array("obMatJos2AAADnonce".utf8)
        let list: [UInt8] = [0, 9, 0, 1, 7, 0, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0]
        script.handle(.allocate)
        script.challenge(algorithms: list)
        let request = try #require(script.last)
        #expect(request.value(.passwordAlgorithms).map(Array.init) == list && request.u32(.passwordAlgorithm) == 2 << 16)
        #expect(request.username == nil && request.value(.userhash).map(Array.init) == Digest.hash(.sha256, Array("user:example.org".utf8)))
        #expect(request.integrity == .sha256 && request.verify(script.key(.sha256)))
        script.succeed(key: script.key(.sha256), integrity: .sha256)
        #expect(script.allocation.state == .allocated)
    }

    /// The nonce says that algorithms are named, and somebody took the list out.
    @Test func aListTakenOut() {
        let script = TurnScript()
        script.nonce = Array("obMatJos2AAABnonce".utf8)
        script.handle(.allocate)
        script.challenge()
        #expect(script.failure?.code == 401 && script.allocation.deadline == nil)
    }

    @Test func wrongPassword() {
        let script = TurnScript()
        script.handle(.allocate)
        script.challenge()
        script.challenge()
        #expect(script.failure?.code == 401 && script.failure?.message == "refuses the user name or password (401 No)")
        #expect(script.sent.count == 2)
    }

    @Test(arguments: [
        (403, "forbids this user to relay"), (437, "still has an older allocation of this address"), (441, "belongs to another user"),
        (442, "does not relay UDP"), (486, "grants this user no further allocation"), (508, "has no relay address or port left"),
        (300, "names another server"),
    ]) func refusals(code: Int, sentence: String) {
        let script = TurnScript()
        script.handle(.allocate)
        script.challenge()
        script.refuse(code)
        #expect(script.failure?.code == code && script.failure?.message.contains(sentence) == true)
        #expect(script.allocation.deadline == nil)
    }

    @Test func staleNonces() throws {
        let script = TurnScript()
        script.allocate()
        script.handle(.permit(script.peer.ip))
        script.nonce = Array("nonce2".utf8)
        script.challenge(438)
        #expect(script.messages(.createPermission).count == 2 && script.last?.nonce == script.nonce)
        script.succeed()
        #expect(script.allocation.permissions == [script.peer.ip: .granted])
        // A server that likes no nonce is not asked for ever.
        script.advance(.seconds(240))
        let before = script.sent.count
        for _ in 0..<10 { script.challenge(438) }
        #expect(script.sent.count - before == 3)
    }

    /// 500 ms doubling, seven requests; on a connection one.
    @Test func repetition() {
        let script = TurnScript()
        script.handle(.allocate)
        script.advance(.seconds(39))
        #expect(script.sent.map { $0.at.milliseconds(since: .zero) } == [0, 500, 1500, 3500, 7500, 15500, 31500] && script.failure == nil)
        script.advance(.milliseconds(500))
        #expect(script.failure?.message == "does not answer")
        let stream = TurnScript(.tcp)
        stream.handle(.allocate)
        stream.advance(.seconds(40))
        #expect(stream.sent.count == 1 && stream.failure != nil)
    }

    @Test func refreshing() {
        let script = TurnScript()
        script.allocate()
        script.advance(.milliseconds(539_999))
        #expect(script.sent.isEmpty)
        script.advance(.milliseconds(1))
        #expect(script.last?.method == .refresh && script.last?.u32(.lifetime) == 600)
        script.succeed(lifetime: 100)
        script.advance(.seconds(50))
        #expect(script.messages(.refresh).count == 2)
        // No answer: tried until the server must have forgotten it.
        script.advance(.seconds(49))
        #expect(script.failure == nil)
        script.advance(.seconds(1))
        #expect(script.failure?.message.contains("no longer answers") == true && script.allocation.deadline == nil)
    }

    @Test func aForgottenAllocation() {
        let script = TurnScript()
        script.allocate()
        script.handle(.permit(script.peer.ip))
        script.refuse(437)
        #expect(script.failure?.message.contains("has forgotten the allocation") == true)
    }

    @Test func permissionsAndIndications() throws {
        let script = TurnScript()
        script.allocate()
        #expect(script.allocation.wrap([1, 2, 3], to: script.peer) == nil)
        script.handle(.permit(script.peer.ip))
        script.handle(.permit(script.peer.ip))
        script.handle(.permit(.v6(0x2001_0DB8_0000_0000, 1)))
        #expect(script.sent.count == 1 && script.last?.xorAddress(.xorPeerAddress)?.ip == script.peer.ip)
        // Kept until the permission is there: 16, the newest.
        for byte in UInt8(0)..<20 { #expect(script.allocation.wrap([byte], to: script.peer) == nil) }
        script.succeed()
        let indications = script.messages(.send)
        #expect(indications.map { $0.value(.data).map(Array.init) } == (UInt8(4)..<20).map { [$0] })
        #expect(indications.allSatisfy { $0.messageClass == .indication && $0.xorAddress(.xorPeerAddress) == script.peer && $0.integrity == nil })
        // Renewed before the five minutes are over.
        script.advance(.seconds(240))
        #expect(script.messages(.createPermission).count == 2)
        script.refuse(403)
        #expect(script.outputs.contains(.peerRefused(script.peer.ip, code: 403, message: "refuses to relay to 192.0.2.2 (403 No)")))
        #expect(script.allocation.wrap([1], to: script.peer) == nil && script.failure == nil)
    }

    @Test(arguments: [TurnServer.Transport.udp, .tcp]) func channels(transport: TurnServer.Transport) throws {
        let script = TurnScript(transport)
        script.allocate()
        script.handle(.bindChannel(script.peer))
        let bind = try #require(script.last)
        #expect(bind.method == .channelBind && bind.u32(.channelNumber) == 0x4000_0000 && bind.xorAddress(.xorPeerAddress) == script.peer)
        script.succeed()
        let padding: [UInt8] = transport == .udp ? [] : [0, 0, 0]
        #expect(script.allocation.wrap([1, 2, 3, 4, 5], to: script.peer) == [0x40, 0, 0, 5, 1, 2, 3, 4, 5] + padding)
        let incoming: [UInt8] = [0x40, 0, 0, 2, 7, 8, 0, 0]
        let data = script.unwrap(incoming)
        #expect(data?.peer == script.peer && data?.payload == [7, 8])
        // Too short, and a channel nobody bound.
        let short: [UInt8] = [0x40, 0, 0, 5, 7, 8]
        let other: [UInt8] = [0x40, 1, 0, 1, 7]
        #expect(script.unwrap(short) == nil && script.unwrap(other) == nil)
        // Another peer gets another number, and a forgotten one its old number again.
        let second = SocketAddress(script.peer.ip, 6000)
        script.handle(.bindChannel(second))
        #expect(script.last?.u32(.channelNumber) == 0x4001_0000)
        script.handle(.forgetPeers(except: []))
        script.handle(.bindChannel(script.peer))
        #expect(script.last?.u32(.channelNumber) == 0x4000_0000)
        script.succeed()
        script.advance(.seconds(240))
        #expect(script.messages(.channelBind).count == 4)
    }

    @Test func closing() {
        let script = TurnScript()
        script.allocate()
        script.handle(.close)
        #expect(script.last?.method == .refresh && script.last?.u32(.lifetime) == 0 && script.last?.verify(script.key()) == true)
        #expect(script.allocation.deadline == nil && script.allocation.wrap([1], to: script.peer) == nil)
        script.handle(.permit(script.peer.ip))
        #expect(script.sent.count == 1)
    }

    /// An IPv6 server is asked for an IPv6 address, and for its default when it has none.
    @Test func families() {
        let script = TurnScript(ip: .v6(0x2001_0DB8_0000_0000, 1))
        script.handle(.allocate)
        #expect(script.last?.u32(.requestedAddressFamily) == 2 << 24)
        script.challenge()
        script.refuse(440)
        #expect(script.last?.method == .allocate && script.last?.contains(.requestedAddressFamily) == false)
        script.succeed()
        #expect(script.allocation.state == .allocated)
    }

    @Test func strangersAnswersChangeNothing() {
        let script = TurnScript()
        script.handle(.allocate)
        var builder = StunBuilder(.error, method: .allocate, id: StunTransactionID(high: 1, low: 2))
        builder.addError(508, reason: "No")
        script.receive(builder.finish())
        #expect(script.allocation.state == .allocating)
        script.challenge()
        // Right transaction, wrong method; and an address that cannot be.
        if let id = script.last?.transactionID {
            var other = StunBuilder(.success, method: .refresh, id: id)
            other.add(.lifetime, u32: 600)
            script.receive(other.finish(key: script.key()))
            #expect(script.allocation.state == .allocating)
            var none = StunBuilder(.success, method: .allocate, id: id)
            none.add(.xorRelayedAddress, xorAddress: SocketAddress(.anyV4, 0))
            script.receive(none.finish(key: script.key()))
        }
        #expect(script.failure?.message == "gave no relayed address")
    }
}

@Suite struct TurnStreamFramerTests {
    private let messages: [[UInt8]] = [
        [0x40, 0, 0, 5, 1, 2, 3, 4, 5], StunBuilder(.request, method: .allocate, id: StunTransactionID(high: 1, low: 1)).finish(),
        [0x4F, 0xFF, 0, 0],
        [0x40, 1, 0, 4, 1, 2, 3, 4],
    ]

    private var stream: [UInt8] { messages.flatMap { $0 + [UInt8](repeating: 0, count: (4 - $0.count & 3) & 3) } }

    @Test(arguments: [1, 2, 3, 7, 1000]) func cutsAnywhere(size: Int) throws {
        var framer = TurnStreamFramer()
        var out: [[UInt8]] = []
        for start in stride(from: 0, to: stream.count, by: size) {
            framer.append(Array(stream[start..<min(start + size, stream.count)]))
            while let message = try framer.next() { out.append(message) }
        }
        #expect(out == messages)
    }

    @Test func refusesWhatIsNoTurn() throws {
        var framer = TurnStreamFramer()
        framer.append(messages[2] + [0x80, 0, 0, 0])
        #expect(try framer.next() == messages[2])
        #expect(throws: TurnStreamFramer.Failure.notTurn) { try framer.next() }
    }
}
