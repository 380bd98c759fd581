/// Audio payload types with fixed numbers (RFC 3551 §6) that an offer may name without an rtpmap.
public struct StaticPayloadType: Equatable, Sendable {
    public var number: UInt8
    public var encodingName: String
    /// Hz of the RTP clock: 8000 for G.722, though it samples at 16 kHz.
    public var clockRate: UInt32
    /// Samples of its RTP clock in one byte of payload, nil when bytes do not tell.
    public var unitsPerByte: Int?

    public static let pcmu = StaticPayloadType(number: 0, encodingName: "PCMU", clockRate: 8000, unitsPerByte: 1)
    public static let gsm = StaticPayloadType(number: 3, encodingName: "GSM", clockRate: 8000, unitsPerByte: nil)
    public static let g723 = StaticPayloadType(number: 4, encodingName: "G723", clockRate: 8000, unitsPerByte: nil)
    public static let pcma = StaticPayloadType(number: 8, encodingName: "PCMA", clockRate: 8000, unitsPerByte: 1)
    public static let g722 = StaticPayloadType(number: 9, encodingName: "G722", clockRate: 8000, unitsPerByte: 1)
    public static let comfortNoise = StaticPayloadType(number: 13, encodingName: "CN", clockRate: 8000, unitsPerByte: nil)
    public static let g728 = StaticPayloadType(number: 15, encodingName: "G728", clockRate: 8000, unitsPerByte: 4)
    public static let g729 = StaticPayloadType(number: 18, encodingName: "G729", clockRate: 8000, unitsPerByte: 8)

    public static let all: [StaticPayloadType] = [pcmu, gsm, g723, pcma, g722, comfortNoise, g728, g729]

    public static func find(_ number: UInt8) -> StaticPayloadType? { all.first { $0.number == number } }
}
