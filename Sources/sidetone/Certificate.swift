import Core
import Engine
import Glibc
import Runtime
import SIP
import Secure

/// The phone's certificate: one for each account under the state folder, mode 0600; a fresh one that is not kept with `--no-config`.
enum Certificate {
    static func unixTime() -> Int64 { Int64(time(nil)) }

    /// - Parameter warnings: one is added when it cannot be kept.
    static func load(_ settings: Settings, _ warnings: inout [Settings.Warning]) throws -> CertificateIdentity {
        try load(settings, fileName(account: settings.phone.accounts.first?.uri), &warnings) { try fresh() }
    }

    /// The web port, with the certificate of HTTPS: `--tls-certificate`, else one signed by itself for this host, which a browser asks about once.
    static func web(_ web: Settings.Web, _ settings: Settings, _ warnings: inout [Settings.Warning]) throws -> WebServerConfiguration {
        var out = WebServerConfiguration(address: web.address, isExplicit: web.isExplicit, hostName: web.hostName)
        guard web.isSecure else { return out }
        if let own = settings.transports.identity {
            out.identity = own
            return out
        }
        let host = web.host
        let names = TLSServerName(host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host).map { [$0] } ?? []
        let identity = try load(settings, "web-\(Sanitiser.fileName(host)).pem", &warnings) { try fresh(servers: names) }
        do {
            out.identity = try TLSIdentity(identity)
        } catch {
            throw UsageError("cannot make a certificate: \(error)")
        }
        return out
    }

    private static func load(
        _ settings: Settings, _ name: String, _ warnings: inout [Settings.Warning], make: () throws -> CertificateIdentity
    ) throws -> CertificateIdentity {
        guard settings.keepsState else { return try make() }
        guard let state = TextFile.xdg("XDG_STATE_HOME", fallback: ".local/state") else {
            warnings.append(
                Settings.Warning(
                    code: "certificate-not-kept", message: "no folder to keep the certificate in: neither XDG_STATE_HOME nor HOME is set"))
            return try make()
        }
        let folder = state + "/sidetone"
        let path = folder + "/" + name
        if let text = TextFile.read(path, limit: 65_536), let kept = try? CertificateIdentity(pem: Array(text.utf8)),
            kept.isValid(unixTime: unixTime())
        {
            if TextFile.isReadableByOthers(path) { chmod(path, 0o600) }
            return kept
        }
        let made = try make()
        TextFile.makeFolder(folder)
        if !TextFile.writePrivate(path, made.pem) {
            let why = String(cString: strerror(errno))
            warnings.append(
                Settings.Warning(
                    code: "certificate-not-kept", message: "cannot keep the certificate in \(Sanitiser.text(path)): \(why); this run has a fresh one")
            )
        }
        return made
    }

    /// The address of record names it: the same account has the same certificate however it was configured.
    static func fileName(account: SIPURI?) -> String {
        guard let account else { return "certificate.pem" }
        return "certificate-\(Sanitiser.fileName("\(account.user ?? "")@\(account.host)")).pem"
    }

    private static func fresh(servers: [TLSServerName] = []) throws -> CertificateIdentity {
        do {
            return try CertificateIdentity.selfSigned(unixTime: unixTime(), servers: servers)
        } catch {
            throw UsageError("cannot make a certificate: \(error)")
        }
    }
}
