import Core

/// Offer and answer (RFC 3264) as pure functions on values.
public enum Negotiation {}

/// An offer that can be taken, before our side of it exists.
public struct OfferEvaluation: Hashable, Sendable {
    public let offer: SessionDescription
    /// As if we wanted all that is offered; `sdes.local` is nil.
    public let media: NegotiatedMedia

    /// The suite for which the answer needs a key.
    public var suite: CryptoSuite? { media.sdes?.suite }
}

/// Our answer and what it came to.
public struct NegotiatedAnswer: Hashable, Sendable {
    public let description: SessionDescription
    public let media: NegotiatedMedia
}
