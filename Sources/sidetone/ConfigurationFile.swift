import Core
import Engine
import Glibc

/// The TOML configuration: keys are the long options' names, accounts are `[account.NAME]` tables with keys of their own.
struct ConfigurationFile: Sendable {
    struct Account: Sendable {
        var name: String
        /// `account`: the address of record.
        var address: Given
        var values: [String: Given] = [:]
        var quirks = AccountQuirks()
    }

    /// What an account may have of its own.
    static let accountKeys: Set<String> = ["account", "username", "password-file", "registrar", "proxy"]

    private(set) var values: [String: [Given]] = [:]
    private(set) var flags: [String: Origin] = [:]
    /// In the order of the file: the first one places the calls.
    private(set) var accounts: [Account] = []

    init() {}

    /// `path`, which must exist; or the default one, which need not.
    static func load(_ path: String?) throws -> ConfigurationFile {
        let standard = TextFile.xdg("XDG_CONFIG_HOME", fallback: ".config").map { $0 + "/sidetone/config.toml" }
        guard let file = path ?? standard else { return ConfigurationFile() }
        guard let text = TextFile.read(file, limit: 1 << 20) else {
            if path == nil, errno == ENOENT || errno == ENOTDIR { return ConfigurationFile() }
            throw UsageError("--config: cannot read \(file): \(String(cString: strerror(errno)))")
        }
        return try ConfigurationFile(text: text, path: file)
    }

    init(text: String, path: String) throws {
        let table: TOMLTable
        do throws(TOMLError) {
            table = try TOMLDocument.parse(text)
        } catch {
            throw UsageError("\(path):\(error.line): \(error.message)")
        }
        // An error of the file itself is an object, too, where the file asks for them.
        let json = table.entries.contains { if case .boolean(true) = $0.value.kind { $0.key == "json" } else { false } }
        self = try UsageError.told(json: json) {
            var file = ConfigurationFile()
            try file.read(table, path)
            return file
        }
    }

    private mutating func read(_ table: TOMLTable, _ path: String) throws {
        for entry in table.entries {
            let origin = Origin.key(Sanitiser.text(entry.key), path: path, line: entry.line)
            if entry.key == "account", case .table(let tables) = entry.value.kind {
                for account in tables.entries { accounts.append(try ConfigurationFile.account(account, path)) }
            } else if entry.key == "dtls", case .table(let table) = entry.value.kind {
                for item in table.entries { try setDTLS(item, path) }
            } else if NotInThisVersion.contains(key: entry.key) {
                throw UsageError("\(path):\(entry.line): not in this version: \(entry.key)")
            } else if let kind = OptionTable.keys[entry.key], !entry.key.contains(".") {
                try set(entry, kind, origin)
            } else {
                throw UsageError("\(path):\(entry.line): unknown key \(quoted(entry.key))")
            }
        }
    }

    private mutating func setDTLS(_ item: TOMLTable.Entry, _ path: String) throws {
        let name = "dtls." + item.key
        guard let kind = OptionTable.onlyKeys[name] else { throw UsageError("\(path):\(item.line): unknown key \(quoted(item.key)) in [dtls]") }
        try set(TOMLTable.Entry(key: name, line: item.line, value: item.value), kind, .key(name, path: path, line: item.line))
    }

    private mutating func set(_ entry: TOMLTable.Entry, _ kind: OptionTable.Kind, _ origin: Origin) throws {
        switch (kind, entry.value.kind) {
        case (.flag, .boolean(let isSet)): if isSet { flags[entry.key] = origin }
        case (.text, .string(let text)), (.list, .string(let text)): values[entry.key] = [Given(text: text, origin: origin)]
        case (.text, .boolean(let isOn)) where entry.key == "ice": values[entry.key] = [Given(text: isOn ? "on" : "off", origin: origin)]
        case (.number, .integer(let number)): values[entry.key] = [Given(text: String(number), origin: origin)]
        case (.number, .number(let number)): values[entry.key] = [Given(text: String(number), origin: origin)]
        case (.list, .array(let items)):
            values[entry.key] = try items.map { item in
                guard case .string(let text) = item.kind else { throw origin.error("takes a list of texts, not \(item.typeName) in it") }
                return Given(text: text, origin: origin)
            }
        default: throw origin.error("takes \(ConfigurationFile.wanted(kind)), not \(entry.value.typeName)")
        }
    }

    private static func wanted(_ kind: OptionTable.Kind) -> String {
        switch kind {
        case .text: "a text in quotes"
        case .list: "a text or a list of texts"
        case .number: "a number"
        case .flag: "true or false"
        }
    }

    private static func account(_ entry: TOMLTable.Entry, _ path: String) throws -> Account {
        let place = "\(path):\(entry.line)"
        let name = Sanitiser.text(entry.key)
        guard case .table(let table) = entry.value.kind else { throw UsageError("\(place): accounts are tables: [account.\(name)]") }
        var values: [String: Given] = [:]
        var quirks = AccountQuirks()
        for item in table.entries {
            let here = "\(path):\(item.line)"
            if item.key == "quirks" {
                quirks = try ConfigurationFile.quirks(item, name, path)
                continue
            }
            guard accountKeys.contains(item.key) else {
                let isKnown = OptionTable.keys[item.key] != nil || NotInThisVersion.contains(key: item.key)
                throw UsageError(
                    isKnown
                        ? "\(here): not in this version: \(item.key) of one account" : "\(here): unknown key \(quoted(item.key)) in [account.\(name)]"
                )
            }
            let origin = Origin.key(item.key, path: path, line: item.line)
            guard case .string(let text) = item.value.kind else { throw origin.error("takes a text in quotes, not \(item.value.typeName)") }
            values[item.key] = Given(text: text, origin: origin)
        }
        guard let address = values["account"] else { throw UsageError("\(place): [account.\(name)] needs account = \"sip:user@domain\"") }
        values["account"] = nil
        return Account(name: name, address: address, values: values, quirks: quirks)
    }

    /// What one account's peers need that no other should get.
    private static func quirks(_ entry: TOMLTable.Entry, _ account: String, _ path: String) throws -> AccountQuirks {
        guard case .table(let table) = entry.value.kind else {
            throw UsageError("\(path):\(entry.line): quirks are a table: [account.\(account).quirks]")
        }
        var quirks = AccountQuirks()
        for item in table.entries {
            let origin = Origin.key(Sanitiser.text(item.key), path: path, line: item.line)
            guard case .boolean(let isSet) = item.value.kind else { throw origin.error("takes true or false, not \(item.value.typeName)") }
            switch item.key {
            case "crypto-in-answer": quirks.cryptoInAnswer = isSet
            case "accept-sha1-fingerprint": quirks.acceptsSHA1Fingerprint = isSet
            default: throw UsageError("\(path):\(item.line): unknown key \(quoted(item.key)) in [account.\(account).quirks]")
            }
        }
        return quirks
    }
}
