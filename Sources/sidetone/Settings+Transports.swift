import CPlatform
import Core
import Engine
import Glibc
import ICE
import Runtime
import SIP
import Secure

/// TLS, WebSocket, and what DTLS is allowed.
extension Settings {
    /// A TURN server by name.
    struct Relay: Sendable {
        var server: Server
        var transport: TurnServer.Transport
        var username = ""
        var password = ""
    }

    mutating func readTransports(_ choices: Choices) throws {
        if let given = choices.value("tls-ca") {
            let text = try Settings.file(given)
            do throws(IdentityError) {
                transports.trust = .authorities(try CertificateList(pem: text))
            } catch {
                throw given.error("no certificates in \(given.path)\(Settings.detail(error))")
            }
        }
        let certificate = choices.value("tls-certificate")
        if let key = choices.value("tls-key"), certificate == nil { throw key.error("needs --tls-certificate") }
        if let certificate { transports.identity = try identity(certificate, choices.value("tls-key")) }
        if let given = choices.all("listen").first(where: { $0.text.lowercased().hasPrefix("tls:") }), certificate == nil {
            throw given.error("tls needs --tls-certificate and --tls-key")
        }
        if let given = choices.value("ws-path") {
            guard given.text.hasPrefix("/"), given.text.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "#") }) else {
                throw given.error("\(quoted(given.text)) is not a path, e.g. /ws")
            }
            transports.webSocketPath = given.text
        }
    }

    /// The key may stand in the certificate's own file.
    private mutating func identity(_ certificate: Given, _ key: Given?) throws -> TLSIdentity {
        let text = try Settings.file(certificate)
        let keyText = try key.map(Settings.file) ?? text
        let keyPath = (key ?? certificate).path
        do throws(IdentityError) {
            let identity = try TLSIdentity(certificatePEM: text, keyPEM: keyText)
            if TextFile.isReadableByOthers(keyPath) {
                warnings.append(Warning(code: "key-file-open", message: "others may read \(Sanitiser.text(keyPath)): chmod 600 it"))
            }
            return identity
        } catch {
            switch error {
            case .noCertificate: throw certificate.error("no certificate in \(certificate.path)")
            case .noKey where key == nil: throw certificate.error("needs --tls-key: there is no key in \(certificate.path)")
            case .noKey: throw (key ?? certificate).error("no private key without a passphrase in \(keyPath)")
            case .keyMismatch: throw (key ?? certificate).error("the key in \(keyPath) is not that of \(certificate.path)")
            case .library: throw certificate.error("cannot read \(certificate.path)\(Settings.detail(error))")
            }
        }
    }

    private static func detail(_ error: IdentityError) -> String { if case .library(let reason) = error { ": \(reason)" } else { "" } }

    private static func file(_ given: Given) throws -> [UInt8] {
        guard let text = TextFile.read(given.path, limit: 1 << 22) else {
            throw given.error("cannot read \(given.path): \(String(cString: strerror(errno)))")
        }
        return Array(text.utf8)
    }

    mutating func readSecurity(_ choices: Choices) throws {
        if try choices.word("dtls.verify", of: ["fingerprint", "ca"]) == "ca" {
            let trust = try choices.value("tls-ca").map { CertificateTrust.authorities(pem: try Settings.file($0)) } ?? .system
            phone.dtls.verification = .ca(trust, unixTime: platform_wall_ms() / 1000)
        }
        if let given = choices.value("dtls.ciphers") {
            if let reason = CipherPolicy.refusal(of: given.text) { throw given.error(reason) }
            phone.dtls.cipherList = given.text
        }
        do throws(DTLSFailure) {
            try phone.dtls.validate()
        } catch {
            let origin = (choices.value("dtls.ciphers") ?? choices.value("dtls.verify"))?.origin
            throw origin?.error("DTLS cannot start with this") ?? UsageError("DTLS cannot start")
        }
        let profiles = ["UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "RTP/SAVPF", "RTP/SAVP", "RTP/AVP"]
        if let word = try choices.word("profile", of: profiles) { phone.offeredProfile = word }
    }

    // MARK: TURN

    mutating func readRelays(_ choices: Choices) throws {
        turn = try choices.all("turn").map(Settings.relay)
        let policy = try choices.word("ice-policy", of: ["all", "relay"])
        guard let first = turn.first else {
            if policy == "relay", let given = choices.value("ice-policy") { throw given.error("relay needs --turn") }
            for name in ["turn-username", "turn-password-file"] { if let given = choices.value(name) { throw given.error("needs --turn") } }
            return
        }
        guard let username = choices.value("turn-username"), !username.text.isEmpty else {
            throw first.server.origin.error("needs --turn-username")
        }
        if let file = choices.value("turn-password-file"), TextFile.isReadableByOthers(file.path) {
            warnings.append(Warning(code: "password-file-open", message: "others may read \(Sanitiser.text(file.path)): chmod 600 it"))
        }
        guard let password = try Password.turn(file: choices.value("turn-password-file")) else {
            throw first.server.origin.error("needs --turn-password-file or SIDETONE_TURN_PASSWORD")
        }
        for index in turn.indices {
            turn[index].username = username.text
            turn[index].password = password
        }
        guard policy == "relay" else { return }
        if phone.ice == false, let given = choices.value("ice-policy") { throw given.error("relay needs ICE, which is off") }
        // Who wants to be seen from nowhere else must not fall back to plain addresses.
        phone.ice = true
        phone.icePolicy = .relay
    }

    /// RFC 7065: `turn:host[:port][?transport=udp|tcp]`, `turns:host[:port][?transport=tcp]`.
    static func relay(_ given: Given) throws -> Relay {
        let form = "\(quoted(given.text)) is not a TURN URI, e.g. turn:turn.example.org:3478?transport=udp"
        guard let colon = given.text.firstIndex(of: ":") else { throw given.error(form) }
        let scheme = given.text[..<colon].lowercased()
        guard scheme == "turn" || scheme == "turns" else { throw given.error(form) }
        let parts = given.text[given.text.index(after: colon)...].split(separator: "?", omittingEmptySubsequences: false)
        guard let place = parts.first, parts.count <= 2 else { throw given.error(form) }
        var transport: TurnServer.Transport = scheme == "turns" ? .tls : .udp
        if parts.count == 2 {
            switch (scheme, parts[1].lowercased()) {
            case ("turn", "transport=udp"): break
            case ("turn", "transport=tcp"): transport = .tcp
            case ("turns", "transport=tcp"): break
            case ("turns", "transport=udp"): throw UsageError.notInThisVersion("\(given.origin) with turns: over UDP")
            default: throw given.error(form)
            }
        }
        let isBare = place.hasPrefix("[") ? place.hasSuffix("]") : !place.contains(":")
        let port = scheme == "turns" ? 5349 : 3478
        guard !place.hasPrefix("//"), let (host, number) = hostAndPort(isBare ? "\(place):\(port)" : String(place)) else { throw given.error(form) }
        return Relay(server: Server(host: host, port: number, origin: given.origin), transport: transport)
    }
}
