/// An IPv4 or IPv6 address as a value. Parsing is total and accepts numeric forms only.
public enum IPAddress: Hashable, Sendable, CustomStringConvertible {
    case v4(UInt32)
    /// The upper and lower 64 bits, host order.
    case v6(UInt64, UInt64)

    public static let anyV4 = IPAddress.v4(0)
    public static let anyV6 = IPAddress.v6(0, 0)
    public static let loopbackV4 = IPAddress.v4(0x7F00_0001)
    public static let loopbackV6 = IPAddress.v6(0, 1)

    public var isV4: Bool { if case .v4 = self { true } else { false } }
    public var isV6: Bool { !isV4 }

    /// 0.0.0.0 or ::
    public var isUnspecified: Bool {
        switch self {
        case .v4(let a): a == 0
        case .v6(let h, let l): h == 0 && l == 0
        }
    }

    /// 127.0.0.0/8 or ::1
    public var isLoopback: Bool {
        switch self {
        case .v4(let a): a >> 24 == 127
        case .v6(let h, let l): h == 0 && l == 1
        }
    }

    /// 169.254.0.0/16 or fe80::/10
    public var isLinkLocal: Bool {
        switch self {
        case .v4(let a): a >> 16 == 0xA9FE
        case .v6(let h, _): h >> 54 == 0x3FA
        }
    }

    public var isMulticast: Bool {
        switch self {
        case .v4(let a): a >> 28 == 0xE
        case .v6(let h, _): h >> 56 == 0xFF
        }
    }

    /// Network byte order: 4 or 16 bytes.
    public var bytes: [UInt8] {
        var w = ByteWriter(capacity: 16)
        switch self {
        case .v4(let a): w.u32(a)
        case .v6(let h, let l):
            w.u64(h)
            w.u64(l)
        }
        return w.bytes
    }

    /// From 4 or 16 bytes in network order.
    public init?(bytes: some Collection<UInt8>) {
        switch bytes.count {
        case 4: self = .v4(bytes.reduce(UInt32(0)) { $0 << 8 | UInt32($1) })
        case 16:
            let b = Array(bytes)
            self = .v6(b[0..<8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }, b[8..<16].reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
        default: return nil
        }
    }

    /// "192.0.2.1", "2001:db8::1" or "[2001:db8::1]"; a zone ("%eth0") is not accepted.
    public init?(_ text: some StringProtocol) {
        var characters = Array(text.utf8)
        if characters.first == UInt8(ascii: "["), characters.last == UInt8(ascii: "]") {
            characters = Array(characters.dropFirst().dropLast())
            guard characters.contains(UInt8(ascii: ":")) else { return nil }
        }
        if characters.contains(UInt8(ascii: ":")) {
            guard let parsed = IPAddress.parseV6(characters) else { return nil }
            self = parsed
        } else {
            guard let parsed = IPAddress.parseV4(characters[...]) else { return nil }
            self = .v4(parsed)
        }
    }

    private static func parseV4(_ text: ArraySlice<UInt8>) -> UInt32? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var address: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.count), part.allSatisfy({ $0 >= 48 && $0 <= 57 }) else { return nil }
            let n = part.reduce(UInt32(0)) { $0 * 10 + UInt32($1 - 48) }
            guard n <= 255 else { return nil }
            address = address << 8 | n
        }
        return address
    }

    private static func parseV6(_ text: [UInt8]) -> IPAddress? {
        guard text.count <= 45 else { return nil }
        let colon = UInt8(ascii: ":")
        var head: [UInt16] = []
        var tail: [UInt16] = []
        var seenGap = false
        var groups = text.split(separator: colon, omittingEmptySubsequences: false)[...]
        // "::x" and "x::" each give two empty groups at an end, "::" gives three.
        if groups.first?.isEmpty == true {
            guard groups.count >= 3, groups[groups.startIndex + 1].isEmpty else { return nil }
            groups = groups.dropFirst()
        }
        if groups.last?.isEmpty == true {
            guard groups.count >= 2, groups[groups.endIndex - 2].isEmpty else { return nil }
            groups = groups.dropLast()
        }
        for (i, group) in zip(groups.indices, groups) {
            var words: [UInt16] = []
            if group.isEmpty {
                if seenGap { return nil }
                seenGap = true
                continue
            } else if group.contains(UInt8(ascii: ".")) {
                guard i == groups.endIndex - 1, let v4 = parseV4(group) else { return nil }
                words = [UInt16(truncatingIfNeeded: v4 >> 16), UInt16(truncatingIfNeeded: v4)]
            } else {
                // The standard library's initialiser would take a sign.
                guard group.count <= 4, let n = UInt16(String(decoding: group, as: UTF8.self), radix: 16),
                    group.first != UInt8(ascii: "+"), group.first != UInt8(ascii: "-")
                else { return nil }
                words = [n]
            }
            if seenGap { tail += words } else { head += words }
        }
        let filled = head.count + tail.count
        guard seenGap ? filled <= 7 : filled == 8 else { return nil }
        let all = head + [UInt16](repeating: 0, count: 8 - filled) + tail
        let h = all[0..<4].reduce(UInt64(0)) { $0 << 16 | UInt64($1) }
        let l = all[4..<8].reduce(UInt64(0)) { $0 << 16 | UInt64($1) }
        return .v6(h, l)
    }

    /// Numeric text; IPv6 in the form of RFC 5952, without brackets.
    public var description: String {
        switch self {
        case .v4(let a): return "\(a >> 24).\(a >> 16 & 255).\(a >> 8 & 255).\(a & 255)"
        case .v6(let h, let l):
            if h == 0, l >> 32 == 0xFFFF { return "::ffff:\(IPAddress.v4(UInt32(truncatingIfNeeded: l)))" }
            let words = (0..<8).map { i in UInt16(truncatingIfNeeded: (i < 4 ? h : l) >> UInt64(48 - 16 * (i % 4))) }
            var best = 0..<0
            var i = 0
            while i < 8 {
                var j = i
                while j < 8, words[j] == 0 { j += 1 }
                if j - i > best.count { best = i..<j }
                i = max(j, i + 1)
            }
            let hex = { (r: Range<Int>) in r.map { String(words[$0], radix: 16) }.joined(separator: ":") }
            return best.count < 2 ? hex(0..<8) : hex(0..<best.lowerBound) + "::" + hex(best.upperBound..<8)
        }
    }

    /// As in a URI or a `host:port` pair: IPv6 in brackets.
    public var uriHost: String { isV4 ? description : "[\(description)]" }

    /// An IPv4-mapped IPv6 address as IPv4; anything else unchanged.
    public var unmapped: IPAddress {
        if case .v6(0, let l) = self, l >> 32 == 0xFFFF { return .v4(UInt32(truncatingIfNeeded: l)) }
        return self
    }
}

/// An IP address and a port.
public struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
    public var ip: IPAddress
    public var port: UInt16

    public init(_ ip: IPAddress, _ port: UInt16) {
        self.ip = ip
        self.port = port
    }

    /// "192.0.2.1:5060" or "[2001:db8::1]:5060".
    public init?(_ text: some StringProtocol) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let digits = text[text.index(after: colon)...]
        guard digits.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }), let port = UInt16(digits) else { return nil }
        let host = text[..<colon]
        guard let ip = IPAddress(host), ip.isV4 || host.first == "[" else { return nil }
        self.init(ip, port)
    }

    public var description: String { "\(ip.uriHost):\(port)" }
}
