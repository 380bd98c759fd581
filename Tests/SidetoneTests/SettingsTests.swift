import AudioIO
import Core
import Engine
import Glibc
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
        #expect(answer.phone.codecs == ["opus", "G722", "PCMU", "PCMA"])
        #expect(answer.phone.maximumCalls == 8 && answer.phone.ringTimeout == .seconds(60) && !answer.phone.autoAnswer)
        #expect(answer.audioIn.specification == .alsa(name: nil) && answer.audioOut.specification == .alsa(name: nil))
        #expect(answer.keepsState && !answer.json && answer.phone.registersAtStart)
        let call = try settings(role: .call)
        #expect(call.listeners.allSatisfy { $0.address.port == 0 && $0.transport == .udp })
        #expect(!call.phone.registersAtStart)
        // Only the full-screen phone and `answer` want the usual port.
        for role in [Settings.Role.bridge, .serve] { #expect(try settings(role: role).listeners.allSatisfy { $0.address.port == 0 }) }
        #expect(try settings(role: .screen).listeners.first?.address.port == 5060)
    }

    @Test func listenersAreThoseThatWereNamed() throws {
        let made = try settings(["listen": ["tcp:127.0.0.1:0", "udp:[::1]:5070"]]).listeners
        #expect(made.map(\.transport) == [.tcp, .udp])
        #expect(made.map(\.isExplicit) == [false, true])
        // UDP is added only to send from.
        let tcpOnly = try settings(["listen": ["tcp:127.0.0.1:5071"]]).listeners
        #expect(tcpOnly.map(\.transport) == [.tcp, .udp])
        #expect(tcpOnly.last?.address.port == 0 && tcpOnly.map(\.sendsOnly) == [false, true] && made.allSatisfy { !$0.sendsOnly })
    }

    @Test func codecsAreCanonicalAndOnce() throws {
        #expect(try settings(["codec": ["pcma", "OPUS", "g722", "PCMA"]]).phone.codecs == ["PCMA", "opus", "G722"])
    }

    @Test(arguments: [
        ("codec", "vp9", "--codec: \"vp9\" is not one of opus, G722, PCMU, PCMA, VP8 (one name each time)"),
        ("security", "srtp", "--security: \"srtp\" is not one of dtls, sdes, none, prefer"), ("ice", "yes", "--ice: \"yes\" is not one of on, off"),
        ("listen", "tls:0.0.0.0:0", "--listen: tls needs --tls-certificate and --tls-key"),
        ("ws-path", "ws", "--ws-path: \"ws\" is not a path, e.g. /ws"), ("tls-key", "x", "--tls-key: needs --tls-certificate"),
        ("tls-ca", "/nonexistent", "--tls-ca: cannot read /nonexistent: No such file or directory"),
        ("ice-policy", "relay", "--ice-policy: relay needs --turn"), ("turn-username", "u", "--turn-username: needs --turn"),
        ("turn", "turn:t", "--turn: needs --turn-username"),
        ("turn", "turns:t?transport=udp", "not in this version: --turn with turns: over UDP"),
        ("max-calls", "1001", "--max-calls: \"1001\" is not a number from 1 to 1000"),
        ("log-level", "trace", "--log-level: \"trace\" is not one of error, warning, info, debug"),
        ("proxy", "sips:p;transport=udp", "--proxy: sips: cannot go over UDP: leave transport=udp out"),
        ("proxy", "sip:p;transport=sctp", "--proxy: transport=sctp is not udp, tcp, tls, ws or wss"),
        ("username", "u", "--username: needs --account"),
        ("answer-after", "1", "--answer-after: needs --auto-answer, which it delays"),
        ("account", "sip:example.org", "--account: \"sip:example.org\" names no user, e.g. sip:alice@example.org"),
        ("account", "sip:a:secret@example.org", "--account: a password is not taken from here: use --password-file or SIDETONE_PASSWORD"),
        ("stun", "[::1]", "--stun: \"[::1]\" is not HOST:PORT, e.g. stun.example.org:3478"),
        ("audio-out", "tone:1", "--audio-out: a tone cannot be an output"),
        ("video-in", "terminal", "--video-in: a terminal cannot be an input; name file:PATH.ivf or none"),
        ("video-in", "x.ivf", "--video-in: \"x.ivf\" is not one of file:PATH.ivf, none"),
        ("video-out", "screen", "--video-out: \"screen\" is not one of file:PATH.ivf, terminal, none"),
        ("video-in", "file:/nonexistent.ivf", "--video-in: \"/nonexistent.ivf\": No such file or directory"),
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

    @Test func videoIsOfferedWhenItIsNamed() throws {
        let plain = try settings()
        #expect(!plain.phone.offersVideo && !plain.phone.takesOfferedVideo && !plain.phone.receivesVideo)
        let seen = try settings(["video-out": ["file:/tmp/x.ivf"]])
        #expect(seen.phone.offersVideo && seen.phone.receivesVideo && seen.video.output == .file(path: "/tmp/x.ivf"))
        let named = try settings(["codec": ["vp8", "PCMU"]])
        #expect(named.phone.offersVideo && named.phone.codecs == ["PCMU"])
        // Video alone leaves audio as it is.
        #expect(try settings(["codec": ["VP8"]]).phone.codecs == plain.phone.codecs)
        #expect(try settings(role: .screen).phone.takesOfferedVideo && !settings(role: .screen).phone.offersVideo)
        let echo = try settings(flags: ["echo"])
        #expect(echo.phone.takesOfferedVideo && !echo.phone.offersVideo)
    }

    @Test func filesOfPicturesAreReadAtTheStart() throws {
        let path = "/tmp/sidetone-\(getpid())-broken.ivf"
        defer { unlink(path) }
        #expect(TextFile.writePrivate(path, Array("DKIF and nothing more".utf8)))
        #expect(message(["video-in": ["file:\(path)"]])?.hasPrefix("--video-in: \"\(path)\": ") == true)
        #expect(message(["video-in": ["file:\(path)"], "video-out": ["file:\(path)"]])?.contains("written over") == true)
        #expect(message(["video-in": ["file:\(path)"]], flags: ["echo"]) == "--echo: stands instead of video-in: give one of them")
    }

    @Test(arguments: [("1.2.3.4:5", "1.2.3.4"), ("[::1]:5", "::1"), ("stun.example.org:5", "stun.example.org")])
    func hostAndPort(_ text: String, _ host: String) { #expect(Settings.hostAndPort(text)?.host == host) }

    @Test(arguments: ["x", ":5", "x:0", "x:65536", "::1:5", "a b:5", "[]:5", "u@x:5"])
    func notHostAndPort(_ text: String) { #expect(Settings.hostAndPort(text) == nil) }
}
