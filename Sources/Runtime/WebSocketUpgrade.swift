import Core
import NIOCore
import NIOHTTP1
import NIOWebSocket

/// Turns a connection into a WebSocket with the subprotocol `sip` (RFC 6455 §4.1, RFC 7118 §4).
final class WebSocketUpgrade: NIOHTTPClientProtocolUpgrader {
    static let maximumMessage = 65_536
    static let subprotocol = "sip"

    let supportedProtocol = "websocket"
    let requiredUpgradeHeaders: [String] = []
    private let key = NIOWebSocketClientUpgrader.randomRequestKey()
    /// Its check of the key that the server made of ours.
    private let check: NIOWebSocketClientUpgrader
    private let handler: WebSocketHandler
    private let refusal: WebSocketRefusal
    private let opened: () -> Void

    private init(handler: WebSocketHandler, refusal: WebSocketRefusal, opened: @escaping () -> Void) {
        self.handler = handler
        self.refusal = refusal
        self.opened = opened
        check = NIOWebSocketClientUpgrader(requestKey: key) { channel, _ in channel.eventLoop.makeSucceededVoidFuture() }
    }

    /// Asks for the upgrade on an open connection.
    /// - Parameters: host: as in a URI, with the port when it is not the default one; opened: the handler stands, nothing of the peer was lost;
    ///   refused: one line, once, instead.
    static func begin(
        on channel: any Channel, host: String, path: String, handler: WebSocketHandler, opened: @escaping () -> Void,
        refused: @escaping (String) -> Void
    ) throws {
        let refusal = WebSocketRefusal(refused)
        let upgrade = WebSocketUpgrade(handler: handler, refusal: refusal, opened: opened)
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHTTPClientHandlers(
            leftOverBytesStrategy: .forwardBytes, withClientUpgrade: (upgraders: [upgrade], completionHandler: { _ in }))
        try pipeline.addHandler(refusal)
        var head = HTTPRequestHead(version: .http1_1, method: .GET, uri: path)
        head.headers.add(name: "Host", value: host)
        channel.write(HTTPClientRequestPart.head(head), promise: nil)
        channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
    }

    func addCustom(upgradeRequestHeaders headers: inout HTTPHeaders) {
        check.addCustom(upgradeRequestHeaders: &headers)
        headers.add(name: "Sec-WebSocket-Protocol", value: Self.subprotocol)
    }

    func shouldAllowUpgrade(upgradeResponse response: HTTPResponseHead) -> Bool {
        guard check.shouldAllowUpgrade(upgradeResponse: response) else {
            refusal.reason = "the server's Sec-WebSocket-Accept is wrong"
            return false
        }
        let spoken = response.headers[canonicalForm: "sec-websocket-protocol"].map { $0.lowercased() }
        guard spoken == [Self.subprotocol] else {
            refusal.reason = "the WebSocket server does not speak the subprotocol sip"
            return false
        }
        return true
    }

    func upgrade(context: ChannelHandlerContext, upgradeResponse: HTTPResponseHead) -> EventLoopFuture<Void> {
        let pipeline = context.pipeline.syncOperations
        do {
            pipeline.removeHandler(refusal, promise: nil)
            try pipeline.addHandlers([
                WebSocketFrameEncoder(), ByteToMessageHandler(WebSocketFrameDecoder(maxFrameSize: Self.maximumMessage)),
                WebSocketProtocolErrorHandler(isServer: false),
                NIOWebSocketFrameAggregator(minNonFinalFragmentSize: 0, maxAccumulatedFrameCount: 1024, maxAccumulatedFrameSize: Self.maximumMessage),
                handler,
            ])
            opened()
            return context.eventLoop.makeSucceededVoidFuture()
        } catch {
            return context.eventLoop.makeFailedFuture(error)
        }
    }
}

/// Behind the upgrade: whatever reaches it means that there will be no WebSocket.
final class WebSocketRefusal: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPClientResponsePart
    /// Found in a 101 that is no good.
    var reason: String?
    private var refused: ((String) -> Void)?

    init(_ refused: @escaping (String) -> Void) { self.refused = refused }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(let head) = unwrapInboundIn(data) else { return }
        let status = "the WebSocket server answered \(head.status.code) \(Sanitiser.text(head.status.reasonPhrase, limit: 60))"
        tell(reason ?? (head.status == .switchingProtocols ? "the server switched to another protocol than WebSocket" : status), context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The upgrade's own errors come before the response that tells more.
        if error is NIOHTTPClientUpgradeError { return }
        tell("the server does not speak HTTP", context)
    }

    func channelInactive(context: ChannelHandlerContext) { tell("the peer closed the connection during the WebSocket upgrade", context) }

    private func tell(_ text: String, _ context: ChannelHandlerContext) {
        guard let refused else { return }
        self.refused = nil
        refused(text)
        context.close(promise: nil)
    }
}
