import Core
import ICE
import Interface
import SDP
import Secure
import Testing

@testable import Engine

/// Two phones' descriptions of one call, without a call: video comes, changes direction and goes.
@Suite struct MediaDescriberTests {
    struct Pair {
        var caller: MediaDescriber
        var callee: MediaDescriber

        init(seed: UInt64 = 1, _ edit: (inout PhoneConfiguration) -> Void = { _ in }) throws {
            var configuration = PhoneConfiguration()
            edit(&configuration)
            let identity = try CertificateIdentity.selfSigned(unixTime: 1_790_000_000)
            let random = RandomSource(seed: seed)
            caller = MediaDescriber(configuration: configuration, identity: identity, random: random)
            callee = MediaDescriber(configuration: configuration, identity: identity, random: random)
        }

        static func ground(_ host: UInt32, ice: Bool) -> MediaDescriber.Ground {
            let address = SocketAddress(.v4(host), 40000)
            let candidate = IceCandidate(foundation: "1", component: 1, priority: 2_130_706_431, address: address, kind: .host)
            return MediaDescriber.Ground(
                address: address, rtcpPort: 40001,
                ice: ice ? (IceCredentials(ufrag: "abcdefgh", pwd: "ABCDEFGHIJKLMNOPQRSTUVWX"), [candidate]) : nil)
        }

        /// The offer and the answer, as the other side reads them.
        mutating func exchange(_ mode: SecurityMode = .dtls) throws -> (offer: SessionDescription, answer: SessionDescription, NegotiatedSession) {
            let offer = try SessionDescription(parsing: caller.offer(mode, ground: Pair.ground(0xC000_0201, ice: mode == .dtls)))
            let evaluation = try callee.evaluate(offer: offer).get()
            let answer = try callee.answer(evaluation, ground: Pair.ground(0xC000_0202, ice: mode == .dtls)).get()
            return (offer, try SessionDescription(parsing: answer.description.bytes), try caller.apply(answer: answer.description).get())
        }
    }

    @Test(arguments: [SecurityMode.dtls, .sdes, .none]) func videoComesAndGoes(_ mode: SecurityMode) throws {
        var pair = try Pair { $0.security = mode == .dtls ? .prefer : mode == .sdes ? .sdes : .none }
        pair.caller.offerLimit = nil
        let voice = try pair.exchange(mode)
        #expect(voice.2.video == nil && voice.offer.media.count == 1 && !voice.offer.offersVideo && pair.caller.negotiatedVideo == nil)

        // Offered, and the callee wants none.
        pair.caller.videoDirection = .sendrecv
        let refused = try pair.exchange(mode)
        #expect(refused.offer.section(1)?.isBundleOnly == true && refused.answer.section(1)?.media.port == 0)
        #expect(pair.caller.negotiatedVideo == nil && pair.callee.negotiatedVideo == nil && refused.2.issues.isEmpty)

        // Both want it.
        pair.callee.videoDirection = .sendrecv
        let both = try pair.exchange(mode)
        let (here, there) = (try #require(pair.caller.negotiatedVideo), try #require(pair.callee.negotiatedVideo))
        #expect(both.offer.section(1)?.isBundleOnly == true && both.answer.media.map(\.port) == [40000, 40000])
        #expect(here.localDirection == .sendrecv && here.remoteSSRC == pair.callee.videoSSRC && here.remoteRTXSSRC == pair.callee.rtxSSRC)
        #expect(there.remoteSSRC == pair.caller.videoSSRC && there.remoteRTXSSRC == pair.caller.rtxSSRC && here.rtx != nil)
        #expect(
            here.security == pair.caller.negotiated?.security && here.dtls == pair.caller.negotiated?.dtls && here.mid != pair.caller.negotiated?.mid)
        #expect(Set([pair.caller.ssrc, pair.caller.videoSSRC, pair.caller.rtxSSRC]).count == 3)

        // On hold nothing is wanted of the other side; the port is audio's from now on.
        pair.caller.direction = .sendonly
        let held = try pair.exchange(mode)
        #expect(held.offer.media.map(\.port) == [40000, 40000] && held.offer.sections.allSatisfy { $0.direction == .sendonly })
        #expect(pair.callee.negotiatedVideo?.isRemoteHold == true && pair.callee.negotiatedVideo?.localDirection == .recvonly)

        // Gone, in its place.
        pair.caller.direction = .sendrecv
        pair.caller.videoDirection = nil
        let gone = try pair.exchange(mode)
        #expect(gone.offer.media.map(\.port) == [40000, 0] && pair.caller.negotiatedVideo == nil && pair.callee.negotiatedVideo == nil)
        #expect(pair.caller.negotiated?.localDirection == .sendrecv)

        // The callee brings it back by an offer of its own.
        swap(&pair.caller, &pair.callee)
        pair.callee.videoDirection = .recvonly
        pair.caller.offerLimit = nil
        let back = try pair.exchange(mode)
        #expect(back.offer.media.count == 2 && pair.caller.negotiatedVideo?.localDirection == .sendonly)
        #expect(pair.callee.negotiatedVideo?.localDirection == .recvonly)
    }

    /// A peer with a transport for video alone: the call goes on without, and a person hears why.
    @Test func videoOnATransportOfItsOwn() throws {
        var pair = try Pair()
        pair.callee.videoDirection = .sendrecv
        let text =
            "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 5000 RTP/AVP 0\r\n"
            + "m=video 5002 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n"
        let evaluation = try pair.callee.evaluate(offer: try SessionDescription(parsing: text)).get()
        let answer = try pair.callee.answer(evaluation, ground: Pair.ground(0xC000_0202, ice: false)).get()
        #expect(evaluation.offersVideo && evaluation.issues == [.videoNotBundled] && pair.callee.negotiatedVideo == nil)
        #expect(answer.description.media.map(\.port) == [40000, 0])
    }

    @Test func overUDPTheOfferStaysNearADatagram() throws {
        var pair = try Pair()
        _ = pair.caller.offer(.dtls, ground: Pair.ground(0xC000_0201, ice: true))
        #expect(pair.caller.local.map { $0.bytes.count <= MediaDescriber.datagramLimit } == true)
        pair.caller.videoDirection = .sendrecv
        let offer = try SessionDescription(parsing: pair.caller.offer(.dtls, ground: Pair.ground(0xC000_0201, ice: true)))
        #expect(offer.bytes.count <= MediaDescriber.datagramLimit + MediaDescriber.videoAllowance)
        let types = Set(offer.section(1)?.feedback.map(\.type) ?? [])
        #expect(types.isSuperset(of: [RTCPFeedback.nack, RTCPFeedback.nackPLI, RTCPFeedback.googREMB]))
        #expect(offer.section(1)?.extensionMaps.map(\.uri).contains(HeaderExtension.mid.rawValue) == true)
    }
}
