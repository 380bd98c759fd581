/// What the contract names and this version does not have: refused, never accepted and ignored.
enum NotInThisVersion {
    static let commands: Set<String> = ["doctor", "probe", "ctl"]
    static let options: Set<String> = ["--capture"]

    /// The first such word of a command line.
    static func first(in arguments: [String]) -> String? {
        let command = arguments.first == "help" ? arguments.dropFirst().first : arguments.first
        if let command, commands.contains(command) { return command }
        return arguments.prefix { $0 != "--" }.lazy.map { String($0.prefix { $0 != "=" }) }.first { options.contains($0) }
    }

    /// The same for keys of a configuration file.
    static func contains(key: String) -> Bool { options.contains("--" + key) }
}
