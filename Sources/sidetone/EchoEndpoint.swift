import AudioIO
import Core
import Engine
import Runtime
import SIP
import Secure

/// The built-in echo endpoint: a second phone in this process, with its own sockets on 127.0.0.1 and its own certificate.
enum EchoEndpoint {
    /// Starts it and tells where it answers, or why it cannot. Its events are not printed.
    static func start(_ ready: @escaping @Sendable (SIPURI) -> Void, failed: @escaping @Sendable (String) -> Void) {
        Task.detached {
            do {
                ready(try await listening())
            } catch {
                failed("\(error)")
            }
        }
    }

    private static func listening() async throws -> SIPURI {
        let audio = try AudioEngine(input: .null, output: .null, echo: true)
        let identity = try CertificateIdentity.selfSigned(unixTime: Certificate.unixTime())
        var configuration = PhoneConfiguration()
        configuration.userAgent = "Sidetone/\(Root.version) echo"
        configuration.autoAnswer = true
        configuration.isEcho = true
        let bridge = AudioBridge(audio)
        let observer = PhoneObserver(event: { _ in }, audio: { request in bridge.perform(request) { _ in } }, audioWake: { _ = audio.takeWarnings() })
        let listener = ListenSpecification(transport: .udp, address: SocketAddress(.loopbackV4, 0), isExplicit: false)
        let client = try PhoneClient(
            configuration: configuration, identity: identity, listeners: [listener], wantsSnapshots: false, observer: observer)
        await client.watchAudio(descriptor: audio.duplicateEventFD())
        try await client.start()
        guard let address = await client.udpAddress, let uri = SIPURI("sip:echo@\(address)") else { throw StartError(message: "it has no address") }
        EchoKeeper.shared.keep(client)
        return uri
    }
}
