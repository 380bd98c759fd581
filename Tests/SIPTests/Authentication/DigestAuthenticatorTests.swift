import Core
import Testing

@testable import SIP

struct DigestAuthenticatorTests {
    private func request(_ number: UInt32 = 1, callID: String = "c") -> SIPRequest {
        var headers = SIPHeaders()
        headers.callID = callID
        headers.cSeq = CSeq(number, .register)
        return SIPRequest(method: .register, uri: SIPURI(host: .name("example.com")), headers: headers)
    }

    private func challenge(_ lines: [String], _ name: HeaderName = .wwwAuthenticate) -> SIPResponse {
        var response = SIPResponse(status: name == .wwwAuthenticate ? 401 : 407)
        for line in lines { response.headers.add(name, line) }
        return response
    }

    private func parameters(_ outcome: DigestAuthenticator.Outcome, _ name: HeaderName = .authorization) -> AuthenticationParameters? {
        guard case .retry(let request) = outcome, let line = request.headers.first(name) else { return nil }
        return AuthenticationParameters.parse(line).first
    }

    private let credentials = Credentials(username: "alice", password: "secret")

    @Test func strongestAlgorithmIsChosen() {
        var authenticator = DigestAuthenticator(credentials: credentials)
        let lines = [
            "Digest realm=\"r\", nonce=\"1\", algorithm=MD5, qop=\"auth,auth-int\", "
                + "Digest realm=\"r\",nonce=\"2\",algorithm=SHA-512-256,qop=\"auth\"",
            "Digest realm=\"r\", nonce=\"3\", algorithm=sha-256", "Digest realm=\"r\", nonce=\"4\", algorithm=SHA3", "Basic realm=\"r\"",
        ]
        let out = parameters(authenticator.answer(challenge(lines), to: request(), random: RandomSource(seed: 1)))
        #expect(out?["nonce"] == "2" && out?["algorithm"] == "SHA-512-256" && out?["qop"] == "auth" && out?["nc"] == "00000001")
        #expect(out?["uri"] == "sip:example.com" && out?["username"] == "alice" && out?["response"]?.count == 64)
    }

    @Test func qopAndItsAbsence() {
        var authenticator = DigestAuthenticator(credentials: credentials)
        let random = RandomSource(seed: 1)
        let old = parameters(authenticator.answer(challenge(["Digest realm=\"r\",nonce=\"1\",opaque=\"\""]), to: request(), random: random))
        #expect(old?.parameters.contains("qop") == false && old?.parameters.contains("algorithm") == false)
        #expect(old?.parameters.contains("opaque") == true)
        let integrity = challenge(["Digest realm=\"r\",nonce=\"1\",qop=\"auth-int\""])
        #expect(parameters(authenticator.answer(integrity, to: request(9), random: random))?["qop"] == "auth-int")
        #expect(authenticator.answer(challenge(["Digest realm=\"r\",nonce=\"1\",qop=\"token\""]), to: request(20), random: random) == .unsupported)
        #expect(authenticator.answer(challenge(["Basic realm=\"r\""]), to: request(30), random: random) == .unsupported)
        #expect(authenticator.answer(challenge([]), to: request(40), random: random) == .unsupported)
    }

    @Test func wrongPasswordIsTriedOnce() {
        var authenticator = DigestAuthenticator(credentials: credentials)
        let random = RandomSource(seed: 1)
        #expect(parameters(authenticator.answer(challenge(["Digest realm=\"r\",nonce=\"1\""]), to: request(1), random: random)) != nil)
        #expect(authenticator.answer(challenge(["Digest realm=\"r\",nonce=\"2\""]), to: request(2), random: random) == .refused)
    }

    @Test func staleIsTriedAgainButNotForEver() {
        var authenticator = DigestAuthenticator(credentials: credentials)
        let random = RandomSource(seed: 1)
        let stale = challenge(["Digest realm=\"r\",nonce=\"2\",stale=TRUE"])
        #expect(parameters(authenticator.answer(stale, to: request(1), random: random)) != nil)
        #expect(parameters(authenticator.answer(stale, to: request(2), random: random)) != nil)
        #expect(authenticator.answer(stale, to: request(3), random: random) == .refused)
    }

    @Test func cachedNoncesCountAndMayExpire() {
        var authenticator = DigestAuthenticator(credentials: credentials)
        let random = RandomSource(seed: 1)
        let first = challenge(["Digest realm=\"r\",nonce=\"1\",qop=\"auth\""])
        let one = parameters(authenticator.answer(first, to: request(1), server: "s", random: random))
        var next = request(3)
        authenticator.authorize(&next, server: "s", random: random)
        let two = next.headers.first(.authorization).flatMap { AuthenticationParameters.parse($0).first }
        #expect(two?["nc"] == "00000002" && two?["cnonce"] != one?["cnonce"] && two?["response"] != one?["response"])
        var stranger = request(3)
        authenticator.authorize(&stranger, server: "other", random: random)
        #expect(stranger.headers.first(.authorization) == nil)
        // The server forgot the nonce and says so without `stale`.
        let again = authenticator.answer(challenge(["Digest realm=\"r\",nonce=\"9\",qop=\"auth\""]), to: next, server: "s", random: random)
        #expect(parameters(again)?["nonce"] == "9" && parameters(again)?["nc"] == "00000001")
        if case .retry(let retry) = again { #expect(retry.headers.count(of: .authorization) == 1) }
    }

    @Test func nextNonce() {
        var authenticator = DigestAuthenticator(credentials: credentials)
        let random = RandomSource(seed: 1)
        _ = authenticator.answer(challenge(["Digest realm=\"r\",nonce=\"1\",qop=\"auth\""]), to: request(), random: random)
        var ok = SIPResponse(status: 200)
        ok.headers.add(.authenticationInfo, "nextnonce=\"n2\", qop=auth")
        authenticator.noteSuccess(ok)
        var next = request(2)
        authenticator.authorize(&next, random: random)
        #expect(next.headers.first(.authorization)?.contains("nonce=\"n2\"") == true)
        #expect(next.headers.first(.authorization)?.contains("nc=00000001") == true)
    }

    @Test func proxyAndServerInOneRequest() {
        var authenticator = DigestAuthenticator(credentials: credentials)
        let random = RandomSource(seed: 1)
        let proxy = authenticator.answer(challenge(["Digest realm=\"p\",nonce=\"1\""], .proxyAuthenticate), to: request(1), random: random)
        guard case .retry(var second) = proxy else {
            Issue.record("no retry")
            return
        }
        second.headers.cSeq = CSeq(2, .register)
        let both = authenticator.answer(challenge(["Digest realm=\"r\",nonce=\"2\""]), to: second, random: random)
        #expect(parameters(both, .proxyAuthorization)?["realm"] == "p" && parameters(both)?["realm"] == "r")
    }

    @Test func alternatingChallengesEnd() {
        var authenticator = DigestAuthenticator(credentials: credentials)
        let random = RandomSource(seed: 1)
        var tries = 0
        for number in 1...50 as ClosedRange<UInt32> {
            let response = challenge(["Digest realm=\"\(number)\",nonce=\"\(number)\",stale=true"])
            guard case .retry = authenticator.answer(response, to: request(number), random: random) else { break }
            tries += 1
        }
        #expect(tries < 10)
    }

    @Test func hashedNameAndQuotes() {
        var authenticator = DigestAuthenticator(credentials: Credentials(username: "a\"b", password: "x"))
        let random = RandomSource(seed: 1)
        let plain = parameters(authenticator.answer(challenge(["Digest realm=\"q\\\"\",nonce=\"1\""]), to: request(), random: random))
        #expect(plain?["username"] == "a\"b" && plain?["realm"] == "q\"")
        let hashed = parameters(authenticator.answer(challenge(["Digest realm=\"r\",nonce=\"1\",userhash=true"]), to: request(5), random: random))
        #expect(hashed?["username"]?.count == 32 && hashed?["userhash"] == "true")
        #expect("\(credentials)" == "alice" && String(reflecting: credentials) == "alice")
    }
}
