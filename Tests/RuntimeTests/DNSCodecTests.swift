import Core
import Testing

@testable import Runtime

@Suite struct DNSCodecTests {
    /// Builds answers by hand, name after name, with pointers where a server would put them.
    private struct Builder {
        var writer = ByteWriter()

        init(id: UInt16 = 7, flags: UInt16 = 0x8180, name: [String], type: UInt16, answers: UInt16) {
            for word in [id, flags, 1, answers, 0, 0] { writer.u16(word) }
            labels(name)
            writer.u16(type)
            writer.u16(1)
        }

        mutating func labels(_ name: [String]) {
            for label in name {
                writer.u8(UInt8(label.utf8.count))
                writer.append(label)
            }
            writer.u8(0)
        }

        /// A record of the question's own name.
        mutating func record(_ type: UInt16, ttl: UInt32 = 300, length: UInt16? = nil, _ data: (inout ByteWriter) -> Void) {
            writer.u16(0xC00C)
            writer.u16(type)
            writer.u16(1)
            writer.u32(ttl)
            var inner = ByteWriter()
            data(&inner)
            writer.u16(length ?? UInt16(inner.count))
            writer.append(inner.bytes)
        }
    }

    private func string(_ text: String, _ writer: inout ByteWriter) {
        writer.u8(UInt8(text.utf8.count))
        writer.append(text)
    }

    @Test func aQuestion() throws {
        let bytes = try #require(DNSCodec.question(id: 0xABCD, name: "_sip._udp.example.org", type: .srv))
        #expect(bytes.prefix(12) == [0xAB, 0xCD, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1])
        let name = [4] + Array("_sip".utf8) + [4] + Array("_udp".utf8) + [7] + Array("example".utf8) + [3] + Array("org".utf8) + [0]
        #expect(Array(bytes[12..<(12 + name.count)]) == name)
        #expect(Array(bytes[(12 + name.count)..<(16 + name.count)]) == [0, 33, 0, 1])
        // EDNS: 1232 bytes.
        #expect(bytes.suffix(11) == [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0])
    }

    @Test(arguments: ["a b", "a\\.b", "a\u{0}b", String(repeating: "a", count: 64), String(repeating: "abcdefg.", count: 40), "é.example"])
    func noQuestions(_ name: String) { #expect(DNSCodec.question(id: 1, name: name, type: .a) == nil) }

    @Test func addressesAndAliases() throws {
        var builder = Builder(name: ["www", "Example", "org"], type: 1, answers: 3)
        builder.record(5, ttl: 60) { writer in
            self.string("host", &writer)
            writer.u16(0xC010)
        }
        builder.record(1) { $0.append([192, 0, 2, 7]) }
        builder.record(28) { $0.append(IPAddress("2001:db8::7")?.bytes ?? []) }
        let message = try #require(DNSCodec.message(builder.writer.bytes))
        #expect(message.id == 7 && message.name == "www.example.org" && message.type == 1 && message.code == 0 && !message.isTruncated)
        #expect(
            message.records.map(\.data) == [
                .cname("host.example.org"), .address(.v4(0xC000_0207)), .address(.v6(0x2001_0DB8_0000_0000, 7)),
            ])
        #expect(message.records.map(\.ttl) == [60, 300, 300] && message.records.allSatisfy { $0.name == "www.example.org" })
    }

    @Test func servicesAndPointers() throws {
        var builder = Builder(name: ["example", "org"], type: 35, answers: 3)
        builder.record(35) { writer in
            writer.u16(10)
            writer.u16(20)
            self.string("s", &writer)
            self.string("SIPS+D2T", &writer)
            self.string("", &writer)
            self.string("_sips", &writer)
            self.string("_tcp", &writer)
            writer.u16(0xC00C)
        }
        builder.record(16) { self.string("nobody asked", &$0) }
        builder.record(33) { writer in
            for word: UInt16 in [1, 2, 5061] { writer.u16(word) }
            self.string("sip7", &writer)
            writer.u16(0xC00C)
        }
        let records = try #require(DNSCodec.message(builder.writer.bytes)).records
        #expect(
            records.map(\.data) == [
                .naptr(order: 10, preference: 20, flags: "s", service: "SIPS+D2T", regexp: "", replacement: "_sips._tcp.example.org"),
                .srv(priority: 1, weight: 2, port: 5061, target: "sip7.example.org"),
            ])
    }

    @Test func codesAndTruncation() throws {
        let builder = Builder(flags: 0x8183, name: ["no", "such"], type: 1, answers: 0)
        #expect(DNSCodec.message(builder.writer.bytes)?.code == 3)
        var cut = Builder(flags: 0x8380, name: ["a"], type: 1, answers: 2)
        cut.record(1) { $0.append([192, 0, 2, 7]) }
        let message = DNSCodec.message(cut.writer.bytes)
        #expect(message?.isTruncated == true && message?.records.count == 1)
    }

    /// No response, more than one question, records that lie about their length, a name that points to itself.
    @Test func hostileAnswers() {
        #expect(DNSCodec.message([]) == nil)
        #expect(DNSCodec.message(Builder(flags: 0x0100, name: ["a"], type: 1, answers: 0).writer.bytes) == nil)
        #expect(DNSCodec.message(Builder(flags: 0xA800, name: ["a"], type: 1, answers: 0).writer.bytes) == nil)
        var two = Builder(name: ["a"], type: 1, answers: 0).writer.bytes
        two[5] = 2
        #expect(DNSCodec.message(two) == nil)
        for length: UInt16 in [0, 3, 5, 65_535] {
            var lying = Builder(name: ["a"], type: 1, answers: 1)
            lying.record(1, length: length) { $0.append([192, 0, 2, 7]) }
            #expect(DNSCodec.message(lying.writer.bytes) == nil)
        }
        var short = Builder(name: ["a"], type: 33, answers: 1)
        short.record(33) { $0.append([0, 1, 0]) }
        #expect(DNSCodec.message(short.writer.bytes) == nil)
        var loop = Builder(name: ["a"], type: 5, answers: 1)
        loop.record(5) { $0.u16(0xC01F) }
        #expect(DNSCodec.message(loop.writer.bytes) == nil)
        var many = Builder(name: ["a"], type: 1, answers: 1000)
        for _ in 0..<1000 { many.record(1) { $0.append([192, 0, 2, 7]) } }
        #expect(DNSCodec.message(many.writer.bytes)?.records.count == DNSCodec.maximumRecords)
    }

    @Test func cutAndChangedAnswers() {
        var builder = Builder(name: ["example", "org"], type: 33, answers: 2)
        for port: UInt16 in [1, 2] {
            builder.record(33) { writer in
                for word in [1, 2, port] { writer.u16(word) }
                self.string("sip", &writer)
                writer.u16(0xC00C)
            }
        }
        let good = builder.writer.bytes
        #expect(DNSCodec.message(good)?.records.count == 2)
        for count in 0..<good.count { #expect(DNSCodec.message(Array(good.prefix(count))) == nil) }
        let random = RandomSource(seed: 3)
        for _ in 0..<20_000 {
            var bad = good
            for _ in 0..<3 { bad[Int(random.next() % UInt64(bad.count))] = UInt8(truncatingIfNeeded: random.next()) }
            #expect((DNSCodec.message(bad)?.records.count ?? 0) <= DNSCodec.maximumRecords)
        }
    }

    @Test func theHostsFile() {
        let hosts = DNSConfiguration.hosts(
            of: "127.0.0.1 localhost\n::1\tlocalhost ip6-localhost # x\n#1.2.3.4 no\n192.0.2.7 PBX.lab pbx.lab pbx\nnonsense x\n")
        #expect(hosts["localhost"] == [.loopbackV4, .loopbackV6])
        #expect(hosts["pbx.lab"] == [.v4(0xC000_0207)] && hosts["pbx"] == hosts["pbx.lab"])
        #expect(hosts.count == 4)
    }
}
