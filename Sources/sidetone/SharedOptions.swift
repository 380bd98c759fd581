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
    @Option var security: String?
    @Option var ice: String?
    @Option var stun: [String] = []
    @Option var codec: [String] = []
    @Option(name: .customLong("audio-in")) var audioIn: String?
    @Option(name: .customLong("audio-out")) var audioOut: String?
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
            "log-file": logFile,
        ]
        var options = ["listen": listen, "stun": stun, "codec": codec]
        for (name, value) in single.merging(own, uniquingKeysWith: { $1 }) { options[name] = value.map { [$0] } }
        let flags = ["no-config": noConfig, "echo": echo, "json": json, "trace-sip": traceSIP].merging(ownFlags) { $1 }
        return try UsageError.told(json: json) { try Choices(options: options, flags: Set(flags.filter(\.value).keys)) }
    }
}
