import Core
import Engine
import SIP

/// Who the phone registers as.
extension Settings {
    mutating func readAccounts(_ choices: Choices) throws {
        for entry in try Settings.accounts(choices) {
            let address = entry.address
            let uri = try Settings.uri(address)
            guard let user = uri.user, !user.isEmpty else { throw address.error("\(quoted(address.text)) names no user, e.g. sip:alice@example.org") }
            guard uri.password == nil else { throw address.error("a password is not taken from here: use --password-file or SIDETONE_PASSWORD") }
            guard !phone.accounts.contains(where: { $0.id == entry.name }) else {
                throw address.error("the account \(quoted(entry.name)) is there twice")
            }
            if let file = entry.values["password-file"], TextFile.isReadableByOthers(file.path) {
                warnings.append(Warning(code: "password-file-open", message: "others may read \(Sanitiser.text(file.path)): chmod 600 it"))
            }
            let password = try Password.read(file: entry.values["password-file"], account: Sanitiser.text(address.text))
            let name = entry.values["username"]?.text ?? user
            var account = SIPAccount(id: entry.name, uri: uri, credentials: password.map { Credentials(username: name, password: $0) })
            if let registrar = entry.values["registrar"] {
                if registrar.text == "none" { phone.unregisteredAccounts.insert(entry.name) } else { account.registrar = try Settings.uri(registrar) }
            }
            account.proxy = try entry.values["proxy"].map(Settings.uri) ?? phone.proxy
            if entry.quirks != AccountQuirks() { phone.quirks[entry.name] = entry.quirks }
            phone.accounts.append(account)
        }
    }

    /// The accounts of the configuration file, or the one that the options name: an account of the file with that address lends it its keys.
    static func accounts(_ choices: Choices) throws -> [ConfigurationFile.Account] {
        let keys = ["username", "password-file", "registrar"]
        var given: [String: Given] = [:]
        for key in keys { given[key] = choices.value(key) }
        if let address = choices.value("account") {
            let kept = choices.accounts.first { $0.address.text == address.text }
            var account = ConfigurationFile.Account(
                name: kept?.name ?? Sanitiser.text(address.text), address: address, values: kept?.values ?? [:],
                quirks: kept?.quirks ?? AccountQuirks())
            account.values.merge(given) { _, new in new }
            // An account that a key names stands beside the tables; one that an option names is the only one.
            return address.origin.isOption ? [account] : [account] + choices.accounts.filter { $0.name != kept?.name }
        }
        guard let first = given.values.min(by: { "\($0.origin)" < "\($1.origin)" }) else { return choices.accounts }
        guard var only = choices.accounts.first else { throw first.error("needs --account") }
        guard choices.accounts.count == 1 else { throw first.error("the configuration file has several accounts: choose one with --account") }
        only.values.merge(given) { _, new in new }
        return [only]
    }
}
