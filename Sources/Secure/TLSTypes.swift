import Core

/// Why a TLS connection could not be made or ended early. `description` is one line for a person.
public enum TLSFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// The certificate has none of the names that would do.
    case wrongName(expected: String, presented: [String])
    /// The chain ends at nobody we trust.
    case unknownAuthority
    /// The certificate is signed by itself and is not trusted by name.
    case selfSigned
    /// UTC, "2026-11-25".
    case expired(on: String)
    case notYetValid(before: String)
    /// The chain is refused for another reason: the library's words.
    case certificate(reason: String)
    case noCertificate
    /// The peer has neither TLS 1.2 nor 1.3, or does not speak TLS at all.
    case protocolVersion
    /// The peer refused or ended with this fatal alert (RFC 8446 §6.2).
    case alert(UInt8)
    case handshake(reason: String)
    /// The connection ended during the handshake.
    case interrupted
    /// The connection ended without close_notify: something may be missing.
    case truncated
    /// A record that cannot be right, after the handshake.
    case record(reason: String)
    /// The library could not be set up.
    case library(reason: String)

    public var description: String {
        switch self {
        case .wrongName(let expected, let presented):
            presented.isEmpty
                ? "certificate names nobody, not \(expected)" : "certificate is for \(presented.joined(separator: ", ")), not \(expected)"
        case .unknownAuthority: "certificate is signed by an unknown CA"
        case .selfSigned: "certificate is signed by itself, not by a known CA"
        case .expired(let day): "certificate expired on \(day)"
        case .notYetValid(let day): "certificate is not valid before \(day)"
        case .certificate(let reason): "certificate refused: \(reason)"
        case .noCertificate: "the peer showed no certificate"
        case .protocolVersion: "protocol version: the peer does not speak TLS 1.2 or 1.3"
        case .alert(let code): "the peer refused: \(TLSFailure.alertName(code))"
        case .handshake(let reason): "handshake failed: \(reason)"
        case .interrupted: "the peer closed the connection during the handshake"
        case .truncated: "the connection ended without a goodbye"
        case .record(let reason): "broken record: \(reason)"
        case .library(let reason): "TLS cannot be set up: \(reason)"
        }
    }

    private static func alertName(_ code: UInt8) -> String {
        switch code {
        case 40: "handshake failure"
        case 42: "it does not like our certificate"
        case 43: "it does not support our kind of certificate"
        case 44, 45: "our certificate is revoked or expired"
        case 46: "our certificate is not acceptable"
        case 48: "it does not know the CA of our certificate"
        case 49: "access denied"
        case 71: "insufficient security"
        case 80: "internal error"
        case 112: "it does not have that name"
        case 116: "it wants a certificate of ours"
        default: "alert \(code)"
        }
    }
}

/// What a connection agreed on.
public struct TLSNegotiated: Sendable, Equatable {
    /// "TLSv1.3" or "TLSv1.2".
    public var version: String
    /// The IANA name of the cipher suite.
    public var cipher: String
    /// The name by which the peer's certificate was accepted; nil for a server.
    public var peerName: String?
}

/// What a connection wants done.
public enum TLSOutput: Sendable, Equatable {
    /// Bytes for the peer.
    case transmit([UInt8])
    /// The handshake is done and the certificate verified. Once.
    case established(TLSNegotiated)
    /// What the peer said.
    case received([UInt8])
    /// One line of the NSS key log format, without line end. Only when the configuration asks for it.
    case keyLog(String)
    /// The end, with a reason. What is to be sent before it came before it. The last output.
    case failed(TLSFailure)
    /// The end in order: we or the peer said goodbye. The last output.
    case closed
}
