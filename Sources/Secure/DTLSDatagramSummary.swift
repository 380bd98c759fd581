import Core

/// What a DTLS datagram holds, for people: the names of its handshake messages and records (RFC 5246 §7.4, RFC 6347 §4.1). Reads only what is
/// in clear; never fails.
public struct DTLSDatagramSummary: Sendable, Hashable {
    /// E.g. ["ServerHello", "Certificate"]; "Finished" stands for the encrypted message of epoch 1.
    public var messages: [String] = []
    /// Identifies the handshake messages and fragments: equal for a retransmission.
    var keys: [UInt64] = []

    /// Only the first few records are read: a flight of ours has no more.
    private static let recordLimit = 16

    public init(_ datagram: RawSpan) {
        var offset = 0
        for _ in 0..<Self.recordLimit {
            guard let type = datagram.u8(at: offset), let epoch = datagram.u16(at: offset + 3), let length = datagram.u16(at: offset + 11) else {
                return
            }
            add(type: type, epoch: epoch, body: offset + 13, datagram)
            offset += 13 + Int(length)
        }
    }

    private mutating func add(type: UInt8, epoch: UInt16, body: Int, _ datagram: RawSpan) {
        switch (type, epoch) {
        case (20, _): note("ChangeCipherSpec", key: 20 << 48)
        case (21, 0):
            note("Alert \(datagram.u8(at: body + 1).map { "\($0)" } ?? "?")", key: 21 << 48)
        case (21, _): note("Alert (encrypted)", key: 21 << 48 | 1)
        case (22, 0):
            guard let message = datagram.u8(at: body), let sequence = datagram.u16(at: body + 4), let part = datagram.u32(at: body + 5) else {
                return
            }
            note(Self.names[message] ?? "handshake \(message)", key: 22 << 48 | UInt64(sequence) << 32 | UInt64(part))
        case (22, _): note("Finished", key: 22 << 48 | 0xFFFF << 32)
        case (23, _): note("application data", key: 23 << 48)
        default: note("record \(type)", key: UInt64(type) << 48)
        }
    }

    private mutating func note(_ name: String, key: UInt64) {
        // The fragments of one message are one word.
        if messages.last != name { messages.append(name) }
        keys.append(key)
    }

    private static let names: [UInt8: String] = [
        0: "HelloRequest", 1: "ClientHello", 2: "ServerHello", 3: "HelloVerifyRequest", 4: "NewSessionTicket", 11: "Certificate",
        12: "ServerKeyExchange", 13: "CertificateRequest", 14: "ServerHelloDone", 15: "CertificateVerify", 16: "ClientKeyExchange", 20: "Finished",
        22: "CertificateStatus",
    ]
}

/// The datagrams of one handshake in order, the newest of them.
public struct DTLSFlightLog: Sendable {
    public struct Entry: Sendable {
        public var at: Instant
        public var isSent: Bool
        public var summary: DTLSDatagramSummary
        public var bytes: Int
        public var isRepeated: Bool
    }

    static let limit = 64
    public private(set) var entries: [Entry] = []
    private var seen: Set<UInt64> = []

    public init() {}

    public mutating func note(_ datagram: RawSpan, isSent: Bool, at now: Instant) {
        let summary = DTLSDatagramSummary(datagram)
        guard !summary.messages.isEmpty else { return }
        let marked = summary.keys.map { $0 | (isSent ? 1 << 63 : 0) }
        let isRepeated = marked.allSatisfy(seen.contains)
        if seen.count < 4 * Self.limit { seen.formUnion(marked) }
        if entries.count >= Self.limit { entries.removeFirst() }
        entries.append(Entry(at: now, isSent: isSent, summary: summary, bytes: datagram.byteCount, isRepeated: isRepeated))
    }
}
