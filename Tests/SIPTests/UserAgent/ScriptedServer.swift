import Core

@testable import SIP

/// A registrar and next hop that asks for a digest, by hand.
final class ScriptedServer {
    enum Mode { case server, proxy }

    let script: Script
    let credentials: Credentials
    let realm: String
    let mode: Mode
    var nonce = "nonce-1"
    /// Says `stale=true` to right credentials with an old nonce.
    var saysStale = true
    var minimumExpires: UInt32 = 0
    /// Answers these statuses first, one a request.
    var refusals: [Int] = []
    var grantedExpires: UInt32?
    /// Header fields of each 200 to REGISTER.
    var extra: [(HeaderName, String)] = []
    private(set) var bindings: [SIPURI: UInt32] = [:]

    init(_ script: Script, _ credentials: Credentials, realm: String = "example", mode: Mode = .server) {
        self.script = script
        self.credentials = credentials
        self.realm = realm
        self.mode = mode
        script.react = { message in
            guard case .request(let request) = message, request.method != .ack else { return [] }
            return [self.answer(request).serialize()]
        }
    }

    private func answer(_ request: SIPRequest) -> SIPResponse {
        if !refusals.isEmpty { return SIPResponse(to: request, status: refusals.removeFirst(), toTag: "server") }
        let (isRight, isCurrent) = check(request)
        guard isRight, isCurrent else { return challenge(request, stale: isRight && saysStale) }
        var response = SIPResponse(to: request, status: 200, toTag: "server")
        guard request.method == .register else {
            response.headers.add(.contact, "<sip:bob@\(script.address)>")
            return response
        }
        let expires = request.headers.expires ?? 3600
        if expires > 0, expires < minimumExpires {
            response = SIPResponse(to: request, status: 423, toTag: "server")
            response.headers.minExpires = minimumExpires
            return response
        }
        let granted = expires == 0 ? 0 : grantedExpires ?? expires
        for contact in request.headers.contacts { bindings[contact.uri] = granted }
        // Somebody else's binding comes first: ours is the one that counts.
        response.headers.add(.contact, "<sip:other@192.0.2.77>;expires=5")
        for contact in request.headers.contacts { response.headers.add(.contact, "\(contact);expires=\(granted)") }
        for (name, value) in extra { response.headers.add(name, value) }
        return response
    }

    private func challenge(_ request: SIPRequest, stale: Bool) -> SIPResponse {
        var response = SIPResponse(to: request, status: mode == .server ? 401 : 407, toTag: "server")
        let name: HeaderName = mode == .server ? .wwwAuthenticate : .proxyAuthenticate
        response.headers.add(name, "Digest realm=\"\(realm)\", nonce=\"\(nonce)\", qop=\"auth\", algorithm=SHA-256\(stale ? ", stale=true" : "")")
        return response
    }

    private func check(_ request: SIPRequest) -> (isRight: Bool, isCurrent: Bool) {
        let name: HeaderName = mode == .server ? .authorization : .proxyAuthorization
        guard let line = request.headers.first(name), let given = AuthenticationParameters.parse(line).first, let nonce = given["nonce"] else {
            return (false, false)
        }
        let computation = DigestComputation(
            algorithm: .sha256, credentials: credentials, realm: realm, nonce: nonce, qop: .auth,
            nonceCount: UInt32(given["nc"] ?? "", radix: 16) ?? 0, cnonce: given["cnonce"] ?? "", method: request.method.rawValue,
            uri: given["uri"] ?? "")
        return (computation.response == given["response"], nonce == self.nonce)
    }
}

extension Script {
    /// A request of a stranger.
    func request(
        _ method: String, _ uri: String, branch: String? = "z9hG4bKstranger", callID: String = "stranger", cSeq: Int = 1, fromTag: String = "st",
        toTag: String? = nil, extra: [String] = [], body: String = ""
    ) -> [UInt8] {
        var lines = ["\(method) \(uri) SIP/2.0"]
        lines.append("Via: SIP/2.0/UDP \(address);rport\(branch.map { ";branch=\($0)" } ?? "")")
        lines.append("From: <sip:stranger@\(address)>;tag=\(fromTag)")
        lines.append("To: <\(uri)>\(toTag.map { ";tag=\($0)" } ?? "")")
        lines.append("Call-ID: \(callID)")
        lines.append("CSeq: \(cSeq) \(method)")
        lines.append("Contact: <sip:stranger@\(address)>")
        lines.append("Max-Forwards: 0")
        if !body.isEmpty, !extra.contains(where: { $0.hasPrefix("Content-Type") }) { lines.append("Content-Type: application/sdp") }
        lines += extra
        lines.append("Content-Length: \(body.utf8.count)")
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n" + body).utf8)
    }
}
