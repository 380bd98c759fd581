/// What the contract names and this version does not have: refused, never accepted and ignored.
enum NotInThisVersion {
    private static let commands: Set<String> = ["bridge", "serve", "doctor", "probe", "ctl"]
    private static let options: Set<String> = [
        "--ws-path", "--tls-ca", "--tls-certificate", "--tls-key", "--turn", "--turn-username", "--turn-password-file", "--ice-policy", "--video-in",
        "--video-out", "--capture", "--record",
    ]

    /// The first such word of a command line.
    static func first(in arguments: [String]) -> String? {
        if let command = arguments.first, commands.contains(command) { return command }
        return arguments.first { argument in options.contains(String(argument.prefix { $0 != "=" })) }
    }

    /// The same for keys of a configuration file.
    static func contains(key: String) -> Bool { options.contains("--" + key) }
}
