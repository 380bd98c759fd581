import COpenSSL
import Core

/// Whom we mean to talk to, and by which rules a certificate proves it.
public struct TLSPeerName: Sendable, Equatable, CustomStringConvertible {
    public enum Rules: Sendable, Equatable {
        /// RFC 5922 §7: SIP URIs of domain form first, then DNS names, the common name only without any alternative name.
        case sip
        /// A web server (WSS): DNS names and addresses, the common name only without any alternative name.
        case web
    }

    enum Host: Equatable {
        case name(String)
        case address(IPAddress)
    }

    let host: Host
    public let rules: Rules

    /// - Parameter host: a name, or a numeric address with or without brackets.
    public init(_ host: String, rules: Rules) {
        self.rules = rules
        if let address = IPAddress(host) {
            self.host = .address(address)
        } else {
            self.host = .name(TLSPeerName.canonical(host))
        }
    }

    public var description: String {
        switch host {
        case .name(let name): Sanitiser.text(name, limit: 120)
        case .address(let address): address.description
        }
    }

    /// The name for server_name (RFC 6066 §3: never an address).
    var serverName: String? { if case .name(let name) = host, !name.isEmpty { name } else { nil } }

    /// Whether a certificate of these names is this peer's. Nothing but an exact match counts: no wildcard (RFC 5922 §7.2).
    func isMatched(by names: CertificateNames) -> Bool {
        let domains = rules == .sip ? names.sipDomains : []
        switch host {
        case .name(let name):
            if !domains.isEmpty { return domains.contains { TLSPeerName.canonical($0) == name } }
            if names.hasAlternativeNames { return names.dns.contains { TLSPeerName.canonical($0) == name } }
            return names.commonName.map { TLSPeerName.canonical($0) == name } ?? false
        case .address(let address):
            if names.addresses.contains(address) || domains.contains(where: { IPAddress($0) == address }) { return true }
            return !names.hasAlternativeNames && names.commonName.flatMap { IPAddress($0) } == address
        }
    }

    /// Lower case (ASCII only), without the root's dot at the end.
    static func canonical(_ name: String) -> String {
        var bytes = name.utf8.map { $0 >= 65 && $0 <= 90 ? $0 | 0x20 : $0 }
        if bytes.last == UInt8(ascii: "."), bytes.count > 1 { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// The names in a certificate.
struct CertificateNames: Equatable {
    /// Hosts of `sip:` URIs without a user part.
    var sipDomains: [String] = []
    var dns: [String] = []
    var addresses: [IPAddress] = []
    /// The most specific one.
    var commonName: String?
    /// True also when the extension is there and holds nothing usable.
    var hasAlternativeNames = false

    static let maximum = 1024

    init() {}

    init(certificate: OpaquePointer) {
        var critical: Int32 = 0
        let names = X509_get_ext_d2i(certificate, NID_subject_alt_name, &critical, nil)
        // −1: it is not there. Anything else without a value: it cannot be read, or is there twice.
        hasAlternativeNames = names != nil || critical != -1
        if let names {
            defer { ossl_names_free(names) }
            for index in 0..<min(max(0, ossl_names_count(names)), Int32(Self.maximum)) { add(ossl_names_at(names, index)) }
        }
        commonName = Self.commonName(of: certificate)
        ERR_clear_error()
    }

    private mutating func add(_ name: UnsafeMutablePointer<GENERAL_NAME>?) {
        var type: Int32 = 0
        guard let name, let raw = GENERAL_NAME_get0_value(name, &type) else { return }
        guard type == GEN_DNS || type == GEN_URI || type == GEN_IPADD else { return }
        let string = raw.assumingMemoryBound(to: ASN1_STRING.self)
        let count = ASN1_STRING_length(string)
        guard count > 0, count <= 4096, let data = ASN1_STRING_get0_data(string) else { return }
        let bytes = Array(UnsafeBufferPointer(start: data, count: Int(count)))
        if type == GEN_IPADD {
            if let address = IPAddress(bytes: bytes) { addresses.append(address) }
        } else if type == GEN_DNS {
            if let text = Self.visible(bytes) { dns.append(text) }
        } else if let text = Self.visible(bytes), let domain = Self.sipDomain(text) {
            sipDomains.append(domain)
        }
    }

    /// Printable ASCII only: a NUL inside would cut the name short for somebody.
    private static func visible(_ bytes: [UInt8]) -> String? {
        bytes.allSatisfy { $0 > 32 && $0 < 127 } ? String(decoding: bytes, as: UTF8.self) : nil
    }

    /// The host of `sip:example.org`; nil for other schemes and for URIs with a user (RFC 5922 §7.1).
    static func sipDomain(_ uri: String) -> String? {
        guard uri.count > 4, uri.prefix(4).lowercased() == "sip:" else { return nil }
        let rest = uri.dropFirst(4).prefix { $0 != ";" && $0 != "?" }
        guard !rest.contains("@") else { return nil }
        if rest.hasPrefix("[") {
            guard let end = rest.firstIndex(of: "]") else { return nil }
            return IPAddress(rest[...end])?.description
        }
        let host = rest.prefix { $0 != ":" }
        return host.isEmpty ? nil : String(host)
    }

    private static func commonName(of certificate: OpaquePointer) -> String? {
        guard let subject = X509_get_subject_name(certificate) else { return nil }
        var last: Int32 = -1
        while true {
            let next = X509_NAME_get_index_by_NID(subject, NID_commonName, last)
            guard next > last else { break }
            last = next
        }
        guard last >= 0, let entry = X509_NAME_get_entry(subject, last), let data = X509_NAME_ENTRY_get_data(entry) else { return nil }
        var text: UnsafeMutablePointer<UInt8>?
        let count = ASN1_STRING_to_UTF8(&text, data)
        guard let text else { return nil }
        defer { ossl_free(text) }
        return count > 0 ? visible(Array(UnsafeBufferPointer(start: text, count: Int(count)))) : nil
    }

    /// What to tell a person: at most three names.
    func presented(rules: TLSPeerName.Rules) -> [String] {
        let all: [String] =
            if rules == .sip, !sipDomains.isEmpty {
                sipDomains + addresses.map(\.description)
            } else if hasAlternativeNames {
                dns + addresses.map(\.description)
            } else {
                commonName.map { [$0] } ?? []
            }
        let shown = all.prefix(3).map { Sanitiser.text($0, limit: 80) }
        return all.count > 3 ? shown + ["\(all.count - 3) more"] : shown
    }
}
