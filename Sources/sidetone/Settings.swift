import AudioIO
import Core
import Engine
import Glibc
import Interface
import Runtime
import SIP

/// Options and configuration file joined and checked: what the phone is made of. Every mistake is a `UsageError`.
struct Settings {
    var phone = PhoneConfiguration()
    var listeners: [ListenSpecification] = []
    /// Names of STUN servers, resolved at the start.
    var stun: [String] = []
    var audioIn: AudioDeviceSpec = .alsa(name: nil)
    var audioOut: AudioDeviceSpec = .alsa(name: nil)
    var keepsCertificate = true
    var json = false
    var keylog: String?
    var log = LogSettings()

    struct LogSettings {
        var file: String?
        var level = "warning"
        var tracesSIP = false
    }

    enum Role { case screen, call, answer }

    init(_ options: SharedOptions, role: Role) throws {
        let file = options.noConfig ? ConfigurationFile() : try ConfigurationFile.load(options.config)
        json = options.json || file.flag("json")
        keepsCertificate = !options.noConfig
        keylog = options.keylog ?? file.value("keylog")
        log.file = options.logFile ?? file.value("log-file")
        log.level = options.logLevel ?? file.value("log-level") ?? "warning"
        guard ["error", "warning", "info", "debug"].contains(log.level) else { throw UsageError("--log-level: \"\(log.level)\" is not one of error, warning, info, debug") }
        log.tracesSIP = options.traceSIP || file.flag("trace-sip")
        phone.userAgent = "Sidetone/\(Root.version)"

        try readMedia(options, file)
        try readSignalling(options, file, role: role)
        try readAccounts(options, file)
    }

    private mutating func readMedia(_ options: SharedOptions, _ file: ConfigurationFile) throws {
        if let text = options.security ?? file.value("security") {
            guard let policy = Interface.SecurityPolicy(rawValue: text) else { throw UsageError("--security: \"\(text)\" is not one of dtls, sdes, none, prefer") }
            phone.security = policy
        }
        if let text = options.ice ?? file.value("ice") {
            guard text == "on" || text == "off" else { throw UsageError("--ice: \"\(text)\" is not on or off") }
            phone.ice = text == "on"
        }
        let names = options.codec.isEmpty ? file.values("codec") : options.codec
        if !names.isEmpty {
            for name in names where !["opus", "pcmu", "pcma"].contains(name.lowercased()) {
                let known = ["g722", "vp8"].contains(name.lowercased())
                throw UsageError(known ? "not in this version: --codec \(name)" : "--codec: \"\(name)\" is not one of opus, PCMU, PCMA")
            }
            phone.codecs = names
        }
        phone.isEcho = options.echo || file.flag("echo")
        audioIn = try Settings.device(options.audioIn ?? file.value("audio-in"), .input)
        audioOut = try Settings.device(options.audioOut ?? file.value("audio-out"), .output)
        stun = options.stun.isEmpty ? file.values("stun") : options.stun
        for server in stun where Settings.hostAndPort(server) == nil { throw UsageError("--stun: \"\(server)\" is not HOST:PORT") }
    }

    private static func device(_ text: String?, _ direction: AudioDeviceSpec.Direction) throws -> AudioDeviceSpec {
        guard let text else { return .alsa(name: nil) }
        do {
            return try AudioDeviceSpec(text, direction: direction)
        } catch {
            throw UsageError("\(error)")
        }
    }

    static func hostAndPort(_ text: String) -> (host: String, port: UInt16)? {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0, colon > text.startIndex else { return nil }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        return (host, port)
    }

    private mutating func readSignalling(_ options: SharedOptions, _ file: ConfigurationFile, role: Role) throws {
        for text in options.listen.isEmpty ? file.values("listen") : options.listen {
            guard let listener = ListenSpecification(text) else {
                throw UsageError("--listen: \"\(text)\" is not TRANSPORT:HOST:PORT with a numeric host, e.g. udp:0.0.0.0:5060")
            }
            guard listener.transport == .udp || listener.transport == .tcp else { throw UsageError("not in this version: --listen \(listener.transport.rawValue)") }
            listeners.append(listener)
        }
        if listeners.isEmpty {
            let port: UInt16 = role == .call ? 0 : 5060
            listeners = [ListenSpecification(transport: .udp, address: SocketAddress(.anyV4, port), isExplicit: false)]
        } else if !listeners.contains(where: { $0.transport == .udp }) {
            // UDP is still needed to send from.
            listeners.append(ListenSpecification(transport: .udp, address: SocketAddress(listeners[0].address.ip, 0), isExplicit: false))
        }
        if let text = options.identity ?? file.value("identity") { phone.identity = try Settings.uri(text, "--identity") }
        if let text = options.proxy ?? file.value("proxy") { phone.proxy = try Settings.uri(text, "--proxy") }
    }

    static func uri(_ text: String, _ option: String) throws -> SIPURI {
        guard let uri = SIPURI(text), uri.scheme == "sip" || uri.scheme == "sips" else { throw UsageError("\(option): \"\(text)\" is not a SIP URI") }
        if let transport = uri.transport?.lowercased(), ["tls", "ws", "wss"].contains(transport) {
            throw UsageError("not in this version: \(option) with transport=\(transport)")
        }
        if uri.scheme == "sips" { throw UsageError("not in this version: \(option) with sips:") }
        return uri
    }

    private mutating func readAccounts(_ options: SharedOptions, _ file: ConfigurationFile) throws {
        var found: [ConfigurationFile.Account] = []
        if let address = options.account {
            found = [
                ConfigurationFile.Account(
                    name: address, address: address, username: options.username, passwordFile: options.passwordFile, registrar: options.registrar, proxy: nil)
            ]
        } else {
            for (option, value) in [("--username", options.username), ("--password-file", options.passwordFile), ("--registrar", options.registrar)]
            where value != nil && file.accounts.isEmpty {
                throw UsageError("\(option) needs --account")
            }
            found = file.accounts
        }
        for entry in found {
            let uri = try Settings.uri(entry.address, "--account")
            guard let user = uri.user else { throw UsageError("--account: \"\(entry.address)\" names no user") }
            let password = try Password.read(file: entry.passwordFile, account: entry.address)
            let credentials = password.map { Credentials(username: entry.username ?? user, password: $0) }
            var account = SIPAccount(id: entry.name, uri: uri, credentials: credentials)
            if let registrar = entry.registrar {
                if registrar == "none" { phone.unregisteredAccounts.insert(entry.name) } else { account.registrar = try Settings.uri(registrar, "--registrar") }
            }
            account.proxy = try entry.proxy.map { try Settings.uri($0, "proxy") } ?? phone.proxy
            phone.accounts.append(account)
        }
    }
}
