import Core
import NIOCore
import NIOEmbedded
import Secure
import Testing

@testable import Runtime

extension RuntimeTests {
    /// TLS in a pipeline without a socket: what it does when the peer does not read.
    struct TLSHandlerTests {
        /// 26 November 2026, as the tests' certificates want it.
        private static let day: Int64 = 1_795_700_000

        private final class Outcome {
            var results: [Result<TLSNegotiated, TLSFailure>] = []
        }

        private func server(_ outcome: Outcome) throws -> EmbeddedChannel {
            let context = try TLSContext(role: .server, configuration: TLSConfiguration(identity: TestCertificates.identity("localhost")))
            let channel = EmbeddedChannel()
            try channel.connect(to: NIOCore.SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
            try channel.pipeline.syncOperations.addHandler(
                TLSHandler(TLSConnection(server: context, unixTime: Self.day), keyLog: { _ in }, completed: { outcome.results.append($0) }))
            return channel
        }

        private func hello() throws -> [UInt8] {
            let context = try TLSContext(role: .client, configuration: TLSConfiguration(trust: TestCertificates.transports().trust))
            let client = TLSConnection(client: context, server: TLSPeerName("localhost", rules: .web), unixTime: Self.day)
            client.start()
            guard case .transmit(let bytes)? = client.poll() else { throw Hang(description: "no ClientHello") }
            return bytes
        }

        @Test func itsOwnAnswersAreNotKeptForAPeerThatDoesNotRead() throws {
            let outcome = Outcome()
            let channel = try server(outcome)
            channel.isWritable = false
            try channel.writeInbound(ByteBuffer(bytes: try hello()))
            #expect(try channel.readOutbound(as: ByteBuffer.self) == nil)
            #expect(!channel.isActive)
            // Who waits for the handshake is told.
            guard case .failure(.interrupted)? = outcome.results.first, outcome.results.count == 1 else {
                Issue.record("\(outcome.results)")
                return
            }
        }

        @Test func theyAreWrittenToOneThatReads() throws {
            let outcome = Outcome()
            let channel = try server(outcome)
            try channel.writeInbound(ByteBuffer(bytes: try hello()))
            #expect(try channel.readOutbound(as: ByteBuffer.self) != nil)
            #expect(channel.isActive && outcome.results.isEmpty)
            _ = try channel.finish(acceptAlreadyClosed: true)
        }
    }
}
