import CSRTP

/// Why a packet was not protected or unprotected. The context stays usable after each of them.
public enum SRTPError: Error, Sendable, Hashable {
    /// The tag is wrong: another key, or the packet was changed.
    case authentication
    /// A packet with this index came before.
    case replay
    /// Older than the replay window.
    case replayOld
    /// The key is used up, or there is none for this stream.
    case noKey
    /// Too short or not RTP or RTCP by its header; the library was not asked.
    case malformed
    /// The buffer has no room for the tag.
    case bufferTooSmall
    /// Key or salt have another length than the profile wants.
    case badKeyLength
    /// `protect…` on an inbound context or the reverse.
    case wrongDirection
    /// Another SSRC than those that the outbound context has already.
    case tooManyStreams
    /// Any other status of the library.
    case other(Int32)

    /// What is counted of a received packet that was not taken.
    public var unprotectFailure: UnprotectFailure {
        switch self {
        case .authentication: .authentication
        case .replay, .replayOld: .replay
        case .noKey: .noKey
        case .malformed: .malformed
        case .bufferTooSmall, .badKeyLength, .wrongDirection, .tooManyStreams, .other: .other
        }
    }

    init(_ status: srtp_err_status_t) {
        switch status {
        // "cannot check": an SRTCP packet whose E flag says that it is not encrypted.
        case srtp_err_status_auth_fail, srtp_err_status_cipher_fail, srtp_err_status_cant_check: self = .authentication
        case srtp_err_status_replay_fail: self = .replay
        case srtp_err_status_replay_old, srtp_err_status_pkt_idx_old: self = .replayOld
        case srtp_err_status_no_ctx, srtp_err_status_key_expired: self = .noKey
        case srtp_err_status_parse_err, srtp_err_status_bad_param: self = .malformed
        default: self = .other(Int32(truncatingIfNeeded: status.rawValue))
        }
    }
}

/// The reasons by which packets that were not taken are counted. (A source that is not known is found before the packet comes here, and so is
/// a packet that comes before there is a key at all: both are counted by whoever routes packets.)
public enum UnprotectFailure: String, Sendable, Hashable, CaseIterable {
    /// Another key, or changed on the way.
    case authentication
    /// Seen before, or older than the window of 1024 packets.
    case replay
    /// The key is used up, or there is none.
    case noKey
    /// No RTP or RTCP by its header.
    case malformed
    case other
}
