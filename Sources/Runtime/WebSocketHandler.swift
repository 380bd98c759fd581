import NIOCore
import NIOWebSocket

/// SIP messages over WebSocket frames (RFC 7118 §5): one message in each. Its end is told once.
final class WebSocketHandler: ChannelDuplexHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = WebSocketFrame

    private let isServer: Bool
    private let received: ([UInt8]) -> Void
    private let closed: () -> Void
    private var saidGoodbye = false

    init(isServer: Bool = false, received: @escaping ([UInt8]) -> Void, closed: @escaping () -> Void) {
        self.isServer = isServer
        self.received = received
        self.closed = closed
    }

    static let ping: [UInt8] = [13, 10, 13, 10]
    static let pong: [UInt8] = [13, 10]

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        switch frame.opcode {
        case .text, .binary: received(Array(frame.unmaskedData.readableBytesView))
        case .ping:
            // A peer that asks and asks and reads no answer would have us keep them all.
            guard context.channel.isWritable else { return context.close(promise: nil) }
            send(.pong, frame.unmaskedData, context)
        // The answer to a keep-alive, in SIP's own words (RFC 5626 §3.5.1).
        case .pong: received(Self.pong)
        case .connectionClose:
            // The code comes back as it came.
            goodbye(frame.unmaskedData, context)
            context.close(promise: nil)
        default: break
        }
    }

    /// One SIP message: text, or binary when a body is not UTF-8. The keep-alive becomes a ping (RFC 7118 §6): every server answers that.
    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let message = unwrapOutboundIn(data)
        let bytes = message.readableBytesView
        if bytes.elementsEqual(Self.ping) {
            send(.ping, ByteBuffer(), context, promise)
        } else {
            send(String(validating: bytes, as: UTF8.self) == nil ? .binary : .text, message, context, promise)
        }
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        // 1000: normal (RFC 6455 §7.4.1).
        goodbye(ByteBuffer(integer: UInt16(1000)), context)
        context.close(mode: mode, promise: promise)
    }

    /// Fragments that make no message, or one that is too long.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let tooBig = (error as? NIOWebSocketFrameAggregator.Error).map { $0 == .accumulatedFrameSizeIsTooLarge || $0 == .tooManyFragments } ?? false
        goodbye(ByteBuffer(integer: UInt16(tooBig ? 1009 : 1002)), context)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { closed() }

    private func goodbye(_ data: ByteBuffer, _ context: ChannelHandlerContext) {
        guard !saidGoodbye else { return }
        saidGoodbye = true
        send(.connectionClose, data, context)
    }

    /// A client masks what it sends (RFC 6455 §5.3), a server does not.
    private func send(_ opcode: WebSocketOpcode, _ data: ByteBuffer, _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>? = nil) {
        let frame = WebSocketFrame(fin: true, opcode: opcode, maskKey: isServer ? nil : .random(), data: data)
        context.writeAndFlush(wrapOutboundOut(frame), promise: promise)
    }
}
