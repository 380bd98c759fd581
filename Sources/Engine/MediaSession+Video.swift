import Codecs
import Core
import ICE
import Interface
import RTP
import SDP
import Secure

/// Video beside audio on the same transport (RFC 9143): frames and packets in and out. Nothing is decoded here.
extension MediaSession {
    /// Offer and answer came to this. Without a section the video of the call ends.
    func adoptVideo(at now: Instant) {
        let media = describer.negotiatedVideo
        bundle.adopt(audio: negotiated.map(BundleDemultiplexer.Description.init), video: media.map(BundleDemultiplexer.Description.init))
        // The numbers are the transport's, whoever has them: one of the two sections is enough.
        rtp.setTransportFeedback(negotiated?.transportCCFeedback == true || media?.transportCCFeedback == true)
        guard let media, let codec = media.codecs.first else { return endVideo(at: now) }
        var configuration = VideoSession.Configuration(cname: describer.cname, ssrc: describer.videoSSRC, rtxSSRC: describer.rtxSSRC)
        configuration.adopt(media, codec)
        if video == nil {
            video = VideoSession(configuration: configuration, after: videoNumbers, random: environment.random, clock: environment.ntp)
            video?.passesPackets = environment.configuration.isEcho || passesVideo
            if case .file(let file) = environment.configuration.videoSource { videoFile = VideoFileSource(file) }
        } else {
            video?.setConfiguration(configuration)
        }
        applyVideoControls(at: now)
    }

    private func endVideo(at now: Instant) {
        guard video != nil else { return }
        video?.handle(.close, at: now)
        pumpVideo(at: now)
        videoNumbers = video?.numbers
        video = nil
        videoFile = nil
    }

    /// Packets of this call's video are given to somebody, who gives his to us.
    func setPassesVideo(_ passes: Bool, at now: Instant) {
        guard passes != passesVideo else { return }
        passesVideo = passes
        video?.passesPackets = environment.configuration.isEcho || passes
        if passes { requestKeyFrame(at: now) }
        applyVideoControls(at: now)
    }

    private var sendsVideo: Bool {
        // Who is held by us sees nothing, as he hears nothing.
        guard isAnswered, !isMuted || passesVideo, describer.direction.receives, let transport = transports[1] else { return false }
        return describer.negotiatedVideo?.localDirection.sends == true && transport.isReady && transport.route != nil
    }

    /// The file runs while its frames may leave. A peer that comes to see it gets a key frame first.
    func applyVideoControls(at now: Instant) {
        guard videoFile != nil else { return }
        if sendsVideo, !passesVideo {
            if videoFile?.deadline == nil { videoFile?.requestKeyFrame() }
            videoFile?.start(at: now)
        } else {
            videoFile?.stop()
        }
    }

    /// Somebody here wants to see: the peer is asked for a key frame.
    func requestKeyFrame(at now: Instant) {
        video?.handle(.requestKeyFrame, at: now)
        pumpVideo(at: now)
    }

    /// Sends a packet of another call's video.
    /// - Returns: true when that call's peer should be asked for a key frame.
    func forward(_ packet: VideoPacket, from source: UInt64, at now: Instant) -> Bool {
        guard sendsVideo else {
            video?.stopForwarding()
            return false
        }
        let needsKeyFrame = video?.forward(packet, from: source, at: now) ?? false
        pumpVideo(at: now)
        return needsKeyFrame
    }

    // MARK: packets

    /// - Returns: whether the packet is video's.
    func receiveVideo(_ header: RTPHeader, in packet: RawSpan, at now: Instant) -> Bool {
        guard video != nil, bundle.section(of: header, in: packet) == .video else { return false }
        if let id = describer.negotiatedVideo?.receivedExtensions.transportCC, let place = header.extensionElement(id, in: packet), place.count == 2,
            let number = packet.u16(at: place.lowerBound)
        {
            rtp.noteTransportNumber(number, at: now)
        }
        video?.receiveRTP(header, in: packet, at: now)
        pumpVideo(at: now)
        return true
    }

    /// Carries on what is due: frames of the file, repair, reports.
    func handleVideoTimeout(at now: Instant) {
        guard video != nil else { return }
        if let due = video?.deadline, due <= now {
            if let trip = ice?.pairs.first(where: { $0.component == 1 && $0.nominated })?.currentRoundTripTime {
                video?.handle(.roundTrip(trip), at: now)
            }
            video?.handleTimeout(at: now)
        }
        while let frame = videoFile?.next(at: now) {
            guard sendsVideo else {
                videoFile?.stop()
                break
            }
            video?.send(frame.bytes, mediaTime: frame.mediaTime, isKeyFrame: frame.isKeyFrame, at: now)
        }
        pumpVideo(at: now)
    }

    func pumpVideo(at now: Instant) {
        while let output = video?.poll() {
            switch output {
            case .rtp(let bytes, let place): sendVideo(bytes, transportNumberAt: place)
            case .rtcp(let bytes): sendControl(bytes)
            case .frame(let frame): if environment.configuration.receivesVideo || isWatched { outputs.append(.frame(frame)) }
            case .packet(let packet):
                if passesVideo {
                    outputs.append(.videoPacket(packet))
                } else if environment.configuration.isEcho, sendsVideo, video?.forward(packet, from: 0, at: now) == true {
                    video?.handle(.requestKeyFrame, at: now)
                }
            case .keyFrameRequested:
                if passesVideo {
                    outputs.append(.keyFrameRequested)
                } else if environment.configuration.isEcho {
                    video?.handle(.requestKeyFrame, at: now)
                } else {
                    videoFile?.requestKeyFrame()
                }
            case .maximumBitrate: break
            }
        }
    }

    private func sendVideo(_ packet: [UInt8], transportNumberAt place: Int?) {
        guard let transport = transports[1], let route = transport.route, transport.isReady, packet.count + 64 <= scratch.count else { return }
        packet.withUnsafeBytes { scratch.copyMemory(from: $0) }
        if let place, place + 2 <= packet.count {
            scratch.storeBytes(of: rtp.takeTransportNumber().bigEndian, toByteOffset: place, as: UInt16.self)
        }
        if protectAndSend(packet.count, transport, route) { videoFlow.hasSent = true }
    }
}

extension BundleDemultiplexer.Description {
    init(_ media: NegotiatedMedia) {
        var payloadTypes = Set(media.codecs.map(\.receivePayloadType)).union(media.dtmf.map(\.receivePayloadType))
        if let rtx = media.rtx { payloadTypes.insert(rtx.receivePayloadType) }
        self.init(
            mid: media.mid, midExtension: media.receivedExtensions.mid?.id, payloadTypes: payloadTypes,
            sources: [media.remoteSSRC, media.remoteRTXSSRC].compactMap { $0 })
    }
}

extension VideoSession.Configuration {
    mutating func adopt(_ media: NegotiatedMedia, _ codec: NegotiatedCodec) {
        sendPayloadType = codec.sendPayloadType
        receivePayloadTypes = Set(media.codecs.map(\.receivePayloadType))
        sendRTXPayloadType = media.rtx?.sendPayloadType
        receiveRTXPayloadType = media.rtx?.receivePayloadType
        isAVPF = media.isAVPF
        reducedSize = media.rtcpRsize
        extensions = RTPExtensionMap(media)
        mid = media.mid
        repairs = media.feedback.contains(RTCPFeedback.nack)
        takesPLI = media.feedback.contains(RTCPFeedback.nackPLI)
        takesFIR = media.feedback.contains(RTCPFeedback.ccmFIR)
        announcesBitrate = media.feedback.contains(RTCPFeedback.googREMB) && !media.transportCCFeedback
    }
}
