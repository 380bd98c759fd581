import ArgumentParser

/// The options that the full-screen phone, `call` and `answer` share. Each is optional: the configuration file gives the rest.
struct SharedOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Configuration file.", valueName: "file")) var config: String?
    @Flag(name: .customLong("no-config"), help: "Read no configuration; keep no certificate.") var noConfig = false
    @Option(help: ArgumentHelp("Repeatable; port 0 is any.", valueName: "transport:host:port")) var listen: [String] = []
    @Option(help: ArgumentHelp("From, e.g. sip:alice@example.org.", valueName: "sip-uri")) var identity: String?
    @Option(help: ArgumentHelp("Address of record to use.", valueName: "sip-uri")) var account: String?
    @Option(help: ArgumentHelp("User name for digest.", valueName: "name")) var username: String?
    @Option(name: .customLong("password-file"), help: ArgumentHelp("Its first line; or SIDETONE_PASSWORD.", valueName: "file")) var passwordFile: String?
    @Option(help: ArgumentHelp("Default: the account's domain; \"none\".", valueName: "uri")) var registrar: String?
    @Option(help: ArgumentHelp("Outbound proxy.", valueName: "uri")) var proxy: String?
    @Option(help: ArgumentHelp("dtls, sdes, none or prefer.", valueName: "mode")) var security: String?
    @Option(help: ArgumentHelp("on or off.", valueName: "on|off")) var ice: String?
    @Option(help: ArgumentHelp("STUN server; repeatable.", valueName: "host:port")) var stun: [String] = []
    @Option(help: ArgumentHelp("opus, PCMU, PCMA; repeatable.", valueName: "name")) var codec: [String] = []
    @Option(name: .customLong("audio-in"), help: ArgumentHelp("alsa[:NAME], file:F.wav, tone:HZ, null.", valueName: "spec")) var audioIn: String?
    @Option(name: .customLong("audio-out"), help: ArgumentHelp("alsa[:NAME], file:F.wav, null.", valueName: "spec")) var audioOut: String?
    @Flag(help: "Send received audio back.") var echo = false
    @Option(help: ArgumentHelp("Write DTLS secrets (mode 0600).", valueName: "file")) var keylog: String?
    @Flag(help: "JSON Lines on standard output.") var json = false
    @Option(name: .customLong("log-level"), help: ArgumentHelp("error, warning, info or debug.", valueName: "level")) var logLevel: String?
    @Option(name: .customLong("log-file"), help: ArgumentHelp("Default: standard error.", valueName: "file")) var logFile: String?
    @Flag(name: .customLong("trace-sip"), help: "Log every SIP message.") var traceSIP = false
}
