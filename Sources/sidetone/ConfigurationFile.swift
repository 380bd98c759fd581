import Glibc
import TOMLKit

/// The TOML configuration: keys are the long options' names, accounts are `[account.NAME]` tables.
struct ConfigurationFile {
    struct Account {
        var name: String
        var address: String
        var username: String?
        var passwordFile: String?
        var registrar: String?
        var proxy: String?
    }

    private static let keys: Set<String> = [
        "listen", "identity", "proxy", "security", "ice", "stun", "codec", "audio-in", "audio-out", "echo", "keylog", "json", "log-level", "log-file", "trace-sip",
    ]
    private static let accountKeys: Set<String> = ["account", "username", "password-file", "registrar", "proxy"]

    private var strings: [String: [String]] = [:]
    private var flags: [String: Bool] = [:]
    private(set) var accounts: [Account] = []

    init() {}

    func value(_ key: String) -> String? { strings[key]?.last }
    func values(_ key: String) -> [String] { strings[key] ?? [] }
    func flag(_ key: String) -> Bool { flags[key] ?? false }

    /// `path`, which must exist; or the default one, which need not.
    static func load(_ path: String?) throws -> ConfigurationFile {
        let standard = TextFile.xdg("XDG_CONFIG_HOME", fallback: ".config").map { $0 + "/sidetone/config.toml" }
        guard let file = path ?? standard else { return ConfigurationFile() }
        guard let text = TextFile.read(file, limit: 1 << 20) else {
            if path == nil { return ConfigurationFile() }
            throw UsageError("--config: cannot read \(file): \(String(cString: strerror(errno)))")
        }
        return try ConfigurationFile(text: text, path: file)
    }

    init(text: String, path: String) throws {
        let table: TOMLTable
        do {
            table = try TOMLTable(string: text)
        } catch let error as TOMLParseError {
            throw UsageError("\(path):\(error.source.begin.line): \(error.description.split(separator: "\n").first.map(String.init) ?? "not TOML")")
        }
        let place = { (key: String) in "\(path):\(ConfigurationFile.line(of: key, in: text))" }
        for key in table.keys {
            if key == "account" {
                guard let entries = table[key]?.table else { throw UsageError("\(place(key)): \"account\" must be tables, [account.NAME]") }
                for name in entries.keys { accounts.append(try ConfigurationFile.account(name, entries[name]?.table, place)) }
                continue
            }
            if NotInThisVersion.contains(key: key) { throw UsageError("\(place(key)): not in this version: \(key)") }
            guard ConfigurationFile.keys.contains(key), let value = table[key] else { throw UsageError("\(place(key)): unknown key \"\(key)\"") }
            if let text = value.string {
                strings[key] = [text]
            } else if let flag = value.bool {
                if key == "ice" { strings[key] = [flag ? "on" : "off"] } else { flags[key] = flag }
            } else if let list = value.array {
                strings[key] = try list.map { item in
                    guard let text = item.string else { throw UsageError("\(place(key)): \(key) takes texts") }
                    return text
                }
            } else {
                throw UsageError("\(place(key)): \(key) takes a text")
            }
        }
        accounts.sort { $0.name < $1.name }
    }

    private static func account(_ name: String, _ table: TOMLTable?, _ place: (String) -> String) throws -> Account {
        guard let table else { throw UsageError("\(place(name)): account \"\(name)\" must be a table") }
        for key in table.keys where !accountKeys.contains(key) { throw UsageError("\(place(key)): unknown key \"\(key)\" in account \"\(name)\"") }
        guard let address = table["account"]?.string else { throw UsageError("\(place(name)): account \"\(name)\" has no \"account\" (its SIP URI)") }
        return Account(
            name: name, address: address, username: table["username"]?.string, passwordFile: table["password-file"]?.string,
            registrar: table["registrar"]?.string, proxy: table["proxy"]?.string)
    }

    /// The line that sets `key` (or the table that it names), from 1.
    private static func line(of key: String, in text: String) -> Int {
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let trimmed = line.drop { $0 == " " || $0 == "\t" || $0 == "\"" || $0 == "[" }
            if trimmed.hasPrefix(key) || (line.contains("[account") && trimmed.contains(key)) { return index + 1 }
        }
        return 1
    }
}
