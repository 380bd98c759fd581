import Core

/// Which section of a BUNDLE a packet belongs to (RFC 9143 §9.2): by its MID header extension, else by a source that is known, else by its
/// payload type.
public struct BundleDemultiplexer: Sendable {
    public enum Section: Sendable, Equatable { case audio, video }

    /// What one section's packets look like.
    public struct Description: Sendable, Equatable {
        public var mid: String?
        /// The number of the MID extension.
        public var midExtension: UInt8?
        /// Of what we receive, retransmissions included.
        public var payloadTypes: Set<UInt8>
        /// Signalled by `a=ssrc`.
        public var sources: [UInt32]

        public init(mid: String?, midExtension: UInt8?, payloadTypes: Set<UInt8>, sources: [UInt32] = []) {
            self.mid = mid
            self.midExtension = midExtension
            self.payloadTypes = payloadTypes
            self.sources = sources
        }
    }

    /// Sources remembered; a stranger cannot make it more.
    private static let capacity = 64

    private var audio: Description?
    private var video: Description?
    private var known: [UInt32: Section] = [:]

    public init() {}

    /// After an offer and answer. Without video everything is audio's.
    public mutating func adopt(audio: Description?, video: Description?) {
        guard audio != self.audio || video != self.video else { return }
        self.audio = audio
        self.video = video
        known = [:]
        for ssrc in audio?.sources ?? [] { learn(ssrc, .audio) }
        for ssrc in video?.sources ?? [] { learn(ssrc, .video) }
    }

    public mutating func section(of header: RTPHeader, in packet: RawSpan) -> Section {
        guard let video else { return .audio }
        if let mid = mid(of: header, in: packet) {
            if mid == video.mid {
                learn(header.ssrc, .video)
                return .video
            }
            if mid == audio?.mid {
                learn(header.ssrc, .audio)
                return .audio
            }
        }
        if let section = known[header.ssrc] { return section }
        let section: Section =
            video.payloadTypes.contains(header.payloadType) && audio?.payloadTypes.contains(header.payloadType) != true ? .video : .audio
        learn(header.ssrc, section)
        return section
    }

    private func mid(of header: RTPHeader, in packet: RawSpan) -> String? {
        guard header.extensionProfile != nil, let id = video?.midExtension ?? audio?.midExtension,
            let place = header.extensionElement(id, in: packet), !place.isEmpty, let bytes = packet.copy(at: place.lowerBound, count: place.count)
        else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    private mutating func learn(_ ssrc: UInt32, _ section: Section) {
        if known[ssrc] != nil || known.count < Self.capacity { known[ssrc] = section }
    }
}
