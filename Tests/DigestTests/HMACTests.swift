import Core
import Digest
import Testing

/// RFC 2202 sections 2 and 3 (MD5, SHA-1), RFC 4231 section 4 (SHA-256, -384, -512).
struct HMACTests {
    struct Vector: Sendable {
        var algorithm: HashAlgorithm
        var key: [UInt8]
        var data: [UInt8]
        var code: String

        init(_ algorithm: HashAlgorithm, _ key: [UInt8], _ data: [UInt8], _ code: String) {
            self.algorithm = algorithm
            self.key = key
            self.data = data
            self.code = code
        }
    }

    private static func times(_ byte: UInt8, _ count: Int) -> [UInt8] { [UInt8](repeating: byte, count: count) }
    private static let counting = Array(1...25 as ClosedRange<UInt8>)
    private static let hello = Array("Hi There".utf8)
    private static let jefe = Array("Jefe".utf8)
    private static let question = Array("what do ya want for nothing?".utf8)
    private static let truncation = Array("Test With Truncation".utf8)
    private static let largeKey = Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8)
    private static let largeBoth = Array("Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data".utf8)
    private static let long = Array(
        ("This is a test using a larger than block-size key and a larger than block-size data. "
            + "The key needs to be hashed before being used by the HMAC algorithm.").utf8)

    static let vectors: [Vector] = [
        Vector(.md5, times(0x0B, 16), hello, "9294727a3638bb1c13f48ef8158bfc9d"),
        Vector(.md5, jefe, question, "750c783e6ab0b503eaa86e310a5db738"),
        Vector(.md5, times(0xAA, 16), times(0xDD, 50), "56be34521d144c88dbb8c733f0e8b3f6"),
        Vector(.md5, counting, times(0xCD, 50), "697eaf0aca3a3aea3a75164746ffaa79"),
        Vector(.md5, times(0x0C, 16), truncation, "56461ef2342edc00f9bab995690efd4c"),
        Vector(.md5, times(0xAA, 80), largeKey, "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd"),
        Vector(.md5, times(0xAA, 80), largeBoth, "6f630fad67cda0ee1fb1f562db3aa53e"),
        Vector(.sha1, times(0x0B, 20), hello, "b617318655057264e28bc0b6fb378c8ef146be00"),
        Vector(.sha1, jefe, question, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
        Vector(.sha1, times(0xAA, 20), times(0xDD, 50), "125d7342b9ac11cd91a39af48aa17b4f63f175d3"),
        Vector(.sha1, counting, times(0xCD, 50), "4c9007f4026250c6bc8414f9bf50c86c2d7235da"),
        Vector(.sha1, times(0x0C, 20), truncation, "4c1a03424b55e07fe7f27be1d58bb9324a9a5a04"),
        Vector(.sha1, times(0xAA, 80), largeKey, "aa4ae5e15272d00e95705637ce8a3b55ed402112"),
        Vector(.sha1, times(0xAA, 80), largeBoth, "e8e99d0f45237d786d6bbaa7965c7808bbff1a91"),
        Vector(
            .sha256, times(0x0B, 20), hello,
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        Vector(
            .sha256, jefe, question,
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        Vector(
            .sha256, times(0xAA, 20), times(0xDD, 50),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
        Vector(
            .sha256, counting, times(0xCD, 50),
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
        Vector(
            .sha256, times(0x0C, 20), truncation,
            "a3b6167473100ee06e0c796c2955552bfa6f7c0a6a8aef8b93f860aab0cd20c5"),
        Vector(
            .sha256, times(0xAA, 131), largeKey,
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
        Vector(
            .sha256, times(0xAA, 131), long,
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"),
        Vector(
            .sha384, times(0x0B, 20), hello,
            "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6"),
        Vector(
            .sha384, jefe, question,
            "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649"),
        Vector(
            .sha384, times(0xAA, 20), times(0xDD, 50),
            "88062608d3e6ad8a0aa2ace014c8a86f0aa635d947ac9febe83ef4e55966144b2a5ab39dc13814b94e3ab6e101a34f27"),
        Vector(
            .sha384, counting, times(0xCD, 50),
            "3e8a69b7783c25851933ab6290af6ca77a9981480850009cc5577c6e1f573b4e6801dd23c4a7d679ccf8a386c674cffb"),
        Vector(
            .sha384, times(0x0C, 20), truncation,
            "3abf34c3503b2a23a46efc619baef897f4c8e42c934ce55ccbae9740fcbc1af4ca62269e2a37cd88ba926341efe4aeea"),
        Vector(
            .sha384, times(0xAA, 131), largeKey,
            "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe8296248df163f44952"),
        Vector(
            .sha384, times(0xAA, 131), long,
            "6617178e941f020d351e2f254e8fd32c602420feb0b8fb9adccebb82461e99c5a678cc31e799176d3860e6110c46523e"),
        Vector(
            .sha512, times(0x0B, 20), hello,
            "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4"
                + "be9d914eeb61f1702e696c203a126854"),
        Vector(
            .sha512, jefe, question,
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fd"
                + "caeab1a34d4a6b4b636e070a38bce737"),
        Vector(
            .sha512, times(0xAA, 20), times(0xDD, 50),
            "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39bf3e848279a722c806b485a47e67c807"
                + "b946a337bee8942674278859e13292fb"),
        Vector(
            .sha512, counting, times(0xCD, 50),
            "b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3dba91ca5c11aa25eb4d679275cc5788063"
                + "a5f19741120c4f2de2adebeb10a298dd"),
        Vector(
            .sha512, times(0x0C, 20), truncation,
            "415fad6271580a531d4179bc891d87a650188707922a4fbb36663a1eb16da008711c5b50ddd0fc235084eb9d3364a145"
                + "4fb2ef67cd1d29fe6773068ea266e96b"),
        Vector(
            .sha512, times(0xAA, 131), largeKey,
            "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e52"
                + "95e64f73f63f0aec8b915a985d786598"),
        Vector(
            .sha512, times(0xAA, 131), long,
            "e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944b6022cac3c4982b10d5eeb55c3e4de15"
                + "134676fb6de0446065c97440fa8c6a58"),
    ]

    @Test(arguments: vectors)
    func hmac(_ vector: Vector) {
        #expect(Digest.hmac(vector.algorithm, key: vector.key, vector.data).hexadecimal == vector.code)
    }

    @Test func anEmptyKeyAndNoDataAreLegal() {
        #expect(Digest.hmac(.sha1, key: [], []).hexadecimal == "fbdb1d1b18aa6c08324b7d64b71fb76370690e1d")
        #expect(Digest.hmac(.sha256, key: [], []).hexadecimal == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
    }
}
