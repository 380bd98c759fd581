import CAres
import Core

/// Questions and answers of the DNS as bytes (RFC 1035, 2782, 3403), over c-ares. What a server sends is total: a message or nil, never a trap.
enum DNSCodec {
    enum RecordType: UInt16, Sendable {
        case a = 1
        case cname = 5
        case aaaa = 28
        case srv = 33
        case naptr = 35
    }

    enum Data: Sendable, Equatable {
        case address(IPAddress)
        case cname(String)
        case srv(priority: UInt16, weight: UInt16, port: UInt16, target: String)
        case naptr(order: UInt16, preference: UInt16, flags: String, service: String, regexp: String, replacement: String)
    }

    struct Record: Sendable, Equatable {
        var name: String
        /// Seconds.
        var ttl: UInt32
        var data: Data
    }

    struct Message: Sendable, Equatable {
        var id: UInt16
        var name: String
        var type: UInt16
        var code: UInt8
        var isTruncated: Bool
        /// Those of the answer section that are of a type we know, in order.
        var records: [Record]
    }

    static let maximumRecords = 64
    /// EDNS: what fits an unfragmented datagram everywhere.
    static let largestDatagram: Int32 = 1232

    /// A recursive question of class IN; nil when the name cannot be one.
    static func question(id: UInt16, name: String, type: RecordType) -> [UInt8]? {
        guard name.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "\\") }) else { return nil }
        var buffer: UnsafeMutablePointer<UInt8>?
        var count: Int32 = 0
        let status = ares_create_query(name, Int32(ns_c_in.rawValue), Int32(type.rawValue), id, 1, &buffer, &count, largestDatagram)
        guard status == ARES_SUCCESS, let buffer, count > 0 else { return nil }
        defer { ares_free_string(buffer) }
        return Array(UnsafeBufferPointer(start: buffer, count: Int(count)))
    }

    /// nil unless it is a well-formed response to one question.
    static func message(_ bytes: [UInt8]) -> Message? {
        guard bytes.count <= 65_535 else { return nil }
        return bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return nil }
            var reader = Reader(base: base, count: buffer.count)
            return reader.message()
        }
    }

    /// A place in a message. Names may point anywhere in it: c-ares follows them safely.
    private struct Reader {
        let base: UnsafePointer<UInt8>
        let count: Int
        var position = 0

        private mutating func u8() -> UInt8? {
            guard position < count else { return nil }
            defer { position += 1 }
            return base[position]
        }

        private mutating func u16() -> UInt16? {
            guard let high = u8(), let low = u8() else { return nil }
            return UInt16(high) << 8 | UInt16(low)
        }

        private mutating func u32() -> UInt32? {
            guard let high = u16(), let low = u16() else { return nil }
            return UInt32(high) << 16 | UInt32(low)
        }

        /// Lower case, without the root's dot.
        private mutating func name() -> String? {
            guard position < count else { return nil }
            var text: UnsafeMutablePointer<CChar>?
            var used = 0
            guard ares_expand_name(base + position, base, Int32(truncatingIfNeeded: count), &text, &used) == ARES_SUCCESS, let text
            else { return nil }
            defer { ares_free_string(text) }
            guard used > 0, used <= count - position else { return nil }
            position += used
            return String(cString: text).lowercased()
        }

        private mutating func string() -> String? {
            guard let length = u8(), Int(length) <= count - position else { return nil }
            defer { position += Int(length) }
            return String(decoding: UnsafeBufferPointer(start: base + position, count: Int(length)), as: UTF8.self)
        }

        mutating func message() -> Message? {
            guard let id = u16(), let flags = u16(), let questions = u16(), let answers = u16(), u32() != nil else { return nil }
            // A response, and a standard one.
            guard flags & 0x8000 != 0, flags & 0x7800 == 0, questions == 1 else { return nil }
            guard let asked = name(), let type = u16(), let kind = u16(), kind == 1 else { return nil }
            var message = Message(
                id: id, name: asked, type: type, code: UInt8(flags & 0xF), isTruncated: flags & 0x0200 != 0, records: [])
            for _ in 0..<answers {
                guard message.records.count < DNSCodec.maximumRecords else { break }
                // What was cut off at the end of a truncated message is asked for again.
                guard let found = record() else { return message.isTruncated ? message : nil }
                if let found = found.record { message.records.append(found) }
            }
            return message
        }

        /// nil: malformed; a nil record: of a kind that nobody asked for.
        private mutating func record() -> (record: Record?, Void)? {
            guard let owner = name(), let type = u16(), let kind = u16(), let ttl = u32(), let length = u16(), Int(length) <= count - position
            else { return nil }
            let end = position + Int(length)
            guard kind == 1, let type = RecordType(rawValue: type) else {
                position = end
                return (nil, ())
            }
            // The data may not reach past its own length.
            var inside = Reader(base: base, count: end, position: position)
            guard let data = inside.data(type), inside.position == end else { return nil }
            position = end
            return (Record(name: owner, ttl: min(ttl, 0x7FFF_FFFF), data: data), ())
        }

        private mutating func data(_ type: RecordType) -> Data? {
            switch type {
            case .a, .aaaa:
                guard let address = IPAddress(bytes: UnsafeBufferPointer(start: base + position, count: count - position)),
                    address.isV4 == (type == .a)
                else { return nil }
                position = count
                return .address(address)
            case .cname: return name().map { .cname($0) }
            case .srv:
                guard let priority = u16(), let weight = u16(), let port = u16(), let target = name() else { return nil }
                return .srv(priority: priority, weight: weight, port: port, target: target)
            case .naptr:
                guard let order = u16(), let preference = u16(), let flags = string(), let service = string(), let regexp = string(),
                    let replacement = name()
                else { return nil }
                return .naptr(
                    order: order, preference: preference, flags: flags, service: service, regexp: regexp, replacement: replacement)
            }
        }
    }
}
