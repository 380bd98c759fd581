/// The RTP header extensions that the phone knows (RFC 8285), by their URIs.
public enum HeaderExtension: String, Hashable, Sendable, CaseIterable {
    /// RFC 6464.
    case audioLevel = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
    /// RFC 8843 §15.
    case mid = "urn:ietf:params:rtp-hdrext:sdes:mid"
    /// The sequence number of a packet on its transport (draft-holmer-rmcat-transport-wide-cc-extensions-01).
    case transportCC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

    /// The numbers of our offers.
    public static let offered: [ExtensionMap] = [
        ExtensionMap(id: 1, uri: audioLevel.rawValue), ExtensionMap(id: 2, uri: mid.rawValue), ExtensionMap(id: 3, uri: transportCC.rawValue),
    ]

    /// Those of a video section, under the same numbers: in a BUNDLE a number means one thing (RFC 9143 §9.1).
    public static let offeredForVideo = offered.filter { $0.uri != audioLevel.rawValue }

    /// For `AnswerPolicy.extensions`.
    public static let known = allCases.map(\.rawValue)

    /// For `VideoPolicy.extensions`.
    public static let knownForVideo = offeredForVideo.map(\.uri)
}

extension ExtensionMap {
    /// The numbers that fit the one-byte form (RFC 8285 §4.2), which is the one that we write.
    static let oneByte: ClosedRange<UInt16> = 1...14

    /// As the other side sees it.
    var reversed: ExtensionMap { ExtensionMap(id: id, direction: direction?.reversed, uri: uri) }

    /// The maps of a peer's section that can be taken, from our view: known, of a usable number, and each number and each URI once (RFC 8285
    /// §5: the first counts).
    static func usable(_ maps: [ExtensionMap], known: (ExtensionMap) -> Bool) -> [ExtensionMap] {
        var out: [ExtensionMap] = []
        for map in maps where oneByte.contains(map.id) && map.direction != .inactive && known(map) {
            if !out.contains(where: { $0.id == map.id || $0.uri == map.uri }) { out.append(map.reversed) }
        }
        return out
    }
}

/// The header extensions in force, by their numbers in the packets of both directions.
public struct NegotiatedExtensions: Hashable, Sendable {
    public struct Mid: Hashable, Sendable {
        public var id: UInt8
        /// What the extension says in our packets.
        public var value: String

        public init(id: UInt8, value: String) {
            self.id = id
            self.value = value
        }
    }

    public var mid: Mid?
    public var transportCC: UInt8?
    public var audioLevel: UInt8?

    public init(mid: Mid? = nil, transportCC: UInt8? = nil, audioLevel: UInt8? = nil) {
        self.mid = mid
        self.transportCC = transportCC
        self.audioLevel = audioLevel
    }
}

extension NegotiatedMedia {
    /// What may be written into the packets that we send.
    public var extensions: NegotiatedExtensions { extensions { $0.sends } }

    /// What the peer may have written into the packets that it sends.
    public var receivedExtensions: NegotiatedExtensions { extensions { $0.receives } }

    /// The peer wants transport-wide feedback, and sends what it needs (or takes it from us).
    public var transportCCFeedback: Bool {
        feedback.contains(RTCPFeedback.transportCC) && extensionMaps.contains { $0.uri == HeaderExtension.transportCC.rawValue }
    }

    /// Transport-wide numbers without the feedback that answers them are not agreed on: browsers that number their packets and hear nothing of
    /// them lower their rate by a fifth each second, down to nothing.
    mutating func dropUnansweredNumbers() {
        guard !feedback.contains(RTCPFeedback.transportCC) else { return }
        extensionMaps.removeAll { $0.uri == HeaderExtension.transportCC.rawValue }
    }

    private func extensions(where allows: (MediaDirection) -> Bool) -> NegotiatedExtensions {
        var out = NegotiatedExtensions()
        for map in extensionMaps where allows(map.direction ?? .sendrecv) {
            guard let id = UInt8(exactly: map.id), let known = HeaderExtension(rawValue: map.uri) else { continue }
            switch known {
            case .audioLevel: out.audioLevel = id
            case .transportCC: out.transportCC = id
            case .mid: if let mid { out.mid = NegotiatedExtensions.Mid(id: id, value: mid) }
            }
        }
        return out
    }
}
