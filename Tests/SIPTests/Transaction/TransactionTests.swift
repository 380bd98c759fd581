import Core
import Testing

@testable import SIP

@Suite struct TransactionTests {
    static func request(_ method: SIPMethod) -> SIPRequest {
        var headers = SIPHeaders()
        headers.add(.via, "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKabc;rport")
        headers.add(.from, "<sip:a@192.0.2.1>;tag=1")
        headers.add(.to, "<sip:b@192.0.2.2>")
        headers.add(.callID, "x")
        headers.cSeq = CSeq(7, method)
        headers.add(.route, "<sip:p.example;lr>")
        return SIPRequest(method: method, uri: SIPURI(user: "b", host: .name("b.example")), headers: headers)
    }

    func seconds(_ n: Double) -> Instant { .zero + .milliseconds(Int(n * 1000)) }

    /// Runs a machine alone until it ends, noting when it sent.
    func run<M: StateMachine>(_ machine: inout M, until end: Double, _ note: (M.Output, Double) -> Void) {
        var now = Instant.zero
        while true {
            while let output = machine.poll() { note(output, now.milliseconds(since: .zero) / 1000) }
            guard let deadline = machine.deadline, deadline <= seconds(end) else { return }
            now = deadline
            machine.handleTimeout(at: now)
        }
    }

    /// Timer A at 0.5, 1.5, 3.5, 7.5, 15.5, 31.5 s; Timer B at 32 s (§17.1.1.2).
    @Test(arguments: [false, true])
    func inviteWithoutResponse(isReliable: Bool) {
        var machine = InviteClientTransaction(request: Self.request(.invite), isReliable: isReliable, timings: TransactionTimings())
        machine.handle(.start, at: .zero)
        var sent: [Double] = []
        var ends: [String] = []
        run(&machine, until: 100) { output, at in
            switch output {
            case .transmit: sent.append(at)
            default: ends.append("\(output) \(at)")
            }
        }
        #expect(sent == (isReliable ? [0] : [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]))
        #expect(ends == ["timedOut 32.0", "terminated 32.0"])
    }

    /// Timer E at 0.5, 1.5, 3.5, then each T2; Timer F at 32 s (§17.1.2.2).
    @Test func otherWithoutResponse() {
        var machine = NonInviteClientTransaction(request: Self.request(.options), isReliable: false, timings: TransactionTimings())
        machine.handle(.start, at: .zero)
        var sent: [Double] = []
        var ends: [String] = []
        run(&machine, until: 100) { output, at in
            if case .transmit = output { sent.append(at) } else { ends.append("\(output) \(at)") }
        }
        #expect(sent == [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5])
        #expect(ends == ["timedOut 32.0", "terminated 32.0"])
    }

    /// A provisional response slows a non-INVITE to T2; the final one starts Timer K.
    @Test func otherWithResponses() {
        var machine = NonInviteClientTransaction(request: Self.request(.bye), isReliable: false, timings: TransactionTimings())
        machine.handle(.start, at: .zero)
        machine.handle(.response(SIPResponse(status: 100)), at: .zero)
        var sent: [Double] = []
        run(&machine, until: 10) { output, at in if case .transmit = output { sent.append(at) } }
        #expect(sent == [0, 0.5, 4.5, 8.5])
        machine.handle(.response(SIPResponse(status: 200)), at: seconds(9))
        machine.handle(.response(SIPResponse(status: 200)), at: seconds(9))
        #expect(machine.deadline == seconds(14))
        machine.handleTimeout(at: seconds(14))
        var outputs: [String] = []
        while let output = machine.poll() { if case .response = output { outputs.append("response") } else { outputs.append("\(output)") } }
        #expect(outputs == ["response", "terminated"])
    }

    /// The ACK of a failure: the INVITE's top Via and Route, the response's To, and again for each repeat until Timer D.
    @Test func failureIsAcknowledged() throws {
        let invite = Self.request(.invite)
        var machine = InviteClientTransaction(request: invite, isReliable: false, timings: TransactionTimings())
        machine.handle(.start, at: .zero)
        _ = machine.poll()
        let response = SIPResponse(to: invite, status: 486, toTag: "their")
        machine.handle(.response(response), at: seconds(1))
        machine.handle(.response(response), at: seconds(2))
        #expect(machine.deadline == seconds(33))
        guard case .transmit(let bytes) = machine.poll(), case .request(let ack) = try SIPMessage.parse(bytes) else {
            Issue.record("no ACK")
            return
        }
        #expect(ack.method == .ack && ack.uri == invite.uri)
        #expect(ack.headers.cSeq == CSeq(7, .ack))
        #expect(ack.headers.vias == invite.headers.vias)
        #expect(ack.headers.to?.tag == "their")
        #expect(ack.headers.routes == invite.headers.routes)
        guard case .response = machine.poll(), case .transmit(let again) = machine.poll() else {
            Issue.record("no second ACK")
            return
        }
        #expect(again == bytes)
        machine.handleTimeout(at: seconds(33))
        guard case .terminated = machine.poll() else {
            Issue.record("Timer D")
            return
        }
    }

    /// RFC 6026: all 2xx go to the user until Timer M.
    @Test func successIsAcceptedUntilTimerM() {
        let invite = Self.request(.invite)
        var machine = InviteClientTransaction(request: invite, isReliable: true, timings: TransactionTimings())
        machine.handle(.start, at: .zero)
        for i in 0..<3 { machine.handle(.response(SIPResponse(to: invite, status: 200, toTag: "\(i)")), at: seconds(1)) }
        machine.handle(.response(SIPResponse(to: invite, status: 486)), at: seconds(1))
        machine.handle(.transportFailed, at: seconds(1))
        var responses = 0
        while let output = machine.poll() { if case .response = output { responses += 1 } }
        #expect(responses == 3)
        #expect(machine.deadline == seconds(33))
    }

    /// 100 after 200 ms when nobody spoke; Timer G at 0.5, 1.5, 3.5, 7.5 … s; Timer H at 32 s.
    @Test func inviteServerRepeatsFailure() {
        let invite = Self.request(.invite)
        var machine = InviteServerTransaction(request: invite, isReliable: false, timings: TransactionTimings())
        machine.handle(.start, at: .zero)
        #expect(machine.deadline == seconds(0.2))
        machine.handleTimeout(at: seconds(0.2))
        guard case .transmit(let trying) = machine.poll() else {
            Issue.record("no 100")
            return
        }
        #expect(String(decoding: trying, as: UTF8.self).hasPrefix("SIP/2.0 100 Trying"))
        machine.handle(.retransmission, at: seconds(0.3))
        guard case .transmit(trying) = machine.poll() else {
            Issue.record("no repeat")
            return
        }
        machine.handle(.respond(SIPResponse(to: invite, status: 486, toTag: "x")), at: .zero)
        var sent: [Double] = []
        var ends: [String] = []
        run(&machine, until: 100) { output, at in
            if case .transmit = output { sent.append(at) } else { ends.append("\(output) \(at)") }
        }
        #expect(sent == [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5])
        #expect(ends == ["timedOut 32.0", "terminated 32.0"])
    }

    @Test func acknowledgementStopsTheFailure() {
        let invite = Self.request(.invite)
        var machine = InviteServerTransaction(request: invite, isReliable: false, timings: TransactionTimings())
        machine.handle(.start, at: .zero)
        machine.handle(.respond(SIPResponse(to: invite, status: 486, toTag: "x")), at: seconds(0.1))
        machine.handle(.acknowledgement, at: seconds(0.2))
        #expect(machine.deadline == seconds(5.2))
        machine.handle(.retransmission, at: seconds(0.3))
        machine.handleTimeout(at: seconds(5.2))
        var words: [String] = []
        while let output = machine.poll() { if case .transmit = output { words.append("transmit") } else { words.append("\(output)") } }
        #expect(words == ["transmit", "terminated"])
    }

    /// RFC 6026: the INVITE's repeats are absorbed until Timer L; the session repeats the 2xx.
    @Test func acceptedAbsorbsInvites() {
        let invite = Self.request(.invite)
        var machine = InviteServerTransaction(request: invite, isReliable: true, timings: TransactionTimings())
        machine.handle(.start, at: .zero)
        machine.handle(.respond(SIPResponse(to: invite, status: 200, toTag: "x")), at: .zero)
        _ = machine.poll()
        machine.handle(.retransmission, at: seconds(1))
        let absorbed = machine.poll()
        machine.handle(.respond(SIPResponse(to: invite, status: 200, toTag: "x")), at: seconds(1))
        let repeated = machine.poll()
        #expect(absorbed == nil && repeated != nil)
        #expect(machine.deadline == seconds(32))
    }

    @Test(arguments: [false, true])
    func otherServerKeepsItsAnswer(isReliable: Bool) {
        let bye = Self.request(.bye)
        var machine = NonInviteServerTransaction(request: bye, isReliable: isReliable, timings: TransactionTimings())
        machine.handle(.start, at: .zero)
        machine.handle(.respond(SIPResponse(to: bye, status: 180)), at: .zero)
        let provisional = machine.poll()
        #expect(provisional == nil)
        machine.handle(.respond(SIPResponse(to: bye, status: 200)), at: seconds(1))
        machine.handle(.retransmission, at: seconds(2))
        var words: [String] = []
        while let output = machine.poll() { if case .transmit = output { words.append("transmit") } else { words.append("\(output)") } }
        #expect(words == (isReliable ? ["transmit", "terminated"] : ["transmit", "transmit"]))
        #expect(machine.deadline == (isReliable ? nil : seconds(33)))
    }

    /// Without the magic cookie the fields of RFC 2543 match: ACK and CANCEL find their INVITE.
    @Test func oldBranchesMatch() {
        var invite = Self.request(.invite)
        invite.headers.set(.via, "SIP/2.0/UDP 192.0.2.1:5060;branch=1")
        var ack = invite
        ack.method = .ack
        ack.headers.cSeq = CSeq(7, .ack)
        ack.headers.set(.to, "<sip:b@192.0.2.2>;tag=zz")
        #expect(TransactionKey(request: invite) == TransactionKey(request: ack))
        var other = invite
        other.headers.callID = "y"
        #expect(TransactionKey(request: invite) != TransactionKey(request: other))
    }
}
