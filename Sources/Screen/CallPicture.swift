import Core
import Interface

/// A picture and the call that it came in.
public struct CallPicture: Sendable, Equatable {
    public var call: CallID
    public var picture: VideoPicture

    public init(call: CallID, picture: VideoPicture) {
        self.call = call
        self.picture = picture
    }
}
