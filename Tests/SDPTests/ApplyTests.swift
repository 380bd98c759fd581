import Core
import SDP
import Testing

@Suite struct ApplyTests {
    static let fingerprint = EvaluateTests.fingerprint

    func offer(_ security: MediaSecurity, ice: Bool = false) -> SessionDescription {
        Negotiation.offer(session: origin, media: [localMedia(security, ice: ice)])
    }

    func applied(_ answer: SessionDescription, to offer: SessionDescription, ice: Bool = true) throws -> NegotiatedMedia {
        try Negotiation.apply(answer: answer, toOffer: offer, policy: policy(ice: ice)).get().audio
    }

    func failure(_ answer: SessionDescription, to offer: SessionDescription) -> NegotiationError? {
        if case .failure(let error) = Negotiation.apply(answer: answer, toOffer: offer, policy: policy()) { return error }
        return nil
    }

    @Test(arguments: ["UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "RTP/SAVPF", "RTP/SAVP"]) func row2SecureNamesAreTaken(_ profile: String) throws {
        let media = try applied(try sdp(profile, [ApplyTests.fingerprint, "setup:active", "rtcp-mux"]), to: offer(.dtls))
        #expect(media.security == .dtls && media.profile == profile && media.rtcpMux && media.isAVPF == profile.hasSuffix("F"))
        #expect(media.remoteRTCPAddress == media.remoteAddress)
    }

    @Test func row3DroppedSecurityIsRefused() throws {
        let dtls = offer(.dtls)
        let sdes = offer(.sdes)
        #expect(failure(try sdp("RTP/AVP"), to: dtls) == .securityDropped(offered: .dtls, profile: "RTP/AVP", how: .profile))
        #expect(
            failure(try sdp("RTP/AVP", [ApplyTests.fingerprint]), to: dtls) == .securityDropped(offered: .dtls, profile: "RTP/AVP", how: .profile))
        #expect(
            failure(try sdp("UDP/TLS/RTP/SAVPF"), to: dtls) == .securityDropped(offered: .dtls, profile: "UDP/TLS/RTP/SAVPF", how: .noFingerprint))
        #expect(
            failure(try sdp("RTP/SAVP", [EvaluateTests.crypto]), to: dtls)
                == .securityDropped(offered: .dtls, profile: "RTP/SAVP", how: .cryptoInstead))
        #expect(failure(try sdp("RTP/SAVP"), to: sdes) == .securityDropped(offered: .sdes, profile: "RTP/SAVP", how: .noCrypto))
        #expect(failure(try sdp("RTP/AVP"), to: sdes) == .securityDropped(offered: .sdes, profile: "RTP/AVP", how: .profile))
        #expect(failure(try sdp("RTP/SAVP", [EvaluateTests.crypto]), to: offer(.none)) == .profileMismatch(offered: "RTP/AVP", answered: "RTP/SAVP"))
    }

    @Test func row3EveryReasonIsSaid() {
        let drops: [SecurityDrop] = [.profile, .noFingerprint, .cryptoInstead]
        let sentences = drops.map { NegotiationError.securityDropped(offered: .dtls, profile: "RTP/AVP", how: $0).description }
        #expect(Set(sentences).count == 3 && sentences.allSatisfy { $0.contains("DTLS-SRTP") && $0.contains("RTP/AVP") })
    }

    /// The name that we offer is free, and the peer's answer under it is DTLS all the same.
    @Test(arguments: MediaProfile.namesForDTLS) func row2TheOfferedNameIsConfigurable(_ profile: String) throws {
        var local = localMedia(.dtls, ice: false)
        local.profileForDTLS = profile
        let ours = Negotiation.offer(session: origin, media: [local])
        #expect(ours.media[0].profile == profile && ours.section(0)?.hasFingerprint == true && ours.section(0)?.setup == .actpass)
        #expect(try answered(ours).media.security == .dtls)
        #expect(try applied(try sdp(profile, [ApplyTests.fingerprint, "setup:active"]), to: ours).security == .dtls)
        let error = failure(try sdp(profile), to: ours)
        #expect(error == .securityDropped(offered: .dtls, profile: profile, how: profile.hasPrefix("RTP/AVP") ? .profile : .noFingerprint))
    }

    @Test func refusedAndMisshapen() throws {
        let dtls = offer(.dtls)
        #expect(failure(try sdp("UDP/TLS/RTP/SAVPF", [ApplyTests.fingerprint], port: 0), to: dtls) == .refused)
        var two = try sdp("UDP/TLS/RTP/SAVPF", [ApplyTests.fingerprint])
        two.media.append(two.media[0])
        #expect(failure(two, to: dtls) == .mediaCountMismatch(offered: 1, answered: 2))
        var none = two
        none.media = []
        #expect(failure(none, to: dtls) == .mediaCountMismatch(offered: 1, answered: 0))
        var video = try sdp("UDP/TLS/RTP/SAVPF", [ApplyTests.fingerprint])
        video.media[0].media = "video"
        #expect(failure(video, to: dtls) == .mediaKindMismatch)
        #expect(failure(try sdp("X/Y", [ApplyTests.fingerprint]), to: dtls) == .profileMismatch(offered: "UDP/TLS/RTP/SAVPF", answered: "X/Y"))
        #expect(failure(try sdp("UDP/TLS/RTP/SAVPF", [ApplyTests.fingerprint], formats: "3"), to: dtls) == .noCommonCodec)
        let sha1 = "fingerprint:sha-1 AA" + String(repeating: ":AA", count: 19)
        #expect(failure(try sdp("UDP/TLS/RTP/SAVPF", [sha1]), to: dtls) == .fingerprintSHA1Only)
    }

    @Test(arguments: [("active", DTLSRole.passive), ("passive", .active), ("actpass", .passive), ("", .passive)])
    func row5SetupInAnAnswer(_ setup: String, _ role: DTLSRole) throws {
        let answer = try sdp("UDP/TLS/RTP/SAVPF", [ApplyTests.fingerprint] + (setup.isEmpty ? [] : ["setup:" + setup]))
        #expect(try applied(answer, to: offer(.dtls)).dtls?.role == role)
    }

    @Test func row5OtherSetups() throws {
        let answer = { (setup: String) in try sdp("UDP/TLS/RTP/SAVPF", [ApplyTests.fingerprint, "setup:" + setup]) }
        #expect(failure(try answer("holdconn"), to: offer(.dtls)) == .holdconn)
        var local = localMedia(.dtls)
        local.setup = .active
        let active = Negotiation.offer(session: origin, media: [local])
        // Lost in an answer to a re-offer: the association in force goes on.
        var again = policy()
        again.current = try applied(try answer("passive"), to: offer(.dtls))
        let silent = try sdp("UDP/TLS/RTP/SAVPF", [ApplyTests.fingerprint])
        #expect(try Negotiation.apply(answer: silent, toOffer: offer(.dtls), policy: again).get().audio.dtls?.role == .active)
        #expect(try applied(try answer("passive"), to: active).dtls?.role == .active)
        #expect(try applied(try answer("actpass"), to: active).dtls?.role == .active)
        #expect(failure(try answer("active"), to: active) == .setupConflict)
    }

    @Test func sdesAnswers() throws {
        let ours = offer(.sdes)
        let local = try #require(ours.section(0)?.cryptos)
        let reply = { (tag: UInt32, suite: CryptoSuite) in
            try sdp("RTP/SAVP", ["crypto:" + CryptoLine.generate(tag: tag, suite: suite, random: RandomSource(seed: 11)).description])
        }
        let media = try applied(try reply(3, .aesCM80), to: ours)
        #expect(media.security == .sdes && media.sdes?.suite == .aesCM80 && media.sdes?.local == local[2] && media.sdes?.remote.tag == 3)
        #expect(failure(try reply(1, .aesCM80), to: ours) == .cryptoMismatch)
        #expect(failure(try reply(9, .aesCM80), to: ours) == .cryptoMismatch)
        #expect(failure(try reply(3, .aesCM32), to: ours) == .cryptoMismatch)
        #expect(failure(try sdp("RTP/SAVP", ["crypto:" + local[2].description]), to: ours) == .cryptoUnacceptable)
        #expect(failure(try sdp("RTP/SAVP", ["crypto:3 AES_CM_128_HMAC_SHA1_80 inline:QUJD"]), to: ours) == .cryptoUnacceptable)
    }

    @Test func payloadTypesByDirection() throws {
        let lines = [
            "rtpmap:111 opus/48000/1", "fmtp:111 maxaveragebitrate=32000", "rtpmap:126 telephone-event/8000/1",
            "rtpmap:110 telephone-event/48000",
        ]
        let media = try applied(try sdp("RTP/AVP", lines, formats: "0 111 126 110 13 3"), to: offer(.none))
        #expect(media.codecs.map(\.name) == ["PCMU", "opus"])
        #expect(media.codecs.map(\.sendPayloadType) == [0, 111] && media.codecs.map(\.receivePayloadType) == [0, 96])
        #expect(media.codecs[1].remoteFmtp == "maxaveragebitrate=32000" && media.codecs[1].channels == 2)
        let dtmf = [
            NegotiatedDTMF(clockRate: 8000, sendPayloadType: 126, receivePayloadType: 101),
            NegotiatedDTMF(clockRate: 48000, sendPayloadType: 110, receivePayloadType: 102),
        ]
        #expect(media.dtmf == dtmf)
    }

    @Test func missingRtpmapMeansOurs() throws {
        let text = "v=0\no=- 1 1 IN IP4 1.2.3.4\ns=-\nc=IN IP4 1.2.3.4\nt=0 0\nm=audio 9000 RTP/AVP 96 101\n"
        let media = try applied(try SessionDescription(parsing: text), to: offer(.none))
        #expect(media.codecs.map(\.name) == ["opus"] && media.dtmf.map(\.sendPayloadType) == [101])
    }

    @Test func directionHoldAndICE() throws {
        let held = try applied(try sdp("RTP/AVP", ["recvonly"]), to: offer(.none))
        #expect(held.localDirection == .sendonly && !held.isRemoteHold)
        #expect(try applied(try sdp("RTP/AVP", ["inactive"]), to: offer(.none)).isRemoteHold)
        let ice = EvaluateMediaTests.ice + ["candidate:1 1 UDP 5 198.51.100.7 5000 typ host"]
        #expect(try applied(try sdp("RTP/AVP", ice), to: offer(.none)).ice == nil)
        #expect(try applied(try sdp("RTP/AVP", ice), to: offer(.none, ice: true)).ice?.candidates.count == 1)
        #expect(try applied(try sdp("RTP/AVP", ice), to: offer(.none, ice: true), ice: false).ice == nil)
        #expect(try applied(try sdp("RTP/AVP"), to: offer(.none, ice: true)).ice == nil)
        let mismatch = try applied(try sdp("RTP/AVP", ["ice-mismatch"]), to: offer(.none, ice: true))
        #expect(mismatch.ice == nil && mismatch.iceMismatch)
        #expect(try applied(try sdp("RTP/AVP", ice + ["ice-mismatch"]), to: offer(.none, ice: true)).ice == nil)
        // An answerer whose default address is no candidate does ICE all the same.
        let elsewhere = try applied(try sdp("RTP/AVP", ice, port: 5004), to: offer(.none, ice: true))
        #expect(elsewhere.ice != nil && !elsewhere.iceMismatch)
    }

    @Test func ourselvesBothSides() throws {
        for security in [MediaSecurity.dtls, .sdes, .none] {
            let ours = offer(security, ice: true)
            let answer = try answered(ours)
            let back = try applied(answer.description, to: ours)
            #expect(back.codecs.map(\.sendPayloadType) == [96, 9, 0, 8] && back.codecs == answer.media.codecs)
            #expect(back.dtmf == answer.media.dtmf && back.ice != nil && answer.media.ice != nil)
            #expect(back.sdes?.suite == (security == .sdes ? .aeadAES256GCM : nil) && back.sdes?.local?.keys == answer.media.sdes?.remote.keys)
            #expect(back.dtls?.role == (security == .dtls ? .passive : nil) && back.rtcpMux == (security == .dtls))
        }
    }

    @Test func changes() throws {
        let base = try applied(try sdp("RTP/AVP", EvaluateMediaTests.ice), to: offer(.none, ice: true))
        #expect(base.changes(since: base) == [])
        let restarted = EvaluateMediaTests.ice.map { $0.replacing("abcd", with: "wxyz") }
        #expect(try applied(try sdp("RTP/AVP", restarted), to: offer(.none, ice: true)).changes(since: base) == .ice)
        let candidate = EvaluateMediaTests.ice + ["candidate:1 1 UDP 5 198.51.100.7 5000 typ host"]
        #expect(try applied(try sdp("RTP/AVP", candidate), to: offer(.none, ice: true)).changes(since: base) == .candidates)
        let moved = try applied(try sdp("RTP/AVP", EvaluateMediaTests.ice + ["sendonly"], port: 6000), to: offer(.none, ice: true))
        #expect(moved.changes(since: base) == [.direction, .address])
    }
}
