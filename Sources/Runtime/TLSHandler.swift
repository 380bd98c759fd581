import NIOCore
import Secure

/// TLS in a channel's pipeline: records toward the socket, what they hold toward the other handlers. The thinking is `TLSConnection`'s.
final class TLSHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let connection: TLSConnection
    private let keyLog: (String) -> Void
    /// Told once: the handshake is done, or why not. Handlers that are added in it miss nothing.
    private var completed: ((Result<TLSNegotiated, TLSFailure>) -> Void)?
    /// Our direction alone was closed: what still comes is thrown away until the peer or somebody's patience ends it.
    private var isDraining = false

    init(_ connection: TLSConnection, keyLog: @escaping (String) -> Void, completed: @escaping (Result<TLSNegotiated, TLSFailure>) -> Void) {
        self.connection = connection
        self.keyLog = keyLog
        self.completed = completed
    }

    func handlerAdded(context: ChannelHandlerContext) { if context.channel.isActive { begin(context) } }

    func channelActive(context: ChannelHandlerContext) {
        begin(context)
        context.fireChannelActive()
    }

    private func begin(_ context: ChannelHandlerContext) {
        connection.start()
        perform(context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        connection.receive(unwrapInboundIn(data).readableBytesView)
        perform(context, answering: true)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard connection.isEstablished else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        connection.send(unwrapOutboundIn(data).readableBytesView)
        perform(context, promise)
    }

    /// A goodbye first (RFC 8446 §6.1). When our direction alone is closed, the other stays open underneath: a reset for what the peer still sends
    /// could take away an answer that it has not read yet.
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if mode == .output, connection.isEstablished { isDraining = true }
        connection.close()
        perform(context)
        context.close(mode: mode, promise: promise)
    }

    func channelInactive(context: ChannelHandlerContext) {
        connection.endOfInput()
        perform(context)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    /// What came out so far is taken first: a handler that writes while it is told something does not get the next thing in between.
    ///
    /// - Parameters: promise: kept when all that was written before is on its way; answering: what is sent TLS itself says to what came.
    private func perform(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>? = nil, answering: Bool = false) {
        var outputs: [TLSOutput] = []
        while let output = connection.poll() { outputs.append(output) }
        defer { if let promise { context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: promise) } }
        for output in outputs {
            switch output {
            // A peer that begins again and again (each time it is told no, RFC 5246 §7.2.2) and reads nothing would have us keep all of that.
            case .transmit where answering && !context.channel.isWritable: context.close(promise: nil)
            case .transmit(let bytes): context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
            case .received(let bytes): context.fireChannelRead(wrapInboundOut(ByteBuffer(bytes: bytes)))
            case .keyLog(let line): keyLog(line)
            case .established(let negotiated): tell(.success(negotiated))
            case .failed(let failure):
                tell(.failure(failure))
                context.close(promise: nil)
            case .closed:
                tell(.failure(.interrupted))
                if !isDraining { context.close(promise: nil) }
            }
        }
    }

    private func tell(_ result: Result<TLSNegotiated, TLSFailure>) {
        guard let completed else { return }
        self.completed = nil
        completed(result)
    }
}
