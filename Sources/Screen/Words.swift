import Interface

/// A state for people: shape, word and role together, so that none stands alone.
struct Mark: Equatable {
    var shape: String
    var word: String
    var role: Role

    var text: String { shape + " " + word }
    var span: Span { Span(text, role) }
}

extension CallSnapshot {
    var stateMark: Mark {
        switch state {
        case .calling: isWaiting ? Mark(shape: "▶", word: "incoming", role: .warning) : Mark(shape: "◌", word: "calling", role: .warning)
        case .ringing: isWaiting ? Mark(shape: "▶", word: "incoming", role: .warning) : Mark(shape: "◌", word: "ringing", role: .warning)
        case .early: isWaiting ? Mark(shape: "▶", word: "incoming", role: .warning) : Mark(shape: "◐", word: "early media", role: .warning)
        case .answered: Mark(shape: "◑", word: "answered", role: .warning)
        case .media: Mark(shape: "●", word: "connected", role: .good)
        case .held: Mark(shape: "‖", word: heldWord, role: .warning)
        case .ended: Mark(shape: "✕", word: "ended", role: .bad)
        }
    }

    private var heldWord: String {
        switch heldBy {
        case .local: "held by you"
        case .remote: "held by peer"
        case .both: "held by both"
        case nil: "held"
        }
    }

    private var dtlsTransports: [TransportStatistics] { transports.filter { $0.dtlsState != "none" } }

    /// How media is protected. "verified" only when every DTLS transport's certificate matched the signalled fingerprint.
    var securityMark: Mark {
        switch security {
        case nil:
            return Mark(shape: "◌", word: "security not known yet", role: .dim)
        case .dtls?:
            let transports = dtlsTransports
            if transports.contains(where: { $0.dtlsState == "failed" }) { return Mark(shape: "✕", word: "DTLS-SRTP failed", role: .bad) }
            if transports.contains(where: { $0.remoteFingerprint?.verified == false && $0.dtlsState == "connected" }) {
                return Mark(shape: "✕", word: "DTLS-SRTP, not verified", role: .bad)
            }
            let verified = !transports.isEmpty && transports.allSatisfy { $0.dtlsState == "connected" && $0.remoteFingerprint?.verified == true }
            if verified { return Mark(shape: "■", word: "DTLS-SRTP verified", role: .good) }
            return Mark(shape: "◌", word: isWaiting ? "DTLS-SRTP offered" : "DTLS-SRTP, not verified yet", role: .warning)
        case .sdes?:
            if keysInClear { return Mark(shape: "▲", word: "SDES – keys in clear", role: .warning) }
            return Mark(shape: "◆", word: isWaiting ? "SDES offered" : "SDES", role: .good)
        case .some(.none):
            return Mark(shape: "✕", word: "not encrypted", role: .bad)
        }
    }

    static let downgradeMark = Mark(shape: "▲", word: "downgraded: less secure than asked", role: .warning)

    /// Time since the answer; before it, since the start.
    func timer(now: WallTime) -> String { Format.duration(from: answeredAt ?? startedAt, to: now) }
}

extension AccountSnapshot {
    var mark: Mark {
        switch state {
        case .registered: Mark(shape: "●", word: "registered", role: .good)
        case .registering: Mark(shape: "◌", word: "registering", role: .warning)
        case .failed: Mark(shape: "✕", word: status.map { "failed (\($0))" } ?? "failed", role: .bad)
        case .unregistered: Mark(shape: "○", word: "not registered", role: .dim)
        }
    }

    /// The address without its scheme.
    var shortName: String {
        for scheme in ["sip:", "sips:"] where uri.hasPrefix(scheme) { return String(uri.dropFirst(scheme.count)) }
        return uri.isEmpty ? id.name : uri
    }
}

extension Notice {
    var mark: Mark {
        switch severity {
        case .message: Mark(shape: "·", word: message, role: .text)
        case .warning: Mark(shape: "▲", word: "warning: " + message, role: .warning)
        case .error: Mark(shape: "✕", word: "error: " + message, role: .bad)
        }
    }
}

extension Outcome {
    /// For the history.
    var mark: Mark {
        switch self {
        case .answered: Mark(shape: "●", word: "answered", role: .good)
        case .noAnswer, .busy, .declined: Mark(shape: "○", word: word, role: .warning)
        default: Mark(shape: "✕", word: word, role: .bad)
        }
    }
}
