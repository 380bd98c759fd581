import Core
import Engine
import Secure
import Testing

@testable import Runtime

extension RuntimeTests {
    /// Connections to TURN servers. Here no call of the phone wants one, so it is closed as soon as it stands; what goes over it is tested with
    /// a real server.
    struct MediaStreamTests {
        private func open(_ listener: RawSocket, secure: Bool) async throws -> TestPhone {
            let phone = try await TestPhone.started(transports: try TestCertificates.transports())
            await phone.client.openStream(
                MediaStreamID(raw: 77), secure: secure, to: SocketAddress(.loopbackV4, listener.port), serverName: "localhost")
            return phone
        }

        @Test func theServersCertificateIsAcceptedAndTheEndIsSaid() async throws {
            let listener = try RawSocket(.tcp)
            let phone = try await open(listener, secure: true)
            try await onThread {
                let server = try StreamServer(listener, identity: TestCertificates.identity("localhost"))
                try server.waitForEnd()
                // close_notify came: an end without it would be a failure.
                #expect(server.tlsFailure == nil && server.wasEstablished)
            }
            try await phone.quit()
        }

        @Test func aServerOfAnotherName() async throws {
            let listener = try RawSocket(.tcp)
            let phone = try await open(listener, secure: true)
            try await onThread {
                let server = try StreamServer(listener, identity: TestCertificates.identity("dns"))
                try server.waitForEnd()
                #expect(server.tlsFailure == .alert(42) && !server.wasEstablished)
            }
            try await phone.quit()
        }

        @Test func aPlainConnectionIsOpenedAndClosed() async throws {
            let listener = try RawSocket(.tcp)
            let phone = try await open(listener, secure: false)
            try await onThread { try StreamServer(listener).waitForEnd() }
            try await phone.quit()
        }
    }
}
