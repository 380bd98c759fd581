/// The call's states, under the names of the outside contract.
public enum CallState: String, Sendable, Hashable, CaseIterable {
    case calling, ringing, early, answered, media, held, ended
}

public enum CallDirection: String, Sendable, Hashable { case outgoing, incoming }

public enum HeldBy: String, Sendable, Hashable { case local, remote, both }

/// How media of a call is protected, or was offered to be.
public enum SecurityMode: String, Sendable, Hashable { case none, sdes, dtls }

/// `--security`.
public enum SecurityPolicy: String, Sendable, Hashable, CaseIterable { case dtls, sdes, none, prefer }

/// Outcomes and exit codes of the outside contract.
public enum Outcome: String, Sendable, Hashable, CaseIterable {
    case answered
    case usage
    case unreachable
    case tlsFailed = "tls-failed"
    case unauthorized
    case busy
    case declined
    case noAnswer = "no-answer"
    case notFound = "not-found"
    case notAcceptable = "not-acceptable"
    case sipFailure = "sip-failure"
    case iceFailed = "ice-failed"
    case dtlsFailed = "dtls-failed"
    case fingerprintMismatch = "fingerprint-mismatch"
    case oneWay = "one-way"
    case mediaLost = "media-lost"
    case poorQuality = "poor-quality"
    case interruptedBySIGINT = "interrupted"
    case interruptedBySIGTERM = "interrupted-by-sigterm"

    public var exitCode: Int32 {
        switch self {
        case .answered: 0
        case .usage: 2
        case .unreachable: 10
        case .tlsFailed: 11
        case .unauthorized: 12
        case .busy: 13
        case .declined: 14
        case .noAnswer: 15
        case .notFound: 16
        case .notAcceptable: 17
        case .sipFailure: 18
        case .iceFailed: 20
        case .dtlsFailed: 21
        case .fingerprintMismatch: 22
        case .oneWay: 23
        case .mediaLost: 24
        case .poorQuality: 25
        case .interruptedBySIGINT: 130
        case .interruptedBySIGTERM: 143
        }
    }

    /// The word in JSON: both signals are "interrupted".
    public var word: String { self == .interruptedBySIGTERM ? Outcome.interruptedBySIGINT.rawValue : rawValue }
}
