import Core
import Digest
import ICE

/// Answers STUN Binding requests with the address they came from.
public final class StunServer: Host {
    public let name: String
    public let addresses: [IPAddress]
    unowned let simulation: Simulation
    public private(set) var answered = 0
    public var isSilent = false

    public init(_ name: String, _ ip: String, in simulation: Simulation) {
        self.name = name
        addresses = [IPAddress(ip)].compactMap { $0 }
        self.simulation = simulation
        simulation.add(self)
    }

    public var address: SocketAddress { SocketAddress(addresses.first ?? .anyV4, 3478) }

    public func receive(_ datagram: Datagram) {
        guard !isSilent, let request = try? StunMessage.parse(datagram.payload.span.bytes), request.messageClass == .request else { return }
        answered += 1
        var response = StunBuilder(.success, id: request.transactionID)
        response.add(.xorMappedAddress, xorAddress: datagram.source)
        simulation.send(Datagram(source: datagram.destination, destination: datagram.source, payload: response.finish()))
    }
}

/// A registrar with digest authentication (RFC 2617, MD5), that challenges INVITEs as well when it is asked to.
public final class Registrar {
    public enum Challenge: Int, Sendable {
        case unauthorized = 401
        case proxy = 407
    }

    public let peer: ScriptedPeer
    public let username: String
    public let password: String
    public var challenge = Challenge.unauthorized
    /// Where calls to registered users are answered; nil: 404.
    public var onInvite: ((ScriptedPeer, SIPText, SocketAddress) -> Void)?
    public var challengesInvites = false
    public var refusesAll = false
    /// Contact by address of record.
    public private(set) var bindings: [String: String] = [:]
    public private(set) var refusals = 0
    private let nonce = "n0123456789"

    public init(_ name: String, _ ip: String, username: String, password: String, in simulation: Simulation) {
        peer = ScriptedPeer(name, ip, in: simulation)
        self.username = username
        self.password = password
        peer.react = { [weak self] peer, text, from in self?.handle(peer, text, from) }
    }

    private func handle(_ peer: ScriptedPeer, _ text: SIPText, _ from: SocketAddress) {
        switch text.method {
        case "REGISTER":
            guard isAuthorized(text), !refusesAll else { return refuse(peer, text, from) }
            let aor = text["To"]?.filter { $0 != "<" && $0 != ">" } ?? ""
            let expires = text["Expires"] ?? "3600"
            if expires == "0" || text["Contact"]?.contains("expires=0") == true { bindings[aor] = nil } else { bindings[aor] = text["Contact"] }
            var ok = text.response(200, "OK", tag: "reg")
            if let contact = text["Contact"] { ok["Contact"] = "\(contact);expires=\(expires)" }
            peer.send(ok, to: from)
        case "INVITE":
            if challengesInvites, !isAuthorized(text) { return refuse(peer, text, from) }
            if let onInvite { onInvite(peer, text, from) } else { peer.send(text.response(404, "Not Found", tag: "reg"), to: from) }
        case "BYE": peer.send(text.response(200, "OK"), to: from)
        default: break
        }
    }

    private func refuse(_ peer: ScriptedPeer, _ text: SIPText, _ from: SocketAddress) {
        refusals += 1
        let status = challenge.rawValue
        var response = text.response(status, status == 401 ? "Unauthorized" : "Proxy Authentication Required", tag: "reg")
        response[status == 401 ? "WWW-Authenticate" : "Proxy-Authenticate"] = "Digest realm=\"sim\", nonce=\"\(nonce)\", algorithm=MD5"
        peer.send(response, to: from)
    }

    private func isAuthorized(_ text: SIPText) -> Bool {
        guard let header = text[challenge == .unauthorized ? "Authorization" : "Proxy-Authorization"] else { return false }
        var fields: [String: String] = [:]
        for part in header.dropFirst("Digest ".count).split(separator: ",") {
            let pieces = part.split(separator: "=", maxSplits: 1)
            guard pieces.count == 2 else { continue }
            fields[String(pieces[0].filter { $0 != " " })] = String(pieces[1].filter { $0 != "\"" })
        }
        let ha1 = md5("\(username):sim:\(password)")
        let ha2 = md5("\(text.method ?? ""):\(fields["uri"] ?? "")")
        let expected =
            fields["qop"].map { md5("\(ha1):\(nonce):\(fields["nc"] ?? ""):\(fields["cnonce"] ?? ""):\($0):\(ha2)") } ?? md5("\(ha1):\(nonce):\(ha2)")
        return fields["username"] == username && fields["response"] == expected
    }

    private func md5(_ text: String) -> String {
        Digest.hash(.md5, Array(text.utf8)).map { byte in
            let hex = String(byte, radix: 16)
            return hex.count == 1 ? "0" + hex : hex
        }.joined()
    }
}
