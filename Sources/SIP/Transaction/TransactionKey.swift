/// What matches a message with its transaction (RFC 3261 §17.1.3, §17.2.3): branch, sent-by and method.
///
/// ACK matches the INVITE. Without the magic cookie (RFC 2543) the branch is made of the fields that such a peer keeps equal.
public struct TransactionKey: Hashable, Sendable {
    public let branch: String
    /// Empty for our own requests: their branch is ours, and enough.
    public let sentBy: String
    public let method: SIPMethod

    init(branch: String, sentBy: String = "", method: SIPMethod) {
        self.branch = branch
        self.sentBy = sentBy
        self.method = method == .ack ? .invite : method
    }

    /// The key of a request that came in, or nil without a Via.
    /// - Parameters: method: INVITE, to find what a CANCEL cancels.
    init?(request: SIPRequest, method: SIPMethod? = nil) {
        guard let via = request.headers.topVia else { return nil }
        let method = method ?? request.method
        if let branch = via.branch, via.hasUniqueBranch {
            self.init(branch: branch, sentBy: via.sentBy, method: method)
        } else {
            let parts = [
                request.uri.description, request.headers.from?.tag ?? "", request.headers.callID ?? "",
                request.headers.cSeq.map { String($0.number) } ?? "", via.branch ?? "",
            ]
            self.init(branch: parts.joined(separator: "\n"), sentBy: via.sentBy, method: method)
        }
    }

    /// The key of the request that a response answers, or nil when it cannot be one of ours.
    init?(response: SIPResponse) {
        guard let via = response.headers.topVia, let branch = via.branch, let cSeq = response.headers.cSeq else { return nil }
        self.init(branch: branch, method: cSeq.method)
    }
}
