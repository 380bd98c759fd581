/// Every long option of this version: the one table behind `--help`, the keys of the configuration file and the messages about them.
enum OptionTable {
    enum Kind: Equatable, Sendable {
        case text
        /// Repeatable; in the configuration file a text or a list of texts.
        case list
        case number
        case flag
    }

    struct Option: Sendable {
        var name: String
        var kind: Kind
        /// How the help names the value.
        var value: String?

        init(_ name: String, _ kind: Kind, _ value: String? = nil) {
            self.name = name
            self.kind = kind
            self.value = value
        }

        var usage: String { "--\(name)" + (value.map { " \($0)" } ?? "") }
    }

    /// One line of help: options that belong together.
    struct Row: Sendable {
        var options: [Option]
        var text: String

        init(_ options: Option..., text: String) {
            self.options = options
            self.text = text
        }
    }

    static let shared: [Row] = [
        Row(Option("config", .text, "FILE"), Option("no-config", .flag), text: "default ~/.config/sidetone/config.toml"),
        Row(Option("listen", .list, "TRANSPORT:HOST:PORT"), text: "udp tcp tls ws wss; repeatable"),
        Row(Option("identity", .text, "SIP-URI"), text: "From of calls without an account"),
        Row(Option("account", .text, "SIP-URI"), Option("username", .text, "U"), text: "register as; user name for digest"),
        Row(Option("password-file", .text, "FILE"), text: "1st line; else SIDETONE_PASSWORD or asked"),
        Row(Option("registrar", .text, "URI"), Option("proxy", .text, "URI"), text: "account's domain, or none; outbound proxy"),
        Row(Option("tls-ca", .text, "FILE"), Option("ws-path", .text, "PATH"), text: "trusted CAs, else the system's; /ws"),
        Row(Option("tls-certificate", .text, "FILE"), Option("tls-key", .text, "FILE"), text: "our identity for TLS and WSS"),
        Row(Option("security", .text, "dtls|sdes|none|prefer"), text: "prefer: dtls, then sdes, then none"),
        Row(Option("ice", .text, "on|off"), Option("stun", .list, "HOST:PORT"), text: "default on with dtls and prefer"),
        Row(Option("turn", .list, "URI"), Option("ice-policy", .text, "all|relay"), text: "turn:host:port?transport=udp|tcp, turns:"),
        Row(Option("turn-username", .text, "U"), Option("turn-password-file", .text, "F"), text: "or SIDETONE_TURN_PASSWORD"),
        Row(Option("codec", .list, "NAME"), text: "opus G722 PCMU PCMA; VP8: video"),
        Row(Option("audio-in", .text, "SPEC"), text: "alsa[:NAME] file:PATH.wav tone:HZ null"),
        Row(Option("audio-out", .text, "SPEC"), text: "alsa[:NAME] file:PATH.wav null"),
        Row(Option("video-in", .text, "SPEC"), Option("video-out", .text, "SPEC"), text: "file:PATH.ivf none; out: terminal"),
        Row(Option("echo", .flag), text: "send the received audio and video back"),
        Row(Option("keylog", .text, "FILE"), text: "write TLS and DTLS secrets, mode 0600"),
        Row(Option("json", .flag), text: "JSON Lines on standard output"),
        Row(Option("log-level", .text, "L"), Option("log-file", .text, "FILE"), text: "error, warning, info or debug"),
        Row(Option("trace-sip", .flag), text: "log every SIP message"),
    ]

    static let call: [Row] = [
        Row(Option("for", .number, "SECONDS"), text: "hang up this long after the answer"),
        Row(Option("ring-timeout", .number, "SECONDS"), text: "give up when nobody answers; default 60"),
        Row(Option("dtmf", .text, "DIGITS"), text: "0-9, *, #, A-D, sent after the answer"),
        Row(Option("record", .text, "FILE.wav"), text: "left: what is sent, right: what is heard"),
    ]

    static let bridge: [Row] = [
        Row(Option("for", .number, "SECONDS"), text: "hang up this long after the answer"),
        Row(Option("ring-timeout", .number, "SECONDS"), text: "give up when nobody answers; default 60"),
    ]

    static let answer: [Row] = [
        Row(Option("auto-answer", .flag), text: "answer every call"),
        Row(Option("answer-after", .number, "SECONDS"), text: "with --auto-answer: ring so long first"),
        Row(Option("ring-timeout", .number, "SECONDS"), text: "then 480; default 60"),
        Row(Option("max-calls", .number, "N"), text: "at the same time; default 8; more get 486"),
        Row(Option("once", .flag), text: "stop after the first call that ended"),
        Row(Option("for", .number, "SECONDS"), text: "how long to run"),
    ]

    static let serve: [Row] = [
        Row(Option("web", .text, "HOST:PORT"), text: "of the page; default 127.0.0.1:8089"),
        Row(Option("to", .text, "SIP-URI"), text: "puts the browser through to this address"),
        Row(Option("ring-timeout", .number, "SECONDS"), text: "give up when nobody answers; default 60"),
        Row(Option("auto-answer", .flag), text: "answer every call"),
        Row(Option("once", .flag), text: "stop after the first call that ended"),
        Row(Option("for", .number, "SECONDS"), text: "how long to run"),
    ]

    /// What only a configuration file has. A dot stands for a table: `[dtls]` with `verify`.
    static let onlyKeys: [String: Kind] = ["profile": .text, "dtls.verify": .text, "dtls.ciphers": .text]

    /// What a configuration file may set: the kind of every option but those that name the file.
    static let keys: [String: Kind] = {
        var keys: [String: Kind] = [:]
        for row in shared + call + answer + serve { for option in row.options { keys[option.name] = option.kind } }
        keys.merge(onlyKeys) { first, _ in first }
        keys["config"] = nil
        keys["no-config"] = nil
        return keys
    }()
}
