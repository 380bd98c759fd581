/// a=sendrecv and its kin (RFC 8866 §6.7), from the view of whoever writes it.
public enum MediaDirection: String, Hashable, Sendable, CaseIterable {
    case sendrecv, sendonly, recvonly, inactive

    public init(sends: Bool, receives: Bool) {
        self = sends ? (receives ? .sendrecv : .sendonly) : (receives ? .recvonly : .inactive)
    }

    public var sends: Bool { self == .sendrecv || self == .sendonly }
    public var receives: Bool { self == .sendrecv || self == .recvonly }

    /// The same from the other side's view.
    public var reversed: MediaDirection { MediaDirection(sends: receives, receives: sends) }

    /// What both allow, seen from one side.
    public func intersection(_ other: MediaDirection) -> MediaDirection {
        MediaDirection(sends: sends && other.sends, receives: receives && other.receives)
    }
}

/// a=setup (RFC 4145 §4, RFC 5763 §5).
public enum SetupRole: String, Hashable, Sendable {
    case active, passive, actpass, holdconn
}

/// a=rtpmap (RFC 8866 §6.6).
public struct RTPMap: Hashable, Sendable {
    public var payloadType: UInt8
    public var name: String
    /// Hz.
    public var clockRate: Int
    public var channels: Int

    public init(payloadType: UInt8, name: String, clockRate: Int, channels: Int = 1) {
        self.payloadType = payloadType
        self.name = name
        self.clockRate = clockRate
        self.channels = channels
    }

    /// From "96 opus/48000/2".
    public init?(_ value: some StringProtocol) {
        let fields = value.fields
        guard fields.count >= 2, let payloadType = fields[0].decimal(UInt8.self), payloadType < 128 else { return nil }
        let parts = fields[1].parts(.slash)
        guard parts.count >= 2, !parts[0].isEmpty, let rate = parts[1].decimal(UInt32.self), rate > 0 else { return nil }
        var channels = 1
        if parts.count > 2 {
            guard let count = parts[2].decimal(UInt8.self), count > 0 else { return nil }
            channels = Int(count)
        }
        self.init(payloadType: payloadType, name: String(parts[0]), clockRate: Int(rate), channels: channels)
    }

    public var value: String { "\(payloadType) \(name)/\(clockRate)" + (channels == 1 ? "" : "/\(channels)") }

    /// The audio payload types that need no rtpmap (RFC 3551 §6). G722's clock is 8000 although it samples at 16000.
    public static func fixed(_ payloadType: UInt8) -> RTPMap? {
        let name: String
        switch payloadType {
        case 0: name = "PCMU"
        case 3: name = "GSM"
        case 4: name = "G723"
        case 8: name = "PCMA"
        case 9: name = "G722"
        case 13: name = "CN"
        case 15: name = "G728"
        case 18: name = "G729"
        default: return nil
        }
        return RTPMap(payloadType: payloadType, name: name, clockRate: 8000)
    }
}

/// a=fmtp (RFC 8866 §6.15).
public struct FormatParameters: Hashable, Sendable {
    public var payloadType: UInt8
    public var text: String

    public init?(_ value: some StringProtocol) {
        let (first, rest) = value.trimmed.cut(.blank)
        guard let payloadType = first.decimal(UInt8.self), let rest else { return nil }
        self.payloadType = payloadType
        text = String(rest.trimmed)
    }

    /// The value of `name` in "name=value;name=value"; names without regard to case.
    public static func parameter(_ name: String, in text: String) -> String? {
        for part in text.parts(.semicolon) {
            let (key, value) = part.trimmed.cut(.equals)
            if key.trimmed.matches(name) { return String((value ?? "").trimmed) }
        }
        return nil
    }
}

/// a=rtcp (RFC 3605).
public struct RTCPAttribute: Hashable, Sendable {
    public var port: UInt16
    /// Nil: that of c=.
    public var host: String?

    public init?(_ value: some StringProtocol) {
        let fields = value.fields
        guard let first = fields.first, let port = first.decimal(UInt16.self) else { return nil }
        self.port = port
        host = fields.count >= 4 ? String(fields[3]) : nil
    }
}

/// a=rtcp-fb (RFC 4585 §4.2).
public struct RTCPFeedback: Hashable, Sendable {
    /// Nil: "*", all.
    public var payloadType: UInt8?
    public var type: String

    /// Transport-wide feedback for congestion control.
    public static let transportCC = "transport-cc"
    /// RFC 4585 §4.2.
    public static let nack = "nack"
    public static let nackPLI = "nack pli"
    /// Full intra request (RFC 5104 §7.1).
    public static let ccmFIR = "ccm fir"
    /// Receiver estimated maximum bitrate.
    public static let googREMB = "goog-remb"
    /// What our video sections offer and take.
    public static let forVideo = [nack, nackPLI, ccmFIR, googREMB, transportCC]

    public init(payloadType: UInt8?, type: String) {
        self.payloadType = payloadType
        self.type = type
    }

    public init?(_ value: some StringProtocol) {
        let (first, rest) = value.trimmed.cut(.blank)
        guard let rest, first == "*" || first.decimal(UInt8.self) != nil else { return nil }
        self.init(payloadType: first.decimal(UInt8.self), type: rest.fields.joined(separator: " "))
    }

    public var value: String { (payloadType.map { "\($0)" } ?? "*") + " " + type }
}

/// a=extmap (RFC 8285 §8).
public struct ExtensionMap: Hashable, Sendable {
    public var id: UInt16
    public var direction: MediaDirection?
    public var uri: String

    public init(id: UInt16, direction: MediaDirection? = nil, uri: String) {
        self.id = id
        self.direction = direction
        self.uri = uri
    }

    public init?(_ value: some StringProtocol) {
        let fields = value.fields
        guard fields.count >= 2 else { return nil }
        let (number, direction) = fields[0].cut(.slash)
        guard let id = number.decimal(UInt16.self) else { return nil }
        self.init(id: id, direction: direction.flatMap { MediaDirection(rawValue: String($0)) }, uri: String(fields[1]))
    }

    public var value: String { "\(id)" + (direction.map { "/\($0.rawValue)" } ?? "") + " " + uri }
}

/// a=ssrc (RFC 5576 §4.1).
public struct SSRCAttribute: Hashable, Sendable {
    public var ssrc: UInt32
    public var name: String
    public var value: String?

    public init?(_ text: some StringProtocol) {
        let (first, rest) = text.trimmed.cut(.blank)
        guard let ssrc = first.decimal(UInt32.self), let rest else { return nil }
        let (name, value) = rest.cut(.colon)
        self.ssrc = ssrc
        self.name = String(name)
        self.value = value.map { String($0) }
    }
}

/// a=msid (RFC 8830).
public struct MediaStreamIdentification: Hashable, Sendable {
    public var stream: String
    public var track: String?

    public init?(_ value: some StringProtocol) {
        let fields = value.fields
        guard let stream = fields.first else { return nil }
        self.stream = String(stream)
        track = fields.count > 1 ? String(fields[1]) : nil
    }

    public init(stream: String, track: String? = nil) {
        self.stream = stream
        self.track = track
    }

    public var value: String { stream + (track.map { " " + $0 } ?? "") }
}

/// a=group (RFC 5888).
public struct MediaGroup: Hashable, Sendable {
    public var semantics: String
    public var mids: [String]

    public init?(_ value: some StringProtocol) {
        let fields = value.fields
        guard let semantics = fields.first else { return nil }
        self.semantics = String(semantics)
        mids = fields.dropFirst().map { String($0) }
    }
}

/// a=ssrc-group (RFC 5576 §4.2).
public struct SSRCGroup: Hashable, Sendable {
    /// "FID": the second is the retransmission of the first (RFC 4588 §8.7).
    public var semantics: String
    public var ssrcs: [UInt32]

    public init?(_ value: some StringProtocol) {
        let fields = value.fields
        guard let semantics = fields.first else { return nil }
        self.semantics = String(semantics)
        ssrcs = fields.dropFirst().compactMap { $0.decimal() }
    }
}
