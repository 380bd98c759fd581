/// Attribute types of RFC 8489 §18.3, RFC 8656 §18 and RFC 8445 §16.1. An open set: any 16-bit number is a value.
public struct StunAttribute: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt16

    public init(rawValue: UInt16) { self.rawValue = rawValue }

    public static let mappedAddress = StunAttribute(rawValue: 0x0001)
    public static let username = StunAttribute(rawValue: 0x0006)
    public static let messageIntegrity = StunAttribute(rawValue: 0x0008)
    public static let errorCode = StunAttribute(rawValue: 0x0009)
    public static let unknownAttributes = StunAttribute(rawValue: 0x000A)
    public static let channelNumber = StunAttribute(rawValue: 0x000C)
    public static let lifetime = StunAttribute(rawValue: 0x000D)
    public static let xorPeerAddress = StunAttribute(rawValue: 0x0012)
    public static let data = StunAttribute(rawValue: 0x0013)
    public static let realm = StunAttribute(rawValue: 0x0014)
    public static let nonce = StunAttribute(rawValue: 0x0015)
    public static let xorRelayedAddress = StunAttribute(rawValue: 0x0016)
    public static let requestedAddressFamily = StunAttribute(rawValue: 0x0017)
    public static let evenPort = StunAttribute(rawValue: 0x0018)
    public static let requestedTransport = StunAttribute(rawValue: 0x0019)
    public static let dontFragment = StunAttribute(rawValue: 0x001A)
    public static let messageIntegritySHA256 = StunAttribute(rawValue: 0x001C)
    public static let passwordAlgorithm = StunAttribute(rawValue: 0x001D)
    public static let userhash = StunAttribute(rawValue: 0x001E)
    public static let xorMappedAddress = StunAttribute(rawValue: 0x0020)
    public static let reservationToken = StunAttribute(rawValue: 0x0022)
    public static let priority = StunAttribute(rawValue: 0x0024)
    public static let useCandidate = StunAttribute(rawValue: 0x0025)
    public static let passwordAlgorithms = StunAttribute(rawValue: 0x8002)
    public static let alternateDomain = StunAttribute(rawValue: 0x8003)
    public static let software = StunAttribute(rawValue: 0x8022)
    public static let alternateServer = StunAttribute(rawValue: 0x8023)
    public static let fingerprint = StunAttribute(rawValue: 0x8028)
    public static let iceControlled = StunAttribute(rawValue: 0x8029)
    public static let iceControlling = StunAttribute(rawValue: 0x802A)

    /// Types below 0x8000 must be understood by whoever processes the message (RFC 8489 §14).
    public var isComprehensionRequired: Bool { rawValue < 0x8000 }

    /// True for the types named here.
    public var isKnown: Bool {
        switch rawValue {
        case 0x0001, 0x0006, 0x0008...0x000A, 0x000C, 0x000D, 0x0012...0x001A, 0x001C...0x001E, 0x0020, 0x0022, 0x0024, 0x0025: true
        case 0x8002, 0x8003, 0x8022, 0x8023, 0x8028...0x802A: true
        default: false
        }
    }
}

/// The two bits of the message type that say what a message is (RFC 8489 §5).
public enum StunClass: UInt8, Sendable {
    case request = 0
    case indication = 1
    case success = 2
    case error = 3
}

/// Methods (RFC 8489 §18.2, RFC 8656 §17). An open set of 12-bit numbers.
public struct StunMethod: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt16

    public init(rawValue: UInt16) { self.rawValue = rawValue & 0x0FFF }

    public static let binding = StunMethod(rawValue: 0x001)
    public static let allocate = StunMethod(rawValue: 0x003)
    public static let refresh = StunMethod(rawValue: 0x004)
    public static let send = StunMethod(rawValue: 0x006)
    public static let data = StunMethod(rawValue: 0x007)
    public static let createPermission = StunMethod(rawValue: 0x008)
    public static let channelBind = StunMethod(rawValue: 0x009)
}

/// Error codes of RFC 8489 §14.8, RFC 8656 §19 and RFC 8445 §16.2.
public enum StunErrorCode {
    public static let tryAlternate = 300
    public static let badRequest = 400
    public static let unauthenticated = 401
    public static let forbidden = 403
    public static let unknownAttribute = 420
    public static let allocationMismatch = 437
    public static let staleNonce = 438
    public static let addressFamilyNotSupported = 440
    public static let wrongCredentials = 441
    public static let unsupportedTransport = 442
    public static let peerFamilyMismatch = 443
    public static let allocationQuotaReached = 486
    public static let roleConflict = 487
    public static let serverError = 500
    public static let insufficientCapacity = 508
}
