import NIOCore

/// The answers of one DNS server on a connected datagram socket; an error (ICMP) and the end mean that none comes any more.
final class DNSDatagramHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    private let received: ([UInt8]) -> Void
    private let failed: () -> Void

    init(received: @escaping ([UInt8]) -> Void, failed: @escaping () -> Void) {
        self.received = received
        self.failed = failed
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { received(Array(unwrapInboundIn(data).data.readableBytesView)) }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    func channelInactive(context: ChannelHandlerContext) { failed() }
}

/// One answer over TCP: its length in two bytes, then itself (RFC 1035 §4.2.2).
final class DNSStreamHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private var bytes: [UInt8] = []
    private let received: ([UInt8]) -> Void
    private let failed: () -> Void

    init(received: @escaping ([UInt8]) -> Void, failed: @escaping () -> Void) {
        self.received = received
        self.failed = failed
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        bytes += unwrapInboundIn(data).readableBytesView
        guard bytes.count >= 2 else { return }
        let length = Int(bytes[0]) << 8 | Int(bytes[1])
        guard bytes.count >= 2 + length else { return }
        received(Array(bytes[2..<(2 + length)]))
        context.close(promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    func channelInactive(context: ChannelHandlerContext) { failed() }
}
