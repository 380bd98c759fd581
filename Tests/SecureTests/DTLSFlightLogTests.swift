import Core
import Secure
import Testing

/// A real handshake with a lost flight, as the log tells it.
@Suite struct DTLSFlightLogTests {
    @Test func aHandshakeIsNamedInOrder() {
        var log = DTLSFlightLog()
        let link = Link()
        var lost = 0
        link.filter = { [unowned link] isFromClient, _, datagram in
            log.note(datagram.span.bytes, isSent: isFromClient, at: link.now)
            // The server's first flight is lost once.
            if !isFromClient, lost == 0 {
                lost += 1
                return []
            }
            return [datagram]
        }
        link.start()
        link.run(until: at(5000))
        #expect(link.bothConnected)
        let lines = log.entries.map { ($0.isSent ? "→ " : "← ") + $0.summary.messages.joined(separator: " ") + ($0.isRepeated ? " (again)" : "") }
        #expect(lines.first == "→ ClientHello")
        #expect(lines.contains("← ServerHello Certificate ServerKeyExchange CertificateRequest ServerHelloDone"), "\(lines)")
        #expect(lines.contains("→ ClientHello (again)"), "\(lines)")
        // The library sends a flight again message by message.
        for message in ["ServerHello", "Certificate", "ServerKeyExchange", "CertificateRequest", "ServerHelloDone"] {
            #expect(lines.contains("← \(message) (again)"), "\(lines)")
        }
        #expect(lines.contains("→ Certificate ClientKeyExchange CertificateVerify ChangeCipherSpec Finished"), "\(lines)")
        #expect(lines.contains { $0.hasPrefix("← ") && $0.hasSuffix("ChangeCipherSpec Finished") }, "\(lines)")
        #expect(log.entries.allSatisfy { $0.bytes > 0 })
    }

    @Test func theNewestAreKeptAndNothingTraps() {
        var log = DTLSFlightLog()
        let random = RandomSource(seed: 7)
        for index in 0..<2000 {
            let bytes = (0..<(index % 90)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            log.note(bytes.span.bytes, isSent: index % 2 == 0, at: at(index))
            var hello: [UInt8] = [22, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12, 1, 0, 0, 0, UInt8(index & 255), UInt8(index >> 8 & 255)]
            hello += [UInt8](repeating: 0, count: index % 8)
            log.note(hello.span.bytes, isSent: true, at: at(index))
        }
        #expect(log.entries.count == 64)
        #expect(log.entries.last?.at == at(1999))
    }
}
