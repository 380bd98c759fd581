import Core

/// The client's side of digest authentication (RFC 3261 §22): keeps the nonces of each server and writes Authorization and
/// Proxy-Authorization. To whom the credentials may go is the caller's decision.
public struct DigestAuthenticator: Sendable {
    public enum Outcome: Sendable, Equatable {
        /// The request to send again: credentials are in it; its CSeq and branch are still those of the refused one.
        case retry(SIPRequest)
        /// The credentials are wrong, or the server asks for ever.
        case refused
        /// No challenge that can be answered: another scheme, an unknown algorithm.
        case unsupported
    }

    private struct Key: Hashable, Sendable {
        var server: String
        var source: DigestChallenge.Source
        var realm: String
    }

    private struct Session: Sendable {
        var challenge: DigestChallenge
        var nonceCount: UInt32 = 0
        /// Kept for the `-sess` algorithms, whose secret holds it.
        var cnonce: String
    }

    /// One request and its repetitions, which share Call-ID and method and count CSeq up by one.
    private struct Chain: Sendable {
        var callID: String
        var method: SIPMethod
        var lastNumber: UInt32
        var total = 0
        var perRealm: [Key: Int] = [:]
    }

    private static let maximumSessions = 16
    private static let maximumChains = 64
    private static let maximumTries = 2
    private static let maximumTotal = 6

    public var credentials: Credentials
    private var sessions: [(key: Key, session: Session)] = []
    private var chains: [Chain] = []

    public init(credentials: Credentials) { self.credentials = credentials }

    /// Answers the challenges of a 401 or 407.
    ///
    /// The first challenge to a request is always answered, since cached credentials may just be old; the next one in a row
    /// only when it says `stale`; a third never.
    /// - Parameters: request: as it was sent; server: whose nonces these are, e.g. the account's registrar or proxy.
    public mutating func answer(
        _ response: SIPResponse, to request: SIPRequest, server: String = "", random: RandomSource
    ) -> Outcome {
        let challenges = DigestChallenge.strongest(DigestChallenge.challenges(in: response.headers))
        guard !challenges.isEmpty else { return .unsupported }
        guard note(challenges, request, server) else {
            for challenge in challenges { forget(key(challenge, server)) }
            return .refused
        }
        var retry = request
        for challenge in challenges {
            store(Session(challenge: challenge, cnonce: random.token(22)), for: key(challenge, server))
            guard write(key(challenge, server), into: &retry, random: random) else { return .unsupported }
        }
        return .retry(retry)
    }

    /// Adds credentials for nonces that the server gave before, so that it need not ask again. Does nothing without any.
    public mutating func authorize(_ request: inout SIPRequest, server: String = "", random: RandomSource) {
        // CANCEL and ACK cannot be challenged and repeated; they carry what their INVITE carried.
        guard request.method != .ack, request.method != .cancel else { return }
        for entry in sessions where entry.key.server == server { _ = write(entry.key, into: &request, random: random) }
    }

    /// Takes the `nextnonce` of a 2xx (RFC 7616 §3.5).
    public mutating func noteSuccess(_ response: SIPResponse, server: String = "") {
        guard let line = response.headers.first(.authenticationInfo) else { return }
        guard let next = AuthenticationParameters.parse(line).first?["nextnonce"], !next.isEmpty else { return }
        for i in sessions.indices where sessions[i].key.server == server && sessions[i].key.source == .server {
            sessions[i].session.challenge.nonce = next
            sessions[i].session.nonceCount = 0
        }
    }

    /// Forgets all nonces and tries, as after a change of the password.
    public mutating func reset() {
        sessions = []
        chains = []
    }

    private func key(_ challenge: DigestChallenge, _ server: String) -> Key {
        Key(server: server, source: challenge.source, realm: challenge.realm)
    }

    private mutating func store(_ session: Session, for key: Key) {
        forget(key)
        if sessions.count >= DigestAuthenticator.maximumSessions { sessions.removeFirst() }
        sessions.append((key, session))
    }

    private mutating func forget(_ key: Key) { sessions.removeAll { $0.key == key } }

    /// Counts the challenges of one request; false when it is time to give up.
    private mutating func note(_ challenges: [DigestChallenge], _ request: SIPRequest, _ server: String) -> Bool {
        let callID = request.headers.callID ?? ""
        let number = request.headers.cSeq?.number ?? 0
        var chain = Chain(callID: callID, method: request.method, lastNumber: number)
        if let i = chains.firstIndex(where: { $0.callID == callID && $0.method == request.method }) {
            let old = chains.remove(at: i)
            if number == old.lastNumber || number == old.lastNumber &+ 1 { chain = old }
        }
        chain.lastNumber = number
        chain.total += 1
        var isAcceptable = chain.total <= DigestAuthenticator.maximumTotal
        for challenge in challenges {
            let count = (chain.perRealm[key(challenge, server)] ?? 0) + 1
            chain.perRealm[key(challenge, server)] = count
            if count > DigestAuthenticator.maximumTries || (count > 1 && !challenge.isStale) { isAcceptable = false }
        }
        if isAcceptable {
            if chains.count >= DigestAuthenticator.maximumChains { chains.removeFirst() }
            chains.append(chain)
        }
        return isAcceptable
    }
}

extension DigestAuthenticator {
    /// Writes the credentials of one session, in the place of older ones for its realm. False when they cannot be computed.
    private mutating func write(_ key: Key, into request: inout SIPRequest, random: RandomSource) -> Bool {
        guard let i = sessions.firstIndex(where: { $0.key == key }), let algorithm = sessions[i].session.challenge.algorithm else { return false }
        if sessions[i].session.nonceCount > 0, !algorithm.isSession { sessions[i].session.cnonce = random.token(22) }
        sessions[i].session.nonceCount &+= 1
        let session = sessions[i].session
        let computation = DigestComputation(
            algorithm: algorithm, credentials: credentials, realm: session.challenge.realm, nonce: session.challenge.nonce,
            qop: session.challenge.chosenQOP, nonceCount: session.nonceCount, cnonce: session.cnonce,
            method: request.method.rawValue, uri: request.uri.description, body: request.body)
        guard let value = DigestAuthenticator.fieldValue(computation, session.challenge) else { return false }
        let name = key.source.credentialsName
        let others = request.headers.all(name).filter { line in
            AuthenticationParameters.parse(line).first?["realm"] != session.challenge.realm
        }
        request.headers.set(name, all: others + [value])
        return true
    }

    /// The value of Authorization or Proxy-Authorization (RFC 7616 §3.4, RFC 3261 §22.4); nil when the hash is refused.
    static func fieldValue(_ computation: DigestComputation, _ challenge: DigestChallenge) -> String? {
        guard let response = computation.response else { return nil }
        var username = computation.credentials.username
        if challenge.usesHashedUsername {
            guard let hashed = computation.hashedUsername else { return nil }
            username = hashed
        }
        var parts = ["username=\(SIPSyntax.quoted(username))", "realm=\(SIPSyntax.quoted(challenge.realm))"]
        parts.append("nonce=\(SIPSyntax.quoted(challenge.nonce))")
        parts.append("uri=\(SIPSyntax.quoted(computation.uri))")
        parts.append("response=\"\(response)\"")
        if challenge.algorithmName != nil { parts.append("algorithm=\(computation.algorithm.rawValue)") }
        if let qop = computation.qop {
            parts.append("cnonce=\(SIPSyntax.quoted(computation.cnonce))")
            parts.append("qop=\(qop.rawValue)")
            parts.append("nc=\(computation.nonceCountText)")
        } else if computation.algorithm.isSession {
            parts.append("cnonce=\(SIPSyntax.quoted(computation.cnonce))")
        }
        if let opaque = challenge.opaque { parts.append("opaque=\(SIPSyntax.quoted(opaque))") }
        if challenge.usesHashedUsername { parts.append("userhash=true") }
        return "Digest " + parts.joined(separator: ", ")
    }
}
