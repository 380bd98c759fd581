import ArgumentParser

/// The options that the full-screen phone, `call` and `answer` share. Texts only: they are read together with the configuration file.
struct SharedOptions: ParsableArguments {
    @Option var config: String?
    @Flag(name: .customLong("no-config")) var noConfig = false
    @Option var listen: [String] = []
    @Option var identity: String?
    @Option var account: String?
    @Option var username: String?
    @Option(name: .customLong("password-file")) var passwordFile: String?
    @Option var registrar: String?
    @Option var proxy: String?
    @Option(name: .customLong("tls-ca")) var tlsCA: String?
    @Option(name: .customLong("ws-path")) var webSocketPath: String?
    @Option(name: .customLong("tls-certificate")) var tlsCertificate: String?
    @Option(name: .customLong("tls-key")) var tlsKey: String?
    @Option var security: String?
    @Option var ice: String?
    @Option var stun: [String] = []
    @Option var turn: [String] = []
    @Option(name: .customLong("ice-policy")) var icePolicy: String?
    @Option(name: .customLong("turn-username")) var turnUsername: String?
    @Option(name: .customLong("turn-password-file")) var turnPasswordFile: String?
    @Option var codec: [String] = []
    @Option(name: .customLong("audio-in")) var audioIn: String?
    @Option(name: .customLong("audio-out")) var audioOut: String?
    @Option(name: .customLong("video-in")) var videoIn: String?
    @Option(name: .customLong("video-out")) var videoOut: String?
    @Flag var echo = false
    @Option var keylog: String?
    @Flag var json = false
    @Option(name: .customLong("log-level")) var logLevel: String?
    @Option(name: .customLong("log-file")) var logFile: String?
    @Flag(name: .customLong("trace-sip")) var traceSIP = false

    /// Joined with a command's own options and the configuration file.
    func choices(options own: [String: String?] = [:], flags ownFlags: [String: Bool] = [:]) throws -> Choices {
        let single: [String: String?] = [
            "config": config, "identity": identity, "account": account, "username": username, "password-file": passwordFile, "registrar": registrar,
            "proxy": proxy, "security": security, "ice": ice, "audio-in": audioIn, "audio-out": audioOut, "keylog": keylog, "log-level": logLevel,
            "log-file": logFile, "tls-ca": tlsCA, "ws-path": webSocketPath, "tls-certificate": tlsCertificate, "tls-key": tlsKey,
            "ice-policy": icePolicy, "video-in": videoIn, "video-out": videoOut, "turn-username": turnUsername,
            "turn-password-file": turnPasswordFile,
        ]
        var options = ["listen": listen, "stun": stun, "turn": turn, "codec": codec]
        for (name, value) in single.merging(own, uniquingKeysWith: { $1 }) { options[name] = value.map { [$0] } }
        let flags = ["no-config": noConfig, "echo": echo, "json": json, "trace-sip": traceSIP].merging(ownFlags) { $1 }
        return try UsageError.told(json: json) { try Choices(options: options, flags: Set(flags.filter(\.value).keys)) }
    }
}
