import AudioIO
import Core
import Engine
import Interface
import Runtime
import SIP
import Testing

@testable import sidetone

@Suite struct SettingsTests {
    private func settings(_ options: [String: [String]] = [:], flags: Set<String> = [], file: String = "", role: Settings.Role = .answer) throws
        -> Settings
    {
        // Nobody is asked for a password: an account of these tests has a file or does not get here.
        try Settings(Choices(options: options, flags: flags, file: ConfigurationFile(text: file, path: "c.toml")), role: role)
    }

    private func message(_ options: [String: [String]] = [:], flags: Set<String> = [], file: String = "", role: Settings.Role = .answer) -> String? {
        do {
            _ = try settings(options, flags: flags, file: file, role: role)
            return nil
        } catch {
            return (error as? UsageError)?.line
        }
    }

    @Test func defaults() throws {
        let answer = try settings()
        #expect(answer.listeners.first == ListenSpecification(transport: .udp, address: SocketAddress(.anyV4, 5060), isExplicit: false))
        #expect(answer.phone.security == .prefer && answer.phone.ice == nil)
        #expect(answer.phone.codecs == ["opus", "PCMU", "PCMA"])
        #expect(answer.phone.maximumCalls == 8 && answer.phone.ringTimeout == .seconds(60) && !answer.phone.autoAnswer)
        #expect(answer.audioIn.specification == .alsa(name: nil) && answer.audioOut.specification == .alsa(name: nil))
        #expect(answer.keepsState && !answer.json && answer.phone.registersAtStart)
        let call = try settings(role: .call)
        #expect(call.listeners.allSatisfy { $0.address.port == 0 && $0.transport == .udp })
        #expect(!call.phone.registersAtStart)
    }

    @Test func listenersAreThoseThatWereNamed() throws {
        let made = try settings(["listen": ["tcp:127.0.0.1:0", "udp:[::1]:5070"]]).listeners
        #expect(made.map(\.transport) == [.tcp, .udp])
        #expect(made.map(\.isExplicit) == [false, true])
        // UDP is added only to send from.
        let tcpOnly = try settings(["listen": ["tcp:127.0.0.1:5071"]]).listeners
        #expect(tcpOnly.map(\.transport) == [.tcp, .udp])
        #expect(tcpOnly.last?.address.port == 0)
    }

    @Test func codecsAreCanonicalAndOnce() throws {
        #expect(try settings(["codec": ["pcma", "OPUS", "PCMA"]]).phone.codecs == ["PCMA", "opus"])
    }

    @Test(arguments: [
        ("codec", "G722", "not in this version: --codec G722"), ("codec", "vp8", "not in this version: --codec vp8"),
        ("security", "srtp", "--security: \"srtp\" is not one of dtls, sdes, none, prefer"), ("ice", "yes", "--ice: \"yes\" is not one of on, off"),
        ("listen", "wss:0.0.0.0:0", "not in this version: --listen wss"),
        ("max-calls", "1001", "--max-calls: \"1001\" is not a number from 1 to 1000"),
        ("log-level", "trace", "--log-level: \"trace\" is not one of error, warning, info, debug"),
        ("identity", "sips:a@b", "not in this version: --identity with sips:"),
        ("proxy", "sip:p;transport=tls", "not in this version: --proxy with transport=tls"),
        ("proxy", "sip:p;transport=sctp", "--proxy: transport=sctp is not udp or tcp"), ("username", "u", "--username: needs --account"),
        ("answer-after", "1", "--answer-after: needs --auto-answer, which it delays"),
        ("account", "sip:example.org", "--account: \"sip:example.org\" names no user, e.g. sip:alice@example.org"),
        ("account", "sip:a:secret@example.org", "--account: a password is not taken from here: use --password-file or SIDETONE_PASSWORD"),
        ("stun", "[::1]", "--stun: \"[::1]\" is not HOST:PORT, e.g. stun.example.org:3478"),
        ("audio-out", "tone:1", "--audio-out: a tone cannot be an output"),
    ])
    func mistakesAreNamed(_ option: String, _ value: String, _ expected: String) { #expect(message([option: [value]]) == expected) }

    @Test(arguments: [
        "", "udp", "udp:", "udp:1.2.3.4", "udp:1.2.3:5", "udp:[::1:5", "udp:::1:5", "udp:1.2.3.4:70000", "udp:1.2.3.4:x", "icmp:1.2.3.4:5",
        "udp:a b:5",
    ])
    func badListenAddresses(_ text: String) { #expect(message(["listen": [text]])?.hasPrefix("--listen: \"") == true) }

    @Test func mistakesInTheFileNameTheLine() {
        #expect(message(file: "\nsecurity = \"x\"") == "c.toml:2: security: \"x\" is not one of dtls, sdes, none, prefer")
        #expect(message(file: "answer-after = 2") == "c.toml:1: answer-after: needs --auto-answer, which it delays")
    }

    @Test func echoAndInputContradictOnlyAtOnePlace() throws {
        #expect(message(["audio-in": ["null"]], flags: ["echo"]) == "--echo: stands instead of audio-in: give one of them")
        #expect(try settings(["audio-in": ["null"]], file: "echo = true").phone.isEcho == false)
        #expect(try settings(flags: ["echo"], file: "audio-in = \"null\"").phone.isEcho)
        #expect(message(file: "echo = true\naudio-in = \"null\"") != nil)
    }

    @Test(arguments: [("1.2.3.4:5", "1.2.3.4"), ("[::1]:5", "::1"), ("stun.example.org:5", "stun.example.org")])
    func hostAndPort(_ text: String, _ host: String) { #expect(Settings.hostAndPort(text)?.host == host) }

    @Test(arguments: ["x", ":5", "x:0", "x:65536", "::1:5", "a b:5", "[]:5", "u@x:5"])
    func notHostAndPort(_ text: String) { #expect(Settings.hostAndPort(text) == nil) }
}
