import NIOCore
import NIOWebSocket

/// One connection of the web port: one request, and its answer, or a WebSocket from then on.
///
/// Made for strangers: one deadline for everything up to the end of the answer, whatever comes how slowly, and nothing is kept beyond the head.
final class WebConnection: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Belongs to the loop, as the connection does.
    enum Answer: @unchecked Sendable {
        case response(WebResponse)
        /// 101 with this Sec-WebSocket-Accept; the handlers of the WebSocket come by `opened`.
        case webSocket(accept: String, handler: WebSocketHandler, opened: () -> Void)
    }

    private enum State {
        case reading([UInt8])
        /// The answer is written: what still comes is thrown away, so that closing does not throw the answer away.
        case draining
        case upgraded
    }

    private var state = State.reading([])
    private let answer: (Result<WebRequest, WebRequest.Failure>) -> Answer

    init(answer: @escaping (Result<WebRequest, WebRequest.Failure>) -> Answer) { self.answer = answer }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .reading(var bytes) = state else {
            if case .upgraded = state { context.fireChannelRead(data) }
            return
        }
        let buffer = unwrapInboundIn(data)
        bytes += buffer.readableBytesView
        state = .reading(bytes)
        do throws(WebRequest.Failure) {
            guard let (request, length) = try WebRequest.parse(bytes) else { return }
            act(answer(.success(request)), request, rest: Array(bytes[length...]), context)
        } catch {
            act(answer(.failure(error)), nil, rest: [], context)
        }
    }

    private func act(_ answer: Answer, _ request: WebRequest?, rest: [UInt8], _ context: ChannelHandlerContext) {
        switch answer {
        case .response(let response):
            state = .draining
            let bytes = response.serialize(isHead: request?.method == "HEAD")
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
            context.close(mode: .output, promise: nil)
        case .webSocket(let accept, let handler, let opened):
            state = .upgraded
            let lines = [
                "HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Accept: \(accept)",
                "Sec-WebSocket-Protocol: \(WebSocketUpgrade.subprotocol)", "", "",
            ]
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: lines.joined(separator: "\r\n"))), promise: nil)
            do {
                try context.pipeline.syncOperations.addHandlers([
                    WebSocketFrameEncoder(), ByteToMessageHandler(WebSocketFrameDecoder(maxFrameSize: WebSocketUpgrade.maximumMessage)),
                    WebSocketMaskCheck(), WebSocketProtocolErrorHandler(isServer: true),
                    NIOWebSocketFrameAggregator(
                        minNonFinalFragmentSize: 0, maxAccumulatedFrameCount: 64, maxAccumulatedFrameSize: WebSocketUpgrade.maximumMessage),
                    handler,
                ])
            } catch {
                return context.close(promise: nil)
            }
            opened()
            if !rest.isEmpty { context.fireChannelRead(wrapInboundOut(ByteBuffer(bytes: rest))) }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

/// A client's frames are masked; a server closes the connection of one that does not (RFC 6455 §5.1).
final class WebSocketMaskCheck: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias InboundOut = WebSocketFrame

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard unwrapInboundIn(data).maskKey != nil else { return context.close(promise: nil) }
        context.fireChannelRead(data)
    }
}
