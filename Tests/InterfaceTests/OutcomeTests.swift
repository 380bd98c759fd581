import Interface
import Testing

struct OutcomeTests {
    /// The outside contract's table of exit codes.
    static let table: [(Outcome, String, Int32)] = [
        (.answered, "answered", 0), (.usage, "usage", 2), (.unreachable, "unreachable", 10), (.tlsFailed, "tls-failed", 11),
        (.unauthorized, "unauthorized", 12), (.busy, "busy", 13), (.declined, "declined", 14), (.noAnswer, "no-answer", 15),
        (.notFound, "not-found", 16),
        (.notAcceptable, "not-acceptable", 17), (.sipFailure, "sip-failure", 18), (.iceFailed, "ice-failed", 20), (.dtlsFailed, "dtls-failed", 21),
        (.fingerprintMismatch, "fingerprint-mismatch", 22), (.oneWay, "one-way", 23), (.mediaLost, "media-lost", 24),
        (.poorQuality, "poor-quality", 25),
        (.interruptedBySIGINT, "interrupted", 130), (.interruptedBySIGTERM, "interrupted", 143),
    ]

    @Test(arguments: table)
    func exitCode(outcome: Outcome, word: String, code: Int32) {
        #expect(outcome.exitCode == code)
        #expect(outcome.word == word)
    }

    @Test func theTableIsComplete() {
        #expect(Set(OutcomeTests.table.map(\.0)) == Set(Outcome.allCases))
        #expect(Set(Outcome.allCases.map(\.exitCode)).count == Outcome.allCases.count)
    }

    @Test func wordsOfTheContract() {
        #expect(CallState.allCases.map(\.rawValue) == ["calling", "ringing", "early", "answered", "media", "held", "ended"])
        #expect(SecurityPolicy.allCases.map(\.rawValue) == ["dtls", "sdes", "none", "prefer"])
        #expect(
            [RegistrationState.registering, .registered, .failed, .unregistered].map(\.rawValue) == [
                "registering", "registered", "failed", "unregistered",
            ])
        #expect([Severity.message, .warning, .error].map(\.rawValue) == ["message", "warning", "error"])
        #expect([DTMFDirection.incoming, .outgoing].map(\.rawValue) == ["in", "out"])
        #expect([HeldBy.local, .remote, .both].map(\.rawValue) == ["local", "remote", "both"])
    }
}
