import Core
import Engine
import Glibc
import SIP
import Secure

/// The phone's certificate: one for each account under the state folder, mode 0600; a fresh one that is not kept with `--no-config`.
enum Certificate {
    static func unixTime() -> Int64 { Int64(time(nil)) }

    /// - Parameter warnings: one is added when it cannot be kept.
    static func load(_ settings: Settings, _ warnings: inout [Settings.Warning]) throws -> CertificateIdentity {
        guard settings.keepsState else { return try fresh() }
        guard let state = TextFile.xdg("XDG_STATE_HOME", fallback: ".local/state") else {
            warnings.append(
                Settings.Warning(
                    code: "certificate-not-kept", message: "no folder to keep the certificate in: neither XDG_STATE_HOME nor HOME is set"))
            return try fresh()
        }
        let folder = state + "/sidetone"
        let path = folder + "/" + fileName(account: settings.phone.accounts.first?.uri)
        if let text = TextFile.read(path, limit: 65_536), let kept = try? CertificateIdentity(pem: Array(text.utf8)),
            kept.isValid(unixTime: unixTime())
        {
            if TextFile.isReadableByOthers(path) { chmod(path, 0o600) }
            return kept
        }
        let made = try fresh()
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

    private static func fresh() throws -> CertificateIdentity {
        do {
            return try CertificateIdentity.selfSigned(unixTime: unixTime())
        } catch {
            throw UsageError("cannot make a certificate: \(error)")
        }
    }
}
