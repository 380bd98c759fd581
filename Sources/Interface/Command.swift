/// What a person, a script or the control socket can ask of the phone. Every key, `ctl` word and socket command is one of these.
public enum Command: Sendable, Equatable {
    /// `uri` as typed: a SIP URI, `user@host`, or `echo` for the built-in echo endpoint.
    case dial(uri: String)
    case answer(CallID)
    case decline(CallID)
    /// Stops the ringing tone; the call keeps ringing.
    case silence(CallID)
    /// BYE, CANCEL or a final answer, as the call's state asks.
    case hangUp(CallID)
    case setMuted(CallID, Bool)
    case setHeld(CallID, Bool)
    /// Digits 0–9, `*`, `#`, A–D; sent one after the other (RFC 4733).
    case sendDTMF(CallID, digits: String)
    /// The audio devices belong to the focused call.
    case focus(CallID)
    /// Two answered calls talk to each other; a leg that ends ends the other.
    case join(CallID, CallID)
    /// A joined call is the person's again, and so is the other one.
    case part(CallID)
    /// Places the first call, when it is answered the second, and joins them.
    case bridge(first: String, second: String)
    /// The picture of this call is looked at, or no more.
    case viewVideo(CallID, Bool)
    /// Whoever looks at this call's picture has lost the thread. Nothing happens when the call is over.
    case requestKeyFrame(CallID)
    /// An `--audio-in` specification, e.g. `alsa:default`.
    case selectAudioInput(String)
    case selectAudioOutput(String)
    case register(AccountID)
    case unregister(AccountID)
    /// Ends every call and registration, then the phone.
    case quit
}
