import Core

/// Header extensions sent and received (RFC 8285, RFC 9143 §15, RFC 6464).
extension RTPSession {
    /// Room that `writeHeader` may need.
    public static let maximumHeaderLength = RTPHeader.fixedLength + 4 + (2 + RTPExtensionWriter.maximumLength) + 4 + 3 + 3

    /// After a new offer and answer. A new `mid` identifier is announced again.
    public mutating func setExtensions(_ extensions: RTPExtensionMap) {
        if extensions.mid != configuration.extensions.mid { isMIDKnown = false }
        configuration.extensions = extensions
    }

    /// The identification tag of the media description (RFC 5888); written where the extension is negotiated.
    public mutating func setMID(_ mid: String?) {
        if mid != configuration.mid { isMIDKnown = false }
        configuration.mid = mid
        midBytes = Array((mid ?? "").utf8)
    }

    /// Writes the header of a packet that is sent now, extensions included, and counts the packet. The payload belongs behind it.
    ///
    /// `mid` is written until a report shows that the far end has received packets of ours.
    /// - Parameters:
    ///   - timestamp: media time in the payload's clock; the stream adds its random offset.
    ///   - audioLevel: written when negotiated.
    ///   - buffer: at least `maximumHeaderLength` bytes.
    /// - Returns: bytes written; nil when the buffer is smaller, and then nothing was counted.
    public mutating func writeHeader(
        payloadType: UInt8, payloadLength: Int, timestamp: UInt32, marker: Bool = false, audioLevel: RTPAudioLevel? = nil,
        into buffer: UnsafeMutableRawBufferPointer, at now: Instant
    ) -> Int? {
        guard buffer.count >= Self.maximumHeaderLength else { return nil }
        let header = willSend(payloadType: payloadType, payloadLength: payloadLength, timestamp: timestamp, marker: marker, at: now)
        return write(header, transportNumber: { $0.takeTransportNumber() }, audioLevel: audioLevel, into: buffer).length
    }

    /// The next number of the transport (draft-holmer-rmcat-transport-wide-cc-extensions-01 §2): one for each packet, whatever stream it is of.
    public mutating func takeTransportNumber() -> UInt16 { sentTransport.take() }

    /// A packet of another stream of the same transport came with this number.
    public mutating func noteTransportNumber(_ number: UInt16, at now: Instant) { receiveTransportSequence(number, at: now) }

    /// Writes a header and what is negotiated behind it.
    /// - Parameters:
    ///   - namesSection: writes `mid` in any case.
    ///   - buffer: at least `maximumHeaderLength` bytes.
    /// - Returns: bytes written, and where the number of the transport stands in them.
    mutating func write(
        _ header: RTPHeader, transportNumber: (inout Self) -> UInt16, audioLevel: RTPAudioLevel? = nil, namesSection: Bool = false,
        into buffer: UnsafeMutableRawBufferPointer
    ) -> (length: Int, transportNumberAt: Int?) {
        header.write(into: buffer)
        let extensions = configuration.extensions
        guard !extensions.isEmpty else { return (RTPHeader.fixedLength, nil) }

        let mid = isMIDKnown && !namesSection || midBytes.isEmpty || midBytes.count > RTPExtensionWriter.maximumLength ? nil : extensions.mid
        let isTwoByte =
            mid.map { $0 > 14 || midBytes.count > 16 } == true || (extensions.transportSequence ?? 0) > 14 || (extensions.audioLevel ?? 0) > 14
        var writer = RTPExtensionWriter(UnsafeMutableRawBufferPointer(rebasing: buffer[RTPHeader.fixedLength...]), isTwoByte: isTwoByte)
        if let id = extensions.transportSequence {
            let number = transportNumber(&self)
            withUnsafeBytes(of: number.bigEndian) { writer.element(id, $0) }
        }
        if let id = extensions.audioLevel, let audioLevel { writer.element(id, CollectionOfOne(audioLevel.byte)) }
        if let mid { writer.element(mid, midBytes) }
        let length = writer.finish()
        guard length > 0 else { return (RTPHeader.fixedLength, nil) }
        buffer[0] |= 0x10
        // It is the first element, behind the block's head and its own.
        let place = extensions.transportSequence.map { _ in RTPHeader.fixedLength + 4 + (isTwoByte ? 2 : 1) }
        return (RTPHeader.fixedLength + length, place)
    }

    /// Takes one authenticated packet with its extensions.
    public mutating func receiveRTP(_ header: RTPHeader, in packet: RawSpan, at now: Instant) -> RTPReception {
        let reception = receiveRTP(header, payloadLength: header.payloadLength, at: now)
        guard header.extensionProfile != nil, reception != .refused, reception != .collision else { return reception }
        if let id = configuration.extensions.transportSequence, let place = header.extensionElement(id, in: packet), place.count == 2,
            let number = packet.u16(at: place.lowerBound)
        {
            receiveTransportSequence(number, at: now)
        }
        guard let index = table.index(of: header.ssrc) else { return reception }
        if let id = configuration.extensions.audioLevel, let place = header.extensionElement(id, in: packet),
            let byte = packet.u8(at: place.lowerBound), !place.isEmpty
        {
            table[index].audioLevel = RTPAudioLevel(byte: byte)
        }
        if let id = configuration.extensions.mid, let place = header.extensionElement(id, in: packet), !place.isEmpty,
            let text = packet.copy(at: place.lowerBound, count: place.count)
        {
            let mid = String(decoding: text, as: UTF8.self)
            if table[index].mid != mid { table[index].mid = mid }
        }
        return reception
    }

    /// The identification tag a remote source gave, by header extension or SDES; as received, not through the sanitiser.
    public func mid(of ssrc: UInt32) -> String? { table.index(of: ssrc).flatMap { table[$0].mid } }

    /// Of the packet that came last from the source that is played; nil without the extension.
    public var remoteAudioLevel: RTPAudioLevel? { current.flatMap { table.index(of: $0) }.flatMap { table[$0].audioLevel } }

    /// Our chunk of a source description.
    var description: SourceDescription {
        SourceDescription(ssrc: ssrc, cname: configuration.cname, mid: configuration.extensions.mid == nil ? nil : configuration.mid)
    }
}
