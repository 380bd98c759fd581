import Core

/// A session description (RFC 8866): the session's lines and its media sections, in order.
public struct SessionDescription: Hashable, Sendable {
    /// Caps on what a peer can send.
    public static let maximumLength = 65_536
    public static let maximumMediaSections = 64
    public static let maximumAttributes = 1000
    public static let maximumFormats = 256

    public var origin: Origin
    /// s=
    public var name: String
    /// i=
    public var information: String?
    /// u=
    public var uri: String?
    /// e=
    public var emails: [String]
    /// p=
    public var phones: [String]
    /// c=
    public var connection: Connection?
    /// b=
    public var bandwidths: [Bandwidth]
    /// t= with its r= lines.
    public var timings: [Timing]
    /// z=
    public var zones: String?
    /// k=, obsolete, kept as it came.
    public var key: String?
    public var attributes: [Attribute]
    public var media: [MediaDescription]

    public init(
        origin: Origin, name: String = "-", connection: Connection? = nil, timings: [Timing] = [.unbounded],
        attributes: [Attribute] = [], media: [MediaDescription] = []
    ) {
        self.origin = origin
        self.name = name
        self.connection = connection
        self.timings = timings
        self.attributes = attributes
        self.media = media
        emails = []
        phones = []
        bandwidths = []
    }
}

/// o= (RFC 8866 §5.2). Numbers are kept as text: peers send ones beyond 64 bits.
public struct Origin: Hashable, Sendable {
    public var username: String
    public var sessionID: String
    public var sessionVersion: String
    public var addressType: String
    public var address: String

    public init(username: String = "-", sessionID: String, sessionVersion: String, addressType: String = "IP4", address: String) {
        self.username = username
        self.sessionID = sessionID
        self.sessionVersion = sessionVersion
        self.addressType = addressType
        self.address = address
    }
}

/// c= (RFC 8866 §5.7).
public struct Connection: Hashable, Sendable {
    /// "IP4" or "IP6".
    public var addressType: String
    /// The address or name, without a multicast TTL or count.
    public var host: String

    public init(addressType: String, host: String) {
        self.addressType = addressType
        self.host = host
    }

    public init(_ address: IPAddress) {
        self.init(addressType: address.isV4 ? "IP4" : "IP6", host: address.description)
    }

    /// Nil for a name.
    public var ip: IPAddress? { IPAddress(host) }

    public var description: String { "IN \(addressType) \(host)" }
}

/// b=, in kbit/s (b/s for TIAS).
public struct Bandwidth: Hashable, Sendable {
    public var type: String
    public var value: UInt64

    public init(type: String, value: UInt64) {
        self.type = type
        self.value = value
    }
}

/// t= and the r= lines after it, as text.
public struct Timing: Hashable, Sendable {
    public var start: String
    public var stop: String
    public var repeats: [String]

    public init(start: String, stop: String, repeats: [String] = []) {
        self.start = start
        self.stop = stop
        self.repeats = repeats
    }

    /// t=0 0
    public static let unbounded = Timing(start: "0", stop: "0")
}

/// a= (RFC 8866 §5.13): `name` or `name:value`.
public struct Attribute: Hashable, Sendable, CustomStringConvertible {
    public var name: String
    public var value: String?

    public init(_ name: String, _ value: String? = nil) {
        self.name = name
        self.value = value
    }

    public var description: String { value.map { "\(name):\($0)" } ?? name }
}

/// m= and the lines after it (RFC 8866 §5.14).
public struct MediaDescription: Hashable, Sendable {
    /// "audio", "video", "application", …
    public var media: String
    /// 0 rejects or disables the section (but see `bundle-only`).
    public var port: UInt16
    public var portCount: UInt16
    /// The protocol as written, e.g. "UDP/TLS/RTP/SAVPF".
    public var profile: String
    public var formats: [String]
    public var title: String?
    public var connections: [Connection]
    public var bandwidths: [Bandwidth]
    public var key: String?
    public var attributes: [Attribute]

    public init(media: String, port: UInt16, profile: String, formats: [String], connections: [Connection] = [], attributes: [Attribute] = []) {
        self.media = media
        self.port = port
        self.profile = profile
        self.formats = formats
        self.connections = connections
        self.attributes = attributes
        portCount = 1
        bandwidths = []
    }

    public var kind: MediaKind? { MediaKind(rawValue: media) }
}

/// The kinds of media that the phone knows.
public enum MediaKind: String, Hashable, Sendable {
    case audio
    case video
}
