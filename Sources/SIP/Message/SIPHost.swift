import Core

/// The host of a URI or of a Via: a name, in lower case, or a numeric address.
public enum SIPHost: Hashable, Sendable, CustomStringConvertible {
    case name(String)
    case ip(IPAddress)

    /// A domain name, an IPv4 address, or an IPv6 address with or without brackets; nil for anything else.
    public init?(_ text: some StringProtocol) {
        if let address = IPAddress(text) {
            self = .ip(address)
            return
        }
        guard !text.isEmpty, text.utf8.allSatisfy(SIPHost.isNameByte) else { return nil }
        self = .name(SIPSyntax.lowercased(String(text)))
    }

    /// As in a URI: IPv6 in brackets.
    public var description: String {
        switch self {
        case .name(let name): name
        case .ip(let address): address.uriHost
        }
    }

    public var address: IPAddress? { if case .ip(let address) = self { address } else { nil } }

    // The underscore is not in the grammar, but in names that people use.
    static func isNameByte(_ c: UInt8) -> Bool { SIPSyntax.isAlphanumeric(c) || c == 0x2D || c == 0x2E || c == 0x5F }
}

extension ByteScanner {
    /// `hostname`, `IPv4address` or `[IPv6]`.
    mutating func host() -> SIPHost? {
        if peek == 0x5B {
            let start = position
            guard run({ $0 != 0x5D }) != nil, take(0x5D), let address = IPAddress(text(start..<position)) else { return nil }
            return .ip(address)
        }
        guard let range = run(SIPHost.isNameByte) else { return nil }
        if let address = ipv4(range) { return .ip(.v4(address)) }
        return .name(SIPSyntax.lowercased(text(range)))
    }

    /// `:port`, 1 to 65535 (0 is kept, as peers write it); a value out of range is nil and sets `isValid` to false.
    mutating func port(isValid: inout Bool) -> UInt16? {
        guard takeSeparator(SIPSyntax.colon) else { return nil }
        guard let value = number(), let port = UInt16(exactly: value) else {
            isValid = false
            return nil
        }
        return port
    }

    private func ipv4(_ range: Range<Int>) -> UInt32? {
        guard range.count >= 7, range.count <= 15, SIPSyntax.isDigit(bytes[range.lowerBound]) else { return nil }
        var address: UInt32 = 0
        var part: UInt32 = 0
        var digits = 0
        var dots = 0
        for i in range {
            let c = bytes[i]
            if c == 0x2E {
                guard digits > 0 else { return nil }
                address = address << 8 | part
                part = 0
                digits = 0
                dots += 1
            } else {
                guard SIPSyntax.isDigit(c), digits < 3 else { return nil }
                part = part * 10 + UInt32(c &- 0x30)
                digits += 1
                guard part <= 255 else { return nil }
            }
        }
        return dots == 3 && digits > 0 ? address << 8 | part : nil
    }
}
