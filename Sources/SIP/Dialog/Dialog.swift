/// Names a dialog: Call-ID and both tags (RFC 3261 §12).
public struct DialogID: Hashable, Sendable {
    public var callID: String
    public var localTag: String
    /// Empty with a peer that knows no tags (RFC 2543).
    public var remoteTag: String
}

/// A peer-to-peer relationship of two user agents (RFC 3261 §12): identifiers, route set, remote target, sequence numbers.
struct Dialog: Sendable {
    enum State: Sendable { case early, confirmed }

    let id: DialogID
    private(set) var state: State
    /// From of our requests, with our tag.
    let local: NameAddress
    /// To of our requests, with the peer's tag.
    let remote: NameAddress
    private(set) var remoteTarget: SIPURI
    private(set) var routeSet: [NameAddress]
    private(set) var localSequence: UInt32
    private(set) var remoteSequence: UInt32?

    /// The caller's dialog (§12.1.2), made by a response with a To tag, or a 2xx without one.
    init?(request: SIPRequest, response: SIPResponse) {
        guard let callID = request.headers.callID, let local = request.headers.from, let localTag = local.tag,
            let remote = response.headers.to, let cseq = request.headers.cSeq, (101..<300).contains(response.status),
            response.status >= 200 || remote.tag != nil
        else { return nil }
        id = DialogID(callID: callID, localTag: localTag, remoteTag: remote.tag ?? "")
        state = response.status < 200 ? .early : .confirmed
        self.local = local
        self.remote = remote
        // A peer that forgot its Contact is still reached where the INVITE went.
        remoteTarget = response.headers.contacts.first?.uri ?? request.uri
        routeSet = response.headers.recordRoutes.reversed()
        localSequence = cseq.number
        remoteSequence = nil
    }

    /// The callee's dialog (§12.1.1), made by an INVITE and the tag of our response.
    init?(incoming request: SIPRequest, localTag: String) {
        guard let callID = request.headers.callID, let remote = request.headers.from, var local = request.headers.to,
            let cseq = request.headers.cSeq
        else { return nil }
        local.tag = localTag
        id = DialogID(callID: callID, localTag: localTag, remoteTag: remote.tag ?? "")
        state = .early
        self.local = local
        self.remote = remote
        remoteTarget = request.headers.contacts.first?.uri ?? remote.uri
        routeSet = request.headers.recordRoutes
        // Our first request in the dialog gets 1 (§12.2.1.1: any start will do).
        localSequence = 0
        remoteSequence = cseq.number
    }

    /// A 2xx confirms the dialog; a caller computes route set and target anew from it (§13.2.2.4).
    mutating func confirm(with response: SIPResponse? = nil) {
        state = .confirmed
        guard let response else { return }
        if let contact = response.headers.contacts.first { remoteTarget = contact.uri }
        routeSet = response.headers.recordRoutes.reversed()
    }

    /// Target refresh (§12.2): by re-INVITE and UPDATE and their 2xx.
    mutating func refreshTarget(from headers: SIPHeaders) {
        if let contact = headers.contacts.first { remoteTarget = contact.uri }
    }

    /// False for a request that is older than one we saw (§12.2.2): it gets 500.
    mutating func accept(_ request: SIPRequest) -> Bool {
        guard let number = request.headers.cSeq?.number else { return false }
        if let remoteSequence, number < remoteSequence { return false }
        remoteSequence = number
        return true
    }

    mutating func nextSequence() -> UInt32 {
        localSequence &+= 1
        return localSequence
    }

    /// Another request of the same call took numbers outside of this dialog.
    mutating func raiseSequence(to number: UInt32) { localSequence = max(localSequence, number) }
}
