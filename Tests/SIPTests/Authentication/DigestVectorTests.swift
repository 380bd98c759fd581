import Core
import Testing

@testable import SIP

struct DigestVectorTests {
    // RFC 2617 §3.5.
    @Test func rfc2617() {
        let computation = DigestComputation(
            algorithm: .md5, credentials: Credentials(username: "Mufasa", password: "Circle Of Life"), realm: "testrealm@host.com",
            nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093", qop: .auth, nonceCount: 1, cnonce: "0a4f113b", method: "GET", uri: "/dir/index.html")
        #expect(computation.response == "6629fae49393a05397450978507c4ef1")
    }

    // RFC 7616 §3.9.1.
    @Test(arguments: [
        (DigestAlgorithm.md5, "8ca523f5e9506fed4657c9700eebdbec"),
        (.sha256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ])
    func rfc7616(_ algorithm: DigestAlgorithm, _ expected: String) {
        let computation = DigestComputation(
            algorithm: algorithm, credentials: Credentials(username: "Mufasa", password: "Circle of Life"), realm: "http-auth@example.org",
            nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", qop: .auth, nonceCount: 1, cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
            method: "GET", uri: "/dir/index.html")
        #expect(computation.response == expected)
    }

    // RFC 7616 §3.9.2 with the values of its erratum 4897: the text computed them with a cut SHA-512.
    @Test func rfc7616SHA512_256() {
        let computation = DigestComputation(
            algorithm: .sha512_256, credentials: Credentials(username: "J\u{E4}s\u{F8}n Doe", password: "Secret, or not?"), realm: "api@example.org",
            nonce: "5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", qop: .auth, nonceCount: 1, cnonce: "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v",
            method: "GET", uri: "/doe.json")
        #expect(computation.hashedUsername == "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b")
        #expect(computation.response == "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5")
    }

    @Test func withoutQOPAndWithSessions() {
        var computation = DigestComputation(
            algorithm: .md5, credentials: Credentials(username: "bob", password: "zanzibar"), realm: "biloxi.com",
            nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093", qop: nil, nonceCount: 1, cnonce: "0a4f113b", method: "INVITE", uri: "sip:bob@biloxi.com")
        #expect(computation.response == "bf57e4e0d0bffc0fbaedce64d59add5e")
        computation.qop = .auth
        #expect(computation.response == "89eb0059246c02b2f6ee02c7961d5ea3")
        computation.qop = .authInt
        computation.body = Array("v=0\r\n".utf8)
        let withBody = computation.response
        computation.body = []
        #expect(withBody != nil && withBody != computation.response)
        let plain = computation.response
        computation.algorithm = .md5Session
        #expect(computation.response != plain)
    }
}
