import Core
import Digest
import Testing

@testable import ICE

@Suite struct StunCodecTests {
    let id = StunTransactionID(high: 0x0102_0304_0506_0708, low: 0x090A_0B0C)
    let key = StunKey.shortTerm(password: "secret")

    @Test(arguments: [StunClass.request, .indication, .success, .error], [StunMethod.binding, .allocate, .channelBind, StunMethod(rawValue: 0xFFF)])
    func typeRoundTrip(_ messageClass: StunClass, _ method: StunMethod) throws {
        let message = try parse(StunBuilder(messageClass, method: method, id: id).finish())
        #expect(message.messageClass == messageClass && message.method == method && message.transactionID == id)
    }

    @Test func errorAndUnknownAttributes() throws {
        var builder = StunBuilder(.error, id: id)
        builder.addError(420, reason: "Unknown")
        builder.addUnknown([StunAttribute(rawValue: 0x0003), StunAttribute(rawValue: 0x7FFF)])
        let message = try parse(builder.finish(key: key, integrity: .sha256))
        #expect(message.errorCode?.code == 420 && message.errorCode?.reason == "Unknown")
        #expect(message.unknownAttributes.map(\.rawValue) == [3, 0x7FFF])
        #expect(message.integrity == .sha256 && message.verify(key) && !message.verify(.shortTerm(password: "other")))
    }

    @Test func onlyRequiredUnknownsCount() throws {
        var builder = StunBuilder(.request, id: id)
        builder.add(StunAttribute(rawValue: 0xC057), u32: 1)
        builder.add(StunAttribute(rawValue: 0x0003), u32: 0)
        let message = try parse(builder.finish())
        #expect(message.unknownRequired.map(\.rawValue) == [3])
    }

    /// RFC 8489 §14.5: what follows MESSAGE-INTEGRITY is ignored, except the other integrity and the fingerprint.
    @Test func attributesAfterIntegrityAreIgnored() throws {
        var builder = StunBuilder(.request, id: id)
        builder.add(.username, text: "a:b")
        var bytes = builder.finish(key: key, fingerprint: false)
        bytes += [0x00, 0x25, 0, 0]
        bytes[3] += 4
        let message = try parse(bytes)
        #expect(!message.hasUseCandidate && message.username == "a:b" && message.verify(key))
    }

    static let damaged: [([UInt8], StunError)] = [
        ([], .tooShort),
        (Array(RFC5769Tests.request.prefix(19)), .tooShort),
        ([0x80] + RFC5769Tests.request.dropFirst(), .notStun),
        (RFC5769Tests.request.replacing(4, with: 0), .notStun),
        (RFC5769Tests.request + [0, 0, 0, 0], .lengthMismatch),
        (RFC5769Tests.request.replacing(3, with: 0x59), .lengthMismatch),
        (RFC5769Tests.request.replacing(23, with: 0xFF), .truncatedAttribute(.software)),
        (RFC5769Tests.request.replacing(30, with: 0), .badFingerprint),
        (RFC5769Tests.longTerm.replacing(95, with: 0x10), .malformedAttribute(.messageIntegrity)),
        ((RFC5769Tests.request + [0x80, 0x22, 0, 0]).replacing(3, with: 0x5C), .badFingerprint),
    ]

    @Test(arguments: damaged)
    func damagedMessages(_ bytes: [UInt8], _ error: StunError) {
        #expect(throws: error) { try parse(bytes) }
    }

    @Test func fingerprintMustBeLast() {
        var writer = ByteWriter()
        writer.append(StunBuilder(.request, id: id).finish(fingerprint: false))
        writer.setU16(12, at: 2)
        let checksum = Digest.crc32(writer.bytes) ^ StunMessage.fingerprintMask
        writer.u32(0x8028_0004)
        writer.u32(checksum)
        writer.u32(0x8022_0000)
        let bytes = writer.bytes
        #expect(throws: StunError.fingerprintNotLast) { try parse(bytes) }
    }

    @Test func attributeCap() {
        var builder = StunBuilder(.request, id: id)
        for _ in 0..<200 { builder.add(flag: .useCandidate) }
        let bytes = builder.finish()
        #expect(throws: StunError.tooManyAttributes) { try parse(bytes) }
    }

    @Test func demultiplexing() {
        let rtp: [UInt8] = [0x80] + [UInt8](repeating: 0, count: 30)
        #expect(StunMessage.isStun(firstByte: 3) && !StunMessage.isStun(firstByte: 20))
        let answers = [RFC5769Tests.request, rtp].map { datagram in StunMessage.isStun(datagram.span.bytes) }
        #expect(answers == [true, false])
    }

    @Test func addressesOfImpossibleLength() throws {
        var builder = StunBuilder(.success, id: id)
        builder.add(.xorMappedAddress, [0, 2, 1, 2, 3, 4, 5, 6])
        builder.add(.mappedAddress, [0])
        builder.add(.errorCode, [0, 0, 9, 1])
        builder.add(.unknownAttributes, [1])
        let message = try parse(builder.finish())
        #expect(message.mapped == nil && message.errorCode == nil && message.unknownAttributes.isEmpty && message.u32(.mappedAddress) == nil)
    }
}

func parse(_ datagram: [UInt8]) throws(StunError) -> StunMessage { try StunMessage.parse(datagram.span.bytes) }

extension [UInt8] {
    func replacing(_ index: Int, with byte: UInt8) -> [UInt8] {
        var copy = self
        if indices.contains(index) { copy[index] = byte }
        return copy
    }
}
