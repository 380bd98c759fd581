import NIOCore

/// Calls back for each wake-up of an eventfd; the bytes themselves say nothing.
final class WakeHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let body: () -> Void
    init(_ body: @escaping () -> Void) { self.body = body }
    func channelReadComplete(context: ChannelHandlerContext) { body() }
}
