import CAres
import Core
import Glibc

/// What the system says about names: its servers (by c-ares: `/etc/resolv.conf`) and `/etc/hosts`.
struct DNSConfiguration: Sendable, Equatable {
    /// In the order to ask.
    var servers: [SocketAddress] = []
    /// Lower case to addresses, in the file's order.
    var hosts: [String: [IPAddress]] = [:]

    /// Appended to names without a dot.
    var searchDomains: [String] = []

    static let maximumServers = 4

    static func system() -> DNSConfiguration {
        var made = DNSConfiguration(hosts: hosts(of: readFile("/etc/hosts")))
        var channel: ares_channel?
        guard ares_init(&channel) == ARES_SUCCESS, let channel else { return made }
        defer { ares_destroy(channel) }
        made.servers = servers(channel)
        made.searchDomains = searchDomains(channel)
        return made
    }

    private static func searchDomains(_ channel: ares_channel) -> [String] {
        var options = ares_options()
        var mask: Int32 = 0
        guard ares_save_options(channel, &options, &mask) == ARES_SUCCESS else { return [] }
        defer { ares_destroy_options(&options) }
        guard let domains = options.domains else { return [] }
        return (0..<min(max(0, Int(options.ndomains)), 6)).compactMap { domains[$0].map { String(cString: $0).lowercased() } }
    }

    private static func servers(_ channel: ares_channel) -> [SocketAddress] {
        var list: UnsafeMutablePointer<ares_addr_port_node>?
        guard ares_get_servers_ports(channel, &list) == ARES_SUCCESS else { return [] }
        defer { if let list { ares_free_data(list) } }
        var found: [SocketAddress] = []
        var next = list
        while let node = next, found.count < maximumServers {
            let length = node.pointee.family == AF_INET ? 4 : 16
            let ip = withUnsafeBytes(of: &node.pointee.addr) { IPAddress(bytes: $0.prefix(length)) }
            let port = UInt16(clamping: node.pointee.udp_port)
            if let ip { found.append(SocketAddress(ip, port == 0 ? 53 : port)) }
            next = node.pointee.next
        }
        return found
    }

    private static func readFile(_ path: String) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var out: [UInt8] = []
        var bytes = [UInt8](repeating: 0, count: 16_384)
        while out.count < 1 << 20 {
            let count = read(descriptor, &bytes, bytes.count)
            guard count > 0 else { break }
            out += bytes.prefix(count)
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// The lines of `/etc/hosts`: an address, then its names.
    static func hosts(of text: String) -> [String: [IPAddress]] {
        var found: [String: [IPAddress]] = [:]
        for line in text.split(separator: "\n") {
            let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace)
            guard let first = words.first, let address = IPAddress(first) else { continue }
            for word in words.dropFirst() {
                let name = word.lowercased()
                if found[name, default: []].contains(address) { continue }
                found[name, default: []].append(address)
            }
        }
        return found
    }
}
