import Core

/// What a user agent says about itself and how much it lets others create.
public struct UserAgentConfiguration: Sendable {
    /// The User-Agent and Server header.
    public var userAgent: String
    /// Calls at the same time; more get 486.
    public var maximumCalls: Int
    /// From of calls without an account; nil means `sip:sidetone@<local address>`.
    public var identity: SIPURI?
    public var displayName: String?
    /// Option tags of our Supported header, and what a Require may name.
    public var supported: [String]
    /// Server transactions at the same time; more get 503 without state.
    public var maximumServerTransactions: Int
    /// Server transactions of one address that is no server of an account: more get 503 while others are still served.
    public var maximumServerTransactionsPerSource: Int { max(16, maximumServerTransactions / 2) }
    /// Accepted connections at the same time; more are closed.
    public var maximumConnections: Int
    /// Accepted connections of one address: a further one takes the place of its oldest one without a call.
    public var maximumConnectionsPerSource: Int { max(4, maximumConnections / 16) }
    /// An accepted connection that brought no whole message is closed after this time.
    public var firstMessageLimit = Duration.seconds(32)
    /// An incoming call that nobody answered for so long gets 480.
    public var ringLimit: Duration
    /// An accepted connection without traffic is closed after this time.
    public var connectionIdleLimit: Duration
    public var timings: TransactionTimings
    /// Outbound proxy of calls without an account.
    public var proxy: SIPURI?
    /// `urn:uuid:…` of this installation, always the same (RFC 5626 §4.1). nil: no outbound, no `+sip.instance`.
    public var instanceID: String?
    /// Trickle ICE by INFO (RFC 8840): said in Supported and Recv-Info, and taken.
    public var trickle = true

    public init(
        userAgent: String = "Sidetone", maximumCalls: Int = 8, identity: SIPURI? = nil, displayName: String? = nil,
        supported: [String] = [], maximumServerTransactions: Int = 1000, maximumConnections: Int = 256,
        ringLimit: Duration = .seconds(300), connectionIdleLimit: Duration = .seconds(900), timings: TransactionTimings = TransactionTimings(),
        instanceID: String? = nil, trickle: Bool = true
    ) {
        self.userAgent = userAgent
        self.maximumCalls = maximumCalls
        self.identity = identity
        self.displayName = displayName
        self.supported = supported
        self.maximumServerTransactions = maximumServerTransactions
        self.maximumConnections = maximumConnections
        self.ringLimit = ringLimit
        self.connectionIdleLimit = connectionIdleLimit
        self.timings = timings
        self.instanceID = instanceID
        self.trickle = trickle
    }
}

/// An address of record and how to use it.
public struct SIPAccount: Sendable {
    public var id: String
    /// The address of record: From of its calls, To of its REGISTER.
    public var uri: SIPURI
    public var displayName: String?
    public var credentials: Credentials?
    /// Where to register; nil means the domain of `uri`.
    public var registrar: SIPURI?
    /// Outbound proxy: next hop of everything that this account sends outside of dialogs.
    public var proxy: SIPURI?
    public var expiresSeconds: Int

    public init(
        id: String, uri: SIPURI, displayName: String? = nil, credentials: Credentials? = nil, registrar: SIPURI? = nil, proxy: SIPURI? = nil,
        expiresSeconds: Int = 3600
    ) {
        self.id = id
        self.uri = uri
        self.displayName = displayName
        self.credentials = credentials
        self.registrar = registrar
        self.proxy = proxy
        self.expiresSeconds = expiresSeconds
    }
}
