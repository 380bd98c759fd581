import Core

/// One entry of the source table (RFC 3550 §6.2.1).
struct RemoteSource: Sendable {
    var stream: InboundRTPStream
    var cname: String?
    var lastHeard: Instant
    /// Its BYE came.
    var leftAt: Instant?
    var lastFullIntraRequest: UInt8?
    /// By header extension or SDES.
    var mid: String?
    var audioLevel: RTPAudioLevel?
    /// The newest receiver reference time (RFC 3611 §4.4).
    var referenceTime: (timestamp: UInt64, at: Instant)?

    var ssrc: UInt32 { stream.ssrc }
}

/// The sources heard, few and fixed in order: a stranger cannot make it grow.
struct RemoteSourceTable: Sendable {
    static let capacity = 16
    /// An entry as silent as this may make room for a new one.
    static let replaceable: Duration = .seconds(2)

    private(set) var sources: [RemoteSource] = []
    /// What removed sources had counted.
    private(set) var retired = (packetsReceived: 0, packetsLost: 0, bytesReceived: 0, packetsDuplicated: 0)

    func index(of ssrc: UInt32) -> Int? { sources.firstIndex { $0.ssrc == ssrc } }

    subscript(index: Int) -> RemoteSource {
        get { sources[index] }
        _modify { yield &sources[index] }
    }

    /// The entry of `ssrc`, a new one if need be; nil when the table is full of live sources.
    mutating func admit(_ ssrc: UInt32, needsProbation: Bool, keeping kept: UInt32?, at now: Instant) -> Int? {
        if let index = index(of: ssrc) { return index }
        if sources.count >= Self.capacity {
            let stale = sources.indices.filter {
                sources[$0].ssrc != kept && (sources[$0].leftAt != nil || now - sources[$0].lastHeard >= Self.replaceable)
            }
            guard let oldest = stale.min(by: { sources[$0].lastHeard < sources[$1].lastHeard }) else { return nil }
            remove(at: oldest)
        }
        sources.append(RemoteSource(stream: InboundRTPStream(ssrc: ssrc, needsProbation: needsProbation), lastHeard: now))
        return sources.count - 1
    }

    /// Removes what has been silent for `limit`, the kept one excepted.
    mutating func sweep(silentFor limit: Duration, keeping kept: UInt32?, at now: Instant) {
        for index in sources.indices.reversed() where sources[index].ssrc != kept && now - sources[index].lastHeard >= limit { remove(at: index) }
    }

    private mutating func remove(at index: Int) {
        let stream = sources[index].stream
        retired.packetsReceived += stream.packetsReceived
        retired.packetsLost += stream.packetsLost
        retired.bytesReceived += stream.bytesReceived
        retired.packetsDuplicated += stream.packetsDuplicated
        sources.remove(at: index)
    }
}
