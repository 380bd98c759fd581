import Core
import Digest
import Testing

/// Published vectors: RFC 1321 appendix A.5 for MD5, the examples of FIPS 180-4 for the SHA family, RFC 2202 and 4231 for HMAC.
struct HashTests {
    struct Vector: Sendable {
        var algorithm: HashAlgorithm
        var message: String
        var hash: String
    }

    static let empty = ""
    static let short = "abc"
    static let block = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
    static let twoBlocks =
        "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijk"
        + "lmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"
    static let digits = String(repeating: "1234567890", count: 8)

    static let vectors: [Vector] = [
        Vector(
            algorithm: .md5, message: empty,
            hash: "d41d8cd98f00b204e9800998ecf8427e"),
        Vector(
            algorithm: .md5, message: short,
            hash: "900150983cd24fb0d6963f7d28e17f72"),
        Vector(
            algorithm: .md5, message: digits,
            hash: "57edf4a22be3c955ac49da2e2107b67a"),
        Vector(
            algorithm: .sha1, message: empty,
            hash: "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        Vector(
            algorithm: .sha1, message: short,
            hash: "a9993e364706816aba3e25717850c26c9cd0d89d"),
        Vector(
            algorithm: .sha1, message: block,
            hash: "84983e441c3bd26ebaae4aa1f95129e5e54670f1"),
        Vector(
            algorithm: .sha256, message: empty,
            hash: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        Vector(
            algorithm: .sha256, message: short,
            hash: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        Vector(
            algorithm: .sha256, message: block,
            hash: "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"),
        Vector(
            algorithm: .sha384, message: empty,
            hash: "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b"),
        Vector(
            algorithm: .sha384, message: short,
            hash: "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"),
        Vector(
            algorithm: .sha384, message: twoBlocks,
            hash: "09330c33f71147e83d192fc782cd1b4753111b173b3b05d22fa08086e3b0f712fcc7c71a557e2db966c3e9fa91746039"),
        Vector(
            algorithm: .sha512, message: empty,
            hash: "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f"
                + "63b931bd47417a81a538327af927da3e"),
        Vector(
            algorithm: .sha512, message: short,
            hash: "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd"
                + "454d4423643ce80e2a9ac94fa54ca49f"),
        Vector(
            algorithm: .sha512, message: twoBlocks,
            hash: "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018501d289e4900f7e4331b99dec4b5433a"
                + "c7d329eeb6dd26545e96e55b874be909"),
        Vector(
            algorithm: .sha512_256, message: empty,
            hash: "c672b8d1ef56ed28ab87c3622c5114069bdd3ad7b8f9737498d0c01ecef0967a"),
        Vector(
            algorithm: .sha512_256, message: short,
            hash: "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23"),
        Vector(
            algorithm: .sha512_256, message: twoBlocks,
            hash: "3928e184fb8690f840da3988121d31be65cb9d3ef83ee6146feac861e19b563a"),
    ]

    @Test(arguments: vectors)
    func hash(_ vector: Vector) {
        #expect(Digest.hash(vector.algorithm, vector.message.utf8).hexadecimal == vector.hash)
        #expect(vector.algorithm.byteCount * 2 == vector.hash.utf8.count)
    }

    /// FIPS 180-4's long message: a million times "a".
    @Test func aMillionLetters() {
        let message = [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000)
        #expect(Digest.hash(.sha1, message).hexadecimal == "34aa973cd4c4daa4f61eeb2bdbad27316534016f")
        #expect(Digest.hash(.sha256, message).hexadecimal == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    @Test func aSliceIsHashedFromItsStart() {
        let bytes = Array("xxabcyy".utf8)
        #expect(Digest.hash(.md5, bytes[2..<5]) == Digest.hash(.md5, "abc".utf8))
    }

    @Test(
        arguments: [
            ("", 0), ("a", 0xE8B7_BE43), ("123456789", 0xCBF4_3926), ("The quick brown fox jumps over the lazy dog", 0x414F_A339),
            ("\u{0}\u{0}\u{0}\u{0}", 0x2144_DF1C),
        ] as [(String, UInt32)])
    func crc32(text: String, value: UInt32) {
        #expect(Digest.crc32(text.utf8) == value)
    }

    @Test(
        arguments: [
            ([], [], true), ([1], [1], true), ([1, 2, 3], [1, 2, 3], true), ([1], [], false), ([], [1], false), ([1, 2, 3], [1, 2, 4], false),
            ([1, 2, 3], [129, 2, 3], false), ([1, 2], [1, 2, 0], false), ([1, 2], [2, 1], false),
        ] as [([UInt8], [UInt8], Bool)])
    func equal(a: [UInt8], b: [UInt8], isEqual: Bool) {
        #expect(Digest.equal(a, b) == isEqual)
    }
}
