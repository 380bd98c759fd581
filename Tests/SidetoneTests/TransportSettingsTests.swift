import Engine
import Foundation
import ICE
import Runtime
import SIP
import Secure
import Testing

@testable import sidetone

/// TLS, TURN and DTLS: options and keys.
@Suite struct TransportSettingsTests {
    private func settings(_ options: [String: [String]] = [:], file: String = "") throws -> Settings {
        try Settings(Choices(options: options, flags: [], file: ConfigurationFile(text: file, path: "c.toml")), role: .call)
    }

    private func message(_ options: [String: [String]] = [:], file: String = "") -> String? {
        do {
            _ = try settings(options, file: file)
            return nil
        } catch {
            return (error as? UsageError)?.line
        }
    }

    private func fixture(_ name: String) -> String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("SecureTests/Fixtures/tls/\(name).pem").path
    }

    /// A file that lives as long as the test.
    private final class Scratch {
        let path: String
        init(_ text: String) throws {
            path = FileManager.default.temporaryDirectory.appendingPathComponent("sidetone-\(UUID().uuidString)").path
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
            chmod(path, 0o600)
        }
        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    @Test func certificatesAreRead() throws {
        let made = try settings([
            "tls-ca": [fixture("ca")], "tls-certificate": [fixture("chained")], "ws-path": ["/sip?x"], "listen": ["tls:127.0.0.1:0"],
        ])
        guard case .authorities(let list) = made.transports.trust else {
            Issue.record("the system's store is trusted")
            return
        }
        #expect(list.count == 1)
        #expect(made.transports.identity != nil && made.transports.webSocketPath == "/sip?x")
        #expect(made.listeners.map(\.transport) == [.tls, .udp])
        #expect(made.warnings.map(\.code) == ["key-file-open"])
        guard case .system = try settings().transports.trust else {
            Issue.record("the system's store is not the default")
            return
        }
    }

    @Test func badCertificatesAreNamed() throws {
        let empty = try Scratch("nothing here")
        #expect(message(["tls-ca": [empty.path]]) == "--tls-ca: no certificates in \(empty.path)")
        #expect(message(["tls-certificate": [empty.path]]) == "--tls-certificate: no certificate in \(empty.path)")
        let bare = fixture("ca")
        #expect(message(["tls-certificate": [bare]]) == "--tls-certificate: needs --tls-key: there is no key in \(bare)")
        #expect(
            message(["tls-certificate": [fixture("dns")], "tls-key": [fixture("strange")]])
                == "--tls-key: the key in \(fixture("strange")) is not that of \(fixture("dns"))")
    }

    @Test(arguments: [
        ("turn:t.example", "t.example", 3478, TurnServer.Transport.udp), ("turn:192.0.2.1:99?transport=udp", "192.0.2.1", 99, .udp),
        ("TURN:t.example?transport=TCP", "t.example", 3478, .tcp), ("turns:t.example", "t.example", 5349, .tls),
        ("turns:[2001:db8::1]:443?transport=tcp", "2001:db8::1", 443, .tls), ("turn:[::1]", "::1", 3478, .udp),
    ])
    func relays(_ text: String, _ host: String, _ port: UInt16, _ transport: TurnServer.Transport) throws {
        let relay = try Settings.relay(Given(text: text, origin: .option("turn")))
        #expect(relay.server.host == host && relay.server.port == port && relay.transport == transport)
    }

    @Test(arguments: [
        "", "turn", "turn:", "stun:t", "turn://t", "turn:t?", "turn:t?transport=tls", "turn:t?transport=udp?x", "turn:u@t", "turn:t:0", "turn:::1",
        "turns:t?x=1", "turn:[::1", "turn:t:99999",
    ])
    func notRelays(_ text: String) { #expect(throws: UsageError.self) { try Settings.relay(Given(text: text, origin: .option("turn"))) } }

    @Test func relaysHaveCredentials() throws {
        let file = try Scratch("hunter2\nmore")
        let options = ["turn": ["turn:a.example", "turns:b.example"], "turn-username": ["bob"], "turn-password-file": [file.path]]
        let made = try settings(options)
        #expect(made.turn.map(\.password) == ["hunter2", "hunter2"] && made.turn.map(\.username) == ["bob", "bob"])
        #expect(made.phone.icePolicy == .all && made.phone.ice == nil && made.warnings.isEmpty)
        // Relayed only: ICE may not be left by itself.
        let hidden = try settings(options.merging(["ice-policy": ["relay"], "security": ["sdes"]]) { $1 })
        #expect(hidden.phone.icePolicy == .relay && hidden.phone.ice == true)
        #expect(message(options.merging(["ice-policy": ["relay"], "ice": ["off"]]) { $1 }) == "--ice-policy: relay needs ICE, which is off")
        #expect(
            message(["turn": ["turn:a"], "turn-username": ["bob"]]) == "--turn: needs --turn-password-file or SIDETONE_TURN_PASSWORD")
    }

    @Test func whatDTLSMayDo() throws {
        let made = try settings(file: "profile = \"RTP/SAVP\"\ndtls.verify = \"ca\"\ndtls.ciphers = \"ECDHE+AESGCM\"")
        #expect(made.phone.offeredProfile == "RTP/SAVP" && made.phone.dtls.cipherList == "ECDHE+AESGCM")
        guard case .ca(.system, let time) = made.phone.dtls.verification else {
            Issue.record("\(made.phone.dtls.verification)")
            return
        }
        #expect(time > 1_700_000_000)
        let plain = try settings().phone
        #expect(
            plain.offeredProfile == "UDP/TLS/RTP/SAVPF" && plain.dtls.verification == .fingerprint
                && plain.dtls.cipherList == DTLSConfiguration().cipherList)
    }

    @Test(arguments: [
        ("dtls.verify = \"none\"", "c.toml:1: dtls.verify: \"none\" is not one of fingerprint, ca"),
        ("profile = \"RTP/FOO\"", "c.toml:1: profile: \"RTP/FOO\" is not one of UDP/TLS/RTP/SAVPF, UDP/TLS/RTP/SAVP, RTP/SAVPF, RTP/SAVP, RTP/AVP"),
        ("dtls.ciphers = \"\"", "c.toml:1: dtls.ciphers: not a list of cipher suites"),
        ("dtls.ciphers = \"FOO\"", "c.toml:1: dtls.ciphers: no such cipher suite"),
        ("dtls.ciphers = \"ALL:@SECLEVEL=0\"", "c.toml:1: dtls.ciphers: @ is not allowed: it would change the library's security level"),
    ])
    func mistakesOfDTLS(_ text: String, _ expected: String) { #expect(message(file: text) == expected) }

    @Test(arguments: ["eNULL", "NULL-SHA256", "aNULL", "ADH-AES256-GCM-SHA384", "ECDHE+AESGCM:AECDH-AES128-SHA", "ALL", "ALL:COMPLEMENTOFALL"])
    func anonymousAndNullSuitesAreRefused(_ list: String) {
        let line = message(file: "[dtls]\nciphers = \"\(list)\"")
        #expect(line?.hasPrefix("c.toml:2: dtls.ciphers: ") == true)
        #expect(line?.hasSuffix(" has no authentication") == true || line?.hasSuffix(" has no encryption") == true)
    }
}
