import Core

/// Offer and answer (RFC 3264) as pure functions on values.
public enum Negotiation {}

/// An offer that can be taken, before our side of it exists.
public struct OfferEvaluation: Hashable, Sendable {
    public let offer: SessionDescription
    /// As if we wanted all that is offered; `sdes.local` is nil.
    public let media: NegotiatedMedia
    /// Video on audio's transport (RFC 9143). Nil: none is offered, or it cannot be used, or `AnswerPolicy.video` wants none.
    public let video: NegotiatedMedia?
    /// Why video that was offered is not used.
    public let issues: [NegotiationIssue]
    /// The sections of the answer's BUNDLE group, the tagged one first; empty without a group.
    let bundled: [Int]

    /// A section for video is in use, whether we take it or not.
    public var offersVideo: Bool { offer.offersVideo }

    /// The suite for which the answer needs a key.
    public var suite: CryptoSuite? { media.sdes?.suite }

    /// With DTLS: the suite of a crypto line beside the fingerprint, for which `LocalMedia.cryptoInAnswer` needs a key.
    public var suiteBesideDTLS: CryptoSuite? {
        media.dtls == nil ? nil : offer.section(media.index)?.cryptos.lazy.compactMap(\.suite).first
    }
}

/// Our answer and what it came to.
public struct NegotiatedAnswer: Hashable, Sendable {
    public let description: SessionDescription
    public let media: NegotiatedMedia
    public let video: NegotiatedMedia?
}

/// What the answer to an offer of ours came to.
public struct NegotiatedSession: Hashable, Sendable {
    public var audio: NegotiatedMedia
    /// Nil: none was offered, or it was refused, or it cannot be used.
    public var video: NegotiatedMedia?
    /// Why video that was answered is not used.
    public var issues: [NegotiationIssue]

    public init(audio: NegotiatedMedia, video: NegotiatedMedia? = nil, issues: [NegotiationIssue] = []) {
        self.audio = audio
        self.video = video
        self.issues = issues
    }
}

/// Why video is not used in a session that goes on without it.
public enum NegotiationIssue: Hashable, Sendable, CustomStringConvertible {
    /// The peer has it on a transport of its own, and we have only one.
    case videoNotBundled
    case videoUnusable(NegotiationError)
    /// One payload type stands for audio and for video on one transport (RFC 9143 §9.1).
    case videoPayloadTypeTaken(UInt8)

    public var description: String {
        switch self {
        case .videoNotBundled: "the peer's video does not share audio's transport (BUNDLE)"
        case .videoUnusable(let error): "video cannot be used: \(error)"
        case .videoPayloadTypeTaken(let payloadType): "payload type \(payloadType) stands for audio and for video"
        }
    }
}
