import Core
import Testing

struct BytesTests {
    static let edges = [Int.min, -9, -1, 0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 1 << 40, Int.max - 1, Int.max]

    /// Every reader at every boundary of buffers of 0 to 16 bytes, against the same value put together byte by byte.
    @Test(arguments: 0...16)
    func readersKnowTheirBounds(size: Int) {
        let bytes = (0..<size).map { 0xF0 &+ UInt8($0) &* 7 }
        let span = bytes.span.bytes
        for offset in BytesTests.edges + Array(0...16) {
            let expected = [1, 2, 4, 8].map { width -> UInt64? in
                guard offset >= 0, offset <= size, size - offset >= width else { return nil }
                return bytes[offset..<offset + width].reduce(0) { $0 << 8 | UInt64($1) }
            }
            let read = [
                span.u8(at: offset).map(UInt64.init), span.u16(at: offset).map(UInt64.init), span.u32(at: offset).map(UInt64.init),
                span.u64(at: offset),
            ]
            if read != expected { Issue.record("\(size) bytes, offset \(offset): \(read)") }
        }
    }

    @Test(arguments: 0...5)
    func copyKnowsItsBounds(size: Int) {
        let bytes = (0..<size).map { UInt8($0 + 1) }
        let span = bytes.span.bytes
        for offset in BytesTests.edges {
            for count in BytesTests.edges {
                let isInside = offset >= 0 && count >= 0 && offset <= size && count <= size - offset
                if span.copy(at: offset, count: count) != (isInside ? Array(bytes[offset..<offset + count]) : nil) {
                    Issue.record("\(size) bytes, \(count) at \(offset)")
                }
            }
        }
        #expect(span.copy() == bytes)
    }

    @Test func writerIsBigEndian() {
        var w = ByteWriter()
        w.u8(1)
        w.u16(0x0203)
        w.u24(0xFF04_0506)
        w.u32(0x0708_090A)
        w.u64(0x0B0C_0D0E_0F10_1112)
        w.append([0x13] as [UInt8])
        w.append("é")
        w.zeros(2)
        w.zeros(-1)
        #expect(w.bytes == Array(1...0x13) + [0xC3, 0xA9, 0, 0])
        #expect(w.count == 23)
    }

    @Test func writtenFieldsAreOverwrittenOnlyWhereTheyAre() {
        var w = ByteWriter()
        w.zeros(4)
        w.setU16(0x0102, at: 0)
        w.setU16(0x0304, at: 2)
        for offset in [-1, 3, 4, Int.min, .max, .max - 1] { w.setU16(0xFFFF, at: offset) }
        #expect(w.bytes == [1, 2, 3, 4])
        var empty = ByteWriter()
        empty.setU16(1, at: 0)
        #expect(empty.bytes.isEmpty)
    }

    @Test(
        arguments: [
            ("", []), ("00", [0]), ("ff0aB1", [255, 10, 177]), ("AB:cd:01", [0xAB, 0xCD, 1]), ("01 02\n03", [1, 2, 3]),
        ] as [(String, [UInt8])])
    func hexadecimal(text: String, expected: [UInt8]) {
        #expect(bytes(hexadecimal: text) == expected)
        #expect(bytes(hexadecimal: expected.hexadecimal) == expected)
    }

    @Test(arguments: ["0", "000", "0g", "a:b", "0 0", "a:bc", "01:2:34", "0x00", "-1", "é0"])
    func notHexadecimal(text: String) {
        #expect(bytes(hexadecimal: text) == nil)
    }

    @Test func hexadecimalIsLowerCase() {
        #expect(([0x00, 0x9F, 0xA0, 0xFF] as [UInt8]).hexadecimal == "009fa0ff")
    }
}
