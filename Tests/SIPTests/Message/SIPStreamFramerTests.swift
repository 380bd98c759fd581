import Testing

@testable import SIP

struct SIPStreamFramerTests {
    private let options = Array(
        ("OPTIONS sip:b@b SIP/2.0\r\nVia: SIP/2.0/TCP a;branch=z9hG4bK1\r\nFrom: <sip:a@a>;tag=1\r\n"
            + "To: <sip:b@b>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n").utf8)

    private func message(_ body: String, length: String? = nil) -> [UInt8] {
        options + Array("Content-Length: \(length ?? String(body.utf8.count))\r\n\r\n\(body)".utf8)
    }

    private func items(_ framer: inout SIPStreamFramer) throws -> [SIPStreamFramer.Item] {
        var out: [SIPStreamFramer.Item] = []
        while let item = try framer.next() { out.append(item) }
        return out
    }

    @Test(arguments: [1, 2, 3, 7, 64, 10_000])
    func anyChunks(_ size: Int) throws {
        let ping: [UInt8] = [13, 10, 13, 10]
        let one = message("hello\r\n\r\nx")
        let two = options + Array("l\t:\r\n 3\r\n\r\nabc".utf8)
        let stream = one + ping + two + [13, 10] + one
        var framer = SIPStreamFramer()
        var out: [SIPStreamFramer.Item] = []
        for start in stride(from: 0, to: stream.count, by: size) {
            framer.append(stream[start..<min(stream.count, start + size)])
            out += try items(&framer)
        }
        #expect(out == [.message(one), .ping, .message(two), .message(one)])
        #expect(framer.pendingCount == 0)
    }

    @Test func pongs() throws {
        var framer = SIPStreamFramer()
        framer.notePingSent()
        framer.append([13, 10])
        #expect(try items(&framer) == [.pong])
        framer.append([13])
        #expect(try items(&framer) == [])
        framer.append([10, 13, 10])
        #expect(try items(&framer) == [.ping])
        framer.append([13, 10] + message(""))
        #expect(try items(&framer) == [.message(message(""))])
    }

    private func failure(_ bytes: [UInt8], header: Int = 65_536, body: Int = 65_536) -> SIPParseError? {
        var framer = SIPStreamFramer(maximumHeader: header, maximumBody: body)
        framer.append(bytes)
        do {
            while try framer.next() != nil {}
            return nil
        } catch {
            framer.append(message(""))
            do {
                _ = try framer.next()
                return nil
            } catch let again { return again == error ? error : nil }
        }
    }

    @Test func errorsEndTheStream() {
        #expect(failure(options + [13, 10])?.problem == .missing(.contentLength))
        #expect(failure(options + [13, 10])?.rejection(toTag: "t")?.status == 400)
        #expect(failure(message("", length: "-1"))?.problem == .malformed(.contentLength))
        #expect(failure(message("", length: "1\r\nl: 2"))?.problem == .repeated(.contentLength))
        #expect(failure(message("", length: "99999999999999999999999"))?.status != nil)
        let large = failure(message("", length: "65537"))
        #expect(large?.problem == .bodyTooLarge && large?.rejection(toTag: "t")?.status == 513)
        let endless = options + Array("X: ".utf8) + [UInt8](repeating: 0x61, count: 70_000)
        #expect(failure(endless)?.problem == .headerTooLarge)
        #expect(failure(endless + Array("\r\nl: 0\r\n\r\n".utf8))?.rejection(toTag: "t")?.status == 513)
    }
}
