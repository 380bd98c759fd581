import Codecs
import SDP

/// What our video is made of.
public enum VideoSource: Sendable, Equatable {
    case none
    /// VP8 frames, sent at their own times and looped.
    case file(IVFFile)
}

extension PhoneConfiguration {
    /// Our direction of video; nil: none is offered, or what is offered is refused.
    func videoDirection(offering: Bool) -> MediaDirection? {
        if passesVideo { return .sendrecv }
        guard offering ? offersVideo : takesOfferedVideo || isEcho else { return nil }
        let sends = videoSource != .none || isEcho
        // A file alone is sent to somebody who need not show us anything; a name alone (`--codec VP8`) asks to see.
        let receives = receivesVideo || isEcho || !sends
        return sends ? receives ? .sendrecv : .sendonly : .recvonly
    }
}
