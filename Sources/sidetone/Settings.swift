import AudioIO
import Core
import Engine
import Glibc
import Interface
import Runtime
import SIP

/// Options and configuration file checked: what the phone is made of. Every mistake is a `UsageError` that names where it stands.
struct Settings: Sendable {
    var phone = PhoneConfiguration()
    var listeners: [ListenSpecification] = []
    /// Names of STUN servers, resolved at the start.
    var stun: [Server] = []
    /// The same of TURN servers.
    var turn: [Relay] = []
    var transports = TransportConfiguration()
    var audioIn = Device(specification: .alsa(name: nil), origin: .option("audio-in"))
    var audioOut = Device(specification: .alsa(name: nil), origin: .option("audio-out"))
    var video = Video()
    /// False with `--no-config`: nothing is read from or kept in the state folder.
    var keepsState = true
    var json = false
    var keylog: Given?
    /// `call --record`.
    var record: Given?
    var log = LogSettings()
    var logOrigin: Origin?
    /// `answer --for`.
    var runLimit: Duration?
    /// The phone is on the screen: nothing else may write there.
    var onScreen = false
    /// `serve`: where the page is.
    var web: Web?
    var once = false
    /// What a person should know, told once the phone lives.
    var warnings: [Warning] = []

    enum Role: Sendable { case screen, call, answer, bridge, serve }

    struct Server: Sendable {
        var host: String
        var port: UInt16
        var origin: Origin
    }

    struct Device: Sendable {
        var specification: AudioDeviceSpec
        var origin: Origin
    }

    struct Warning: Sendable, Equatable {
        var code: String
        var message: String
    }

    /// - Parameter hasTerminal: `serve` shows itself on it, unless it is to print objects.
    init(_ choices: Choices, role: Role, hasTerminal: Bool = false) throws {
        json = choices.flag("json")
        onScreen = role == .screen || role == .serve && hasTerminal && !json
        self = try UsageError.told(json: json) {
            var settings = self
            try settings.read(choices, role: role)
            return settings
        }
    }

    private mutating func read(_ choices: Choices, role: Role) throws {
        keepsState = !choices.flag("no-config")
        phone.userAgent = "Sidetone/\(Root.version)"
        try readLog(choices, role: role)
        try readMedia(choices)
        try readDevices(choices)
        try readVideo(choices, role: role)
        try readSignalling(choices, role: role)
        try readTransports(choices)
        try readSecurity(choices)
        try readRelays(choices)
        switch role {
        case .screen: break
        case .call: try readCall(choices)
        case .answer: try readAnswer(choices)
        case .bridge: try readBridge(choices)
        case .serve: try readServe(choices)
        }
        // Last: it may ask for a password.
        try readAccounts(choices)
    }

    private mutating func readLog(_ choices: Choices, role: Role) throws {
        keylog = choices.value("keylog")
        if let given = choices.value("keylog"), given.text.isEmpty { throw given.error("needs the name of a file") }
        log.level = try choices.word("log-level", of: LogLevel.words).flatMap { LogLevel(word: $0) } ?? .warning
        log.tracesSIP = choices.flag("trace-sip")
        log.file = choices.value("log-file")?.path
        logOrigin = choices.value("log-file")?.origin
        if onScreen, log.file == nil, log.tracesSIP || log.level > .warning,
            let state = TextFile.xdg("XDG_STATE_HOME", fallback: ".local/state")
        {
            // Nothing is logged onto the screen.
            TextFile.makeFolder(state + "/sidetone")
            log.file = state + "/sidetone/sidetone.log"
        }
    }

    private mutating func readMedia(_ choices: Choices) throws {
        if let word = try choices.word("security", of: ["dtls", "sdes", "none", "prefer"]), let policy = Interface.SecurityPolicy(rawValue: word) {
            phone.security = policy
        }
        if let word = try choices.word("ice", of: ["on", "off"]) { phone.ice = word == "on" }
        // VP8 is for video: see `readVideo`.
        let codecs = try choices.all("codec").filter { $0.text.lowercased() != "vp8" }.map(Settings.codec)
        if !codecs.isEmpty { phone.codecs = codecs.reduce(into: []) { if !$0.contains($1) { $0.append($1) } } }
        stun = try choices.all("stun").map { given in
            guard let server = Settings.hostAndPort(given.text) else {
                throw given.error("\(quoted(given.text)) is not HOST:PORT, e.g. stun.example.org:3478")
            }
            return Server(host: server.host, port: server.port, origin: given.origin)
        }
    }

    static func codec(_ given: Given) throws -> String {
        let known = ["opus", "G722", "PCMU", "PCMA"]
        if let name = known.first(where: { $0.lowercased() == given.text.lowercased() }) { return name }
        switch given.text.lowercased() {
        case "telephone-event": throw given.error("telephone-event is always offered; name opus, G722, PCMU or PCMA")
        default: throw given.error("\(quoted(given.text)) is not one of opus, G722, PCMU, PCMA, VP8 (one name each time)")
        }
    }

    private mutating func readDevices(_ choices: Choices) throws {
        if let given = choices.value("audio-in") { audioIn = try Settings.device(given, .input) }
        if let given = choices.value("audio-out") { audioOut = try Settings.device(given, .output) }
        if case .file(let input) = audioIn.specification, case .file(let output) = audioOut.specification, TextFile.isSame(input, output) {
            throw audioOut.origin.error("\(quoted(output)) is the file that is played: it would be written over")
        }
        guard let echo = choices.origin(flag: "echo") else { return }
        // An option stands before a key of the file; both at the same place contradict each other.
        if let given = choices.value("audio-in"), given.origin.isOption || !echo.isOption {
            guard given.origin.isOption, !echo.isOption else { throw echo.error("stands instead of audio-in: give one of them") }
        } else {
            phone.isEcho = true
        }
    }

    static func device(_ given: Given, _ direction: AudioDeviceSpec.Direction) throws -> Device {
        do throws(AudioDeviceError) {
            var specification = try AudioDeviceSpec(given.text, direction: direction)
            if case .file(let path) = specification { specification = .file(path: TextFile.expanded(path)) }
            return Device(specification: specification, origin: given.origin)
        } catch {
            throw given.error(Settings.plain(error.message))
        }
    }

    /// The message without the option's name at its front: the origin says it.
    static func plain(_ message: String) -> String {
        for prefix in ["--audio-in: ", "--audio-out: "] where message.hasPrefix(prefix) { return String(message.dropFirst(prefix.count)) }
        return message
    }

    static func hostAndPort(_ text: String) -> (host: String, port: UInt16)? {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0 else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() } else if host.contains(":") { return nil }
        guard !host.isEmpty, host.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "@") }) else { return nil }
        return (String(host), port)
    }
}
