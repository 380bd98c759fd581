import Core
import Engine
import Glibc
import SIP
import Secure

/// The phone's certificate: one for each account under the state folder, mode 0600; a fresh one that is not kept with `--no-config`.
enum Certificate {
    static func unixTime() -> Int64 { Int64(time(nil)) }

    static func load(_ settings: Settings) throws -> CertificateIdentity {
        if settings.keepsCertificate, let state = TextFile.xdg("XDG_STATE_HOME", fallback: ".local/state") {
            let folder = state + "/sidetone"
            let name = settings.phone.accounts.first.map { "certificate-\(Sanitiser.fileName($0.id)).pem" } ?? "certificate.pem"
            let path = folder + "/" + name
            if let text = TextFile.read(path, limit: 65_536), let kept = try? CertificateIdentity(pem: Array(text.utf8)), kept.isValid(unixTime: unixTime()) {
                return kept
            }
            let made = try fresh()
            TextFile.makeFolder(folder)
            if !TextFile.writePrivate(path, made.pem) { Output.line(2, "warning: cannot keep the certificate in \(path): \(String(cString: strerror(errno)))") }
            return made
        }
        return try fresh()
    }

    private static func fresh() throws -> CertificateIdentity {
        do {
            return try CertificateIdentity.selfSigned(unixTime: unixTime())
        } catch {
            throw UsageError("cannot make a certificate: \(error)")
        }
    }
}
