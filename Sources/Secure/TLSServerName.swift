import Core

/// A name in a server's own certificate (subjectAltName, RFC 5280 §4.2.1.6).
public enum TLSServerName: Sendable, Hashable {
    case ip(IPAddress)
    case dns(String)

    /// An address, or a name of letters, digits, hyphens and dots; nil for anything else.
    public init?(_ text: String) {
        if let ip = IPAddress(text) {
            self = .ip(ip)
            return
        }
        let isNameByte = { (c: UInt8) in
            c == 0x2D || c == 0x2E || (0x30...0x39).contains(c) || (0x41...0x5A).contains(c) || (0x61...0x7A).contains(c)
        }
        guard !text.isEmpty, text.utf8.count <= 253, text.utf8.allSatisfy(isNameByte) else { return nil }
        self = .dns(text)
    }

    /// As the library reads it. No name can hold a comma.
    var openSSL: String {
        switch self {
        case .ip(let address): "IP:\(address.description)"
        case .dns(let name): "DNS:\(name)"
        }
    }
}
