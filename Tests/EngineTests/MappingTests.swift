import Core
import Interface
import SIP
import Testing

@testable import Engine

@Suite struct MappingTests {
    /// The contract's table of outcomes by final status.
    @Test(arguments: [
        (200, Outcome.answered), (401, .unauthorized), (407, .unauthorized), (403, .declined), (486, .busy), (600, .busy), (603, .declined),
        (408, .noAnswer), (480, .noAnswer), (487, .noAnswer), (404, .notFound), (410, .notFound), (484, .notFound), (604, .notFound),
        (488, .notAcceptable), (415, .notAcceptable), (606, .notAcceptable), (302, .sipFailure), (400, .sipFailure), (500, .sipFailure),
        (503, .sipFailure),
    ])
    func outcomes(status: Int, outcome: Outcome) {
        #expect(OutcomeMapping.outcome(status: status, credentialsSent: false) == outcome)
    }

    @Test func forbiddenWithCredentialsIsUnauthorized() {
        #expect(OutcomeMapping.outcome(status: 403, credentialsSent: true) == .unauthorized)
    }

    @Test(arguments: [
        ("sip:bob@192.0.2.2", "sip:bob@192.0.2.2"), ("bob@example.org", "sip:bob@example.org"), ("  bob@example.org ", "sip:bob@example.org"),
        ("sips:bob@example.org", "sips:bob@example.org"), ("192.0.2.2:5080", "sip:192.0.2.2:5080"),
        ("sip:bob@[2001:db8::2]:5061;transport=tcp", "sip:bob@[2001:db8::2]:5061;transport=tcp"),
    ])
    func whatIsDialled(typed: String, uri: String) {
        #expect(Phone.target(typed)?.description == uri)
    }

    @Test(arguments: ["", "   ", "tel:+123", "http://example.org", "sip:", "sip:a@[::", "a b@example.org"]) func whatCannotBeDialled(typed: String) {
        #expect(Phone.target(typed) == nil)
    }

    @Test(arguments: [
        (SecurityPolicy.prefer, [SecurityMode.dtls, .sdes, .none], true), (.dtls, [.dtls], true), (.sdes, [.sdes], false), (.none, [.none], false),
    ])
    func steps(policy: SecurityPolicy, steps: [SecurityMode], acceptsIce: Bool) {
        var configuration = PhoneConfiguration()
        configuration.security = policy
        #expect(configuration.securitySteps == steps)
        #expect(configuration.acceptsIce == acceptsIce)
        #expect(configuration.offersIce(steps[0]) == acceptsIce)
        // A step down gives ICE up, unless a person asked for it.
        #expect(!configuration.offersIce(.none))
        configuration.ice = true
        #expect(configuration.offersIce(.none) && configuration.acceptsIce)
        configuration.ice = false
        #expect(!configuration.offersIce(.dtls) && !configuration.acceptsIce)
    }

    @Test func wallClock() {
        let clock = WallClock(origin: Instant(nanoseconds: 5_000_000_000), milliseconds: 1_790_000_000_000)
        #expect(clock.time(at: Instant(nanoseconds: 6_500_000_000)).milliseconds == 1_790_000_001_500)
        #expect(clock.time(at: .zero).milliseconds == 1_789_999_995_000)
        let ntp = clock.ntp(at: Instant(nanoseconds: 5_500_000_000))
        #expect(ntp >> 32 == 1_790_000_000 + 2_208_988_800)
        #expect(ntp & 0xFFFF_FFFF == 0x8000_0000)
    }
}
