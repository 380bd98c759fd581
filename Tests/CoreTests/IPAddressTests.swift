import Core
import Testing

struct IPAddressTests {
    /// Text in, canonical text out (RFC 5952 section 4; 5 for mapped addresses).
    @Test(
        arguments: [
            ("0.0.0.0", "0.0.0.0"), ("192.0.2.1", "192.0.2.1"), ("255.255.255.255", "255.255.255.255"), ("010.001.000.009", "10.1.0.9"),
            ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("0:0:0:0:0:0:0:0", "::"), ("[::1]", "::1"), ("[2001:db8::1]", "2001:db8::1"),
            ("2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"), ("2001:DB8::ABCD", "2001:db8::abcd"),
            // The longest run of zeros, the first one of equals, never a single group.
            ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"), ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
            ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"), ("0:0:3:4:5:6:0:0", "::3:4:5:6:0:0"),
            ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"), ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("::ffff:192.0.2.128", "::ffff:192.0.2.128"), ("::ffff:c000:280", "::ffff:192.0.2.128"), ("::192.0.2.1", "::c000:201"),
            ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
        ] as [(String, String)])
    func canonicalForm(text: String, canonical: String) {
        let address = IPAddress(text)
        #expect(address?.description == canonical)
        #expect(IPAddress(canonical) == address)
        #expect(address.flatMap { IPAddress(bytes: $0.bytes) } == address)
        #expect(address.flatMap { IPAddress($0.uriHost) } == address)
    }

    @Test(arguments: [
        "", " ", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.", ".1.2.3", "1..2.3", "1.2.3.-4", "+1.2.3.4", "1.2.3.4 ", " 1.2.3.4", "0001.2.3.4",
        "1.2.3.4a", "0x7f.0.0.1", "example.com", ":", ":::", "::1::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4::5:6:7:8",
        ":1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:", "12345::", "::g", "::+1", "::-0", "::-1", "::1%eth0", "fe80::1%1", "::1.2.3", "::1.2.3.256", "1.2.3.4::", "::1.2.3.4:5",
        "1:2:3:4:5:6:7:1.2.3.4", "[::1", "::1]", "[]", "[", "]", "[1.2.3.4]", "[[::1]]", "::1/64", "1.2.3.4:5060", "١.٢.٣.٤", "::\u{0}1",
        "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001",
    ])
    func refuses(text: String) {
        #expect(IPAddress(text) == nil)
    }

    struct Kind: Sendable {
        var text: String
        var isV4 = false
        var isUnspecified = false
        var isLoopback = false
        var isLinkLocal = false
        var isMulticast = false
    }

    @Test(arguments: [
        Kind(text: "0.0.0.0", isV4: true, isUnspecified: true), Kind(text: "::", isUnspecified: true),
        Kind(text: "127.0.0.1", isV4: true, isLoopback: true), Kind(text: "127.255.255.255", isV4: true, isLoopback: true),
        Kind(text: "128.0.0.1", isV4: true), Kind(text: "::1", isLoopback: true), Kind(text: "::2"), Kind(text: "1::1"),
        Kind(text: "169.254.0.1", isV4: true, isLinkLocal: true), Kind(text: "169.255.0.1", isV4: true), Kind(text: "fe80::1", isLinkLocal: true),
        Kind(text: "febf::1", isLinkLocal: true), Kind(text: "fec0::1"), Kind(text: "fe7f::1"),
        Kind(text: "224.0.0.1", isV4: true, isMulticast: true),
        Kind(text: "239.255.255.255", isV4: true, isMulticast: true), Kind(text: "240.0.0.1", isV4: true), Kind(text: "223.0.0.1", isV4: true),
        Kind(text: "ff02::1", isMulticast: true), Kind(text: "fe00::1"),
    ])
    func kinds(_ kind: Kind) throws {
        let address = try #require(IPAddress(kind.text))
        let found = [address.isV4, address.isUnspecified, address.isLoopback, address.isLinkLocal, address.isMulticast]
        #expect(found == [kind.isV4, kind.isUnspecified, kind.isLoopback, kind.isLinkLocal, kind.isMulticast])
        #expect(address.isV6 == !kind.isV4)
    }

    @Test func bytesAreInNetworkOrder() {
        #expect(IPAddress("192.0.2.1")?.bytes == [192, 0, 2, 1])
        #expect(IPAddress("2001:db8::1")?.bytes == [0x20, 1, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
        for count in [0, 1, 3, 5, 15, 17] { #expect(IPAddress(bytes: [UInt8](repeating: 1, count: count)) == nil) }
    }

    @Test func mappedAddressesAreUnmapped() {
        #expect(IPAddress("::ffff:192.0.2.1")?.unmapped == IPAddress("192.0.2.1"))
        #expect(IPAddress("::fffe:192.0.2.1")?.unmapped.isV6 == true)
        #expect(IPAddress("1::ffff:192.0.2.1")?.unmapped.isV6 == true)
        #expect(IPAddress("192.0.2.1")?.unmapped == IPAddress("192.0.2.1"))
    }

    @Test func namedAddresses() {
        #expect(IPAddress.anyV4.description == "0.0.0.0" && IPAddress.anyV6.description == "::")
        #expect(IPAddress.loopbackV4.description == "127.0.0.1" && IPAddress.loopbackV6.description == "::1")
        #expect(IPAddress.loopbackV6.uriHost == "[::1]" && IPAddress.loopbackV4.uriHost == "127.0.0.1")
    }
}

struct SocketAddressTests {
    @Test(
        arguments: [
            ("192.0.2.1:5060", "192.0.2.1:5060"), ("[2001:DB8::1]:5061", "[2001:db8::1]:5061"), ("0.0.0.0:0", "0.0.0.0:0"),
            ("[::]:65535", "[::]:65535"),
        ] as [(String, String)])
    func form(text: String, canonical: String) {
        let address = SocketAddress(text)
        #expect(address?.description == canonical)
        #expect(SocketAddress(canonical) == address)
    }

    @Test(arguments: [
        "", ":", "192.0.2.1", "192.0.2.1:", ":5060", "192.0.2.1:65536", "192.0.2.1:-1", "192.0.2.1:-0", "192.0.2.1:+5060", "192.0.2.1: 5060",
        "::1:5060",
        "[::1]", "[::1]5060", "[192.0.2.1]:5060", "example.com:5060", "192.0.2.1:5060:", "[::1]:5060x", "192.0.2.1:٥",
    ])
    func refuses(text: String) {
        #expect(SocketAddress(text) == nil)
    }
}
