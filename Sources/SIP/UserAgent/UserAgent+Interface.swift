import Core

extension UserAgent {
    /// A fact from the world, or a wish of the phone.
    public enum Input: Sendable {
        /// A socket is bound. Its address may be unspecified (0.0.0.0).
        case listening(SIPTransport, SocketAddress)
        /// A UDP socket to send from: no request outside a dialog is taken there, but from the servers of our accounts.
        case sendsOnly(SocketAddress)
        /// The answer to `.resolve`: in the order to try.
        case resolved(ResolutionID, [ResolvedTarget])
        case resolutionFailed(ResolutionID, String)
        case connected(ConnectionID, local: SocketAddress, remote: SocketAddress)
        case connectionFailed(ConnectionID, reason: ConnectionFailure)
        case closed(ConnectionID)
        /// A peer connected; `connection` is set.
        case accepted(SIPFlow)
        /// A browser's page that we served connected by WebSocket: it may call nobody but us, by this URI. `connection` is set.
        case acceptedGuest(SIPFlow, uri: SIPURI)
        /// ICMP said so.
        case unreachable(SIPTransport, SocketAddress)
        /// The machine's addresses now, without loopback: told when one came or went.
        case addressesChanged([IPAddress])

        case addAccount(SIPAccount)
        case register(String)
        case unregister(String)

        /// The session's identifier comes from `makeSessionID()`. Without a body the peer offers in its 2xx.
        case invite(SessionID, to: SIPURI, account: String?, body: [UInt8]?, contentType: String)
        /// After `.rejected`: the same Call-ID and From tag, next CSeq, new branch.
        case retry(SessionID, body: [UInt8]?)
        /// 101…199 to an incoming call.
        case provisional(SessionID, status: Int, body: [UInt8]?)
        /// 200 to an incoming call.
        case accept(SessionID, body: [UInt8]?)
        case reject(SessionID, status: Int, reason: String?)
        /// The ACK, when the offer came in the 2xx: `body` is the answer.
        case acknowledge(SessionID, body: [UInt8]?)
        case reoffer(SessionID, body: [UInt8]?)
        /// The answer (or, without an offer, our offer) to `.reoffered`. A status outside 200…299 refuses.
        case answerReoffer(SessionID, body: [UInt8]?, status: Int)
        /// CANCEL, BYE or 603, by state. `reason` becomes the text of a Reason header (RFC 3326).
        case hangUp(SessionID, reason: String?)
        /// An INFO of a package (RFC 6086). They leave in this order, one at a time, as soon as the dialog allows: the caller's with the
        /// first provisional response that makes a dialog, the callee's with the ACK.
        case sendInfo(SessionID, package: String, contentType: String, body: [UInt8])
        /// Ends all sessions, un-registers all accounts, refuses what comes.
        case shutdown
    }

    public enum Output: Sendable {
        case transmit(SIPTransmit)
        /// `serverName`: the name that TLS verifies.
        case connect(ConnectionID, SIPTransport, from: SocketAddress?, to: SocketAddress, serverName: String)
        case close(ConnectionID)
        case resolve(ResolutionID, ResolutionQuery)
        case event(UserAgentEvent)
        case trace(SIPTrace)
    }

    /// What is alive now: all zero after the timers of the last call. A registered account and an open connection hold one timer each.
    public struct Counts: Sendable, Equatable {
        public var clientTransactions = 0
        public var serverTransactions = 0
        public var dialogs = 0
        public var sessions = 0
        public var timers = 0
        /// Requests that wait for a resolver, a connection or a response.
        public var requests = 0
        public var connections = 0

        public var transactions: Int { clientTransactions + serverTransactions }
        public init() {}
    }

    /// What came in and led nowhere.
    public struct Strays: Sendable, Equatable {
        public var malformed = 0
        public var responses = 0
        public var acknowledgements = 0
        public var refusedTransactions = 0
        public var refusedConnections = 0
        /// Requests inside a dialog of TLS or WebSocket that came by another way.
        public var foreignFlow = 0
        /// Requests of guests that were for somebody else, or of methods that are not theirs.
        public var refusedGuests = 0
        public init() {}
    }
}
