import AudioIO
import Core
import Engine
import Runtime
import SIP
import Secure

/// The built-in echo endpoint: a second phone in this process, with its own sockets on 127.0.0.1 and its own certificate.
enum EchoEndpoint {
    /// Starts it and tells where it answers. Its events are not printed.
    static func start(_ ready: @escaping @Sendable (SIPURI) -> Void) {
        Task.detached {
            guard let audio = try? AudioEngine(input: .null, output: .null, echo: true), let identity = try? CertificateIdentity.selfSigned(unixTime: Certificate.unixTime())
            else { return }
            var configuration = PhoneConfiguration()
            configuration.userAgent = "Sidetone/\(Root.version) echo"
            configuration.autoAnswer = true
            configuration.isEcho = true
            let bridge = AudioBridge(audio)
            let observer = PhoneObserver(event: { _ in }, audio: { request in bridge.perform(request) { _ in } }, audioWake: { _ = audio.takeWarnings() })
            let listener = ListenSpecification(transport: .udp, address: SocketAddress(.loopbackV4, 0), isExplicit: false)
            guard let client = try? PhoneClient(configuration: configuration, identity: identity, listeners: [listener], wantsSnapshots: false, observer: observer)
            else { return }
            await client.watchAudio(descriptor: audio.duplicateEventFD())
            guard (try? await client.start()) != nil, let address = await client.udpAddress, let uri = SIPURI("sip:echo@\(address)") else { return }
            EchoKeeper.shared.keep(client)
            ready(uri)
        }
    }
}
