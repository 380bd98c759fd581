import Core

/// One request of ours on its way: resolved, connected, sent, challenged, sent again, until its owner has an outcome.
struct Delivery {
    enum State {
        case resolving(ResolutionID)
        case connecting(ConnectionID)
        case sent(TransactionKey, Progress)
        /// An ACK that went out; kept to be repeated.
        case acknowledged(SIPFlow, [UInt8])
    }

    enum Progress {
        case calling
        /// CANCEL waits for the first provisional response (RFC 3261 §9.1).
        case cancelPending(reason: String?)
        case proceeding
        case cancelled
        /// An INVITE with a 2xx; more may come.
        case answered
    }

    var outgoing: OutgoingRequest
    var state: State
    /// Not tried yet.
    var targets: [ResolvedTarget] = []
    var current: ResolvedTarget?
    /// As it was sent last.
    var sent: SIPRequest?
    var flow: SIPFlow?
    /// How many connections died under the request.
    var reconnections = 0
    /// What an earlier target said: better than silence of a later one.
    var refusal: (response: SIPResponse, request: SIPRequest, flow: SIPFlow)?

    var hasCredentials: Bool {
        guard let headers = sent?.headers else { return false }
        return headers.contains(.authorization) || headers.contains(.proxyAuthorization)
    }
}

/// One connection of a stream transport.
struct Connection {
    enum State {
        case connecting(waiting: [RequestToken], queue: [[UInt8]])
        case open(SIPStreamFramer)
    }

    let transport: SIPTransport
    let remote: SocketAddress
    /// The name that TLS verified for us; nil for a connection that a peer opened.
    let serverName: String?
    /// A guest's connection: the one URI that it may call. nil for all others.
    var guestURI: SIPURI?
    var local: SocketAddress
    var state: State
    var lastUsed: Instant
    /// A whole message came by it.
    var hasSpoken = false

    var key: ConnectionKey { ConnectionKey(transport: transport, remote: remote, serverName: serverName) }

    var flow: SIPFlow { SIPFlow(transport: transport, local: local, remote: remote) }
}

/// Finds a connection to use again (RFC 3261 §18.1.1). With TLS the verified name belongs to it: a server that proved to be
/// a.example is not b.example, even at the same address (RFC 5922 §7.3). `alias` of RFC 5923 is neither asked for nor obeyed: it
/// would need client certificates, and outbound (RFC 5626) does better.
struct ConnectionKey: Hashable {
    let transport: SIPTransport
    let remote: SocketAddress
    let serverName: String?

    init(transport: SIPTransport, remote: SocketAddress, serverName: String?) {
        self.transport = transport
        self.remote = remote
        self.serverName = transport.isSecure ? serverName : nil
    }
}

/// An account and what was learned about its servers.
struct AccountState {
    var account: SIPAccount
    var authenticator: DigestAuthenticator?
    /// Realms that the account's own registrar or proxy named.
    var realms: Set<String> = []
    /// Where its own hosts resolved to.
    var addresses: Set<SocketAddress> = []

    init(_ account: SIPAccount) {
        self.account = account
        authenticator = account.credentials.map { DigestAuthenticator(credentials: $0) }
    }

    var registrar: SIPURI {
        var uri = account.registrar ?? account.uri
        uri.rawUser = nil
        uri.rawPassword = nil
        uri.headers = []
        return uri
    }

    /// True for the account's registrar, proxy and domain.
    func owns(_ host: SIPHost) -> Bool {
        host == account.uri.host || host == account.registrar?.host || host == account.proxy?.host
    }

    /// True for a next hop that is one of them, port included: another port of the same host may be somebody else's server.
    func owns(nextHop: SIPURI) -> Bool {
        let port = { (uri: SIPURI) in uri.port ?? (uri.isSecure ? 5061 : 5060) }
        return [account.uri, account.registrar, account.proxy].contains { own in
            own.map { $0.host == nextHop.host && port($0) == port(nextHop) } ?? false
        }
    }
}
