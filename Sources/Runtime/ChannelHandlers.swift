import NIOCore

/// Datagrams in; its end is told once.
final class DatagramHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    private let received: (AddressedEnvelope<ByteBuffer>) -> Void
    private let closed: () -> Void

    init(received: @escaping (AddressedEnvelope<ByteBuffer>) -> Void, closed: @escaping () -> Void) {
        self.received = received
        self.closed = closed
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { received(unwrapInboundIn(data)) }
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
    func channelInactive(context: ChannelHandlerContext) { closed() }
}

/// Bytes of a stream in; its end is told once.
final class StreamHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let received: ([UInt8]) -> Void
    private let closed: () -> Void

    init(received: @escaping ([UInt8]) -> Void, closed: @escaping () -> Void) {
        self.received = received
        self.closed = closed
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { received(Array(unwrapInboundIn(data).readableBytesView)) }
    func channelInactive(context: ChannelHandlerContext) { closed() }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
