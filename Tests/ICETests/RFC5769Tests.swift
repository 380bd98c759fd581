import Core
import Digest
import Testing

@testable import ICE

/// The vectors of RFC 5769 §2, byte for byte.
@Suite struct RFC5769Tests {
    static let password = "VOkJxbRl1RmTxUk/WvJxBt"
    static let request = vector(
        """
        00010058 2112a442 b7e7a701 bc34d686 fa87dfae
        80220010 5354554e 20746573 7420636c 69656e74
        00240004 6e0001ff 80290008 932ff9b1 51263b36
        00060009 6576746a 3a683676 59202020
        00080014 9aeaa70c bfd8cb56 781ef2b5 b2d3f249 c1b571a2
        80280004 e57a3bcf
        """)
    static let responseV4 = vector(
        """
        0101003c 2112a442 b7e7a701 bc34d686 fa87dfae
        8022000b 74657374 20766563 746f7220
        00200008 0001a147 e112a643
        00080014 2b91f599 fd9e90c3 8c7489f9 2af9ba53 f06be7d7
        80280004 c07d4c96
        """)
    static let responseV6 = vector(
        """
        01010048 2112a442 b7e7a701 bc34d686 fa87dfae
        8022000b 74657374 20766563 746f7220
        00200014 0002a147 0113a9fa a5d3f179 bc25f4b5 bed2b9d9
        00080014 a382954e 4be67bf1 1784c97c 8292c275 bfe3ed41
        80280004 c8fb0b4c
        """)
    static let longTerm = vector(
        """
        00010060 2112a442 78ad3433 c6ad72c0 29da412e
        00060012 e3839ee3 8388e383 aae38383 e382afe3 82b90000
        0015001c 662f2f34 39396b39 35346436 4f4c3334 6f4c3946 53547679 36347341
        0014000b 6578616d 706c652e 6f726700
        00080014 f6702465 6dd64a3e 02b8e071 2e85c9a2 8ca89666
        """)

    static func vector(_ text: String) -> [UInt8] { bytes(hexadecimal: text) ?? [] }

    @Test func shortTermRequest() throws {
        let message = try parse(Self.request)
        #expect(message.messageClass == .request && message.method == .binding)
        #expect(message.transactionID.bytes.hexadecimal == "b7e7a701bc34d686fa87dfae")
        #expect(message.software == "STUN test client" && message.username == "evtj:h6vY")
        #expect(message.priority == 0x6E00_01FF && message.iceControlled == 0x932F_F9B1_5126_3B36)
        #expect(message.verify(.shortTerm(password: Self.password)))
        #expect(!message.verify(.shortTerm(password: "VOkJxbRl1RmTxUk/WvJxBT")))
    }

    @Test(arguments: [(responseV4, "192.0.2.1:32853"), (responseV6, "[2001:db8:1234:5678:11:2233:4455:6677]:32853")])
    func responses(_ vector: [UInt8], _ address: String) throws {
        let message = try parse(vector)
        #expect(message.messageClass == .success && message.software == "test vector")
        #expect(message.mapped?.description == address)
        #expect(message.verify(.shortTerm(password: Self.password)))
    }

    @Test func longTermRequest() throws {
        let message = try parse(Self.longTerm)
        #expect(message.username == "マトリックス" && message.realm == "example.org")
        #expect(message.nonce.map { String(decoding: $0, as: UTF8.self) } == "f//499k954d6OL34oL9FSTvy64sA")
        #expect(message.verify(.longTerm(username: "マトリックス", realm: "example.org", password: "TheMatrIX")))
        #expect(!message.verify(.longTerm(username: "マトリックス", realm: "example.org", password: "TheMatrix")))
    }

    /// The builder makes the same bytes, padding included.
    @Test func builderMakesTheVectors() throws {
        let id = try parse(Self.request).transactionID
        var request = StunBuilder(.request, id: id)
        request.paddingByte = 0x20
        request.add(.software, text: "STUN test client")
        request.add(.priority, u32: 0x6E00_01FF)
        request.add(.iceControlled, u64: 0x932F_F9B1_5126_3B36)
        request.add(.username, text: "evtj:h6vY")
        #expect(request.finish(key: .shortTerm(password: Self.password)) == Self.request)

        var response = StunBuilder(.success, id: id)
        response.paddingByte = 0x20
        response.add(.software, text: "test vector")
        response.add(.xorMappedAddress, xorAddress: try #require(SocketAddress("[2001:db8:1234:5678:11:2233:4455:6677]:32853")))
        #expect(response.finish(key: .shortTerm(password: Self.password)) == Self.responseV6)
    }
}
