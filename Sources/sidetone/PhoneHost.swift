import AudioIO
import Core
import Engine
import Glibc
import Interface
import Runtime
import SIP
import Secure
import Synchronization

/// One phone with its devices, certificate and (when asked for) echo endpoint, wired together. Wiring only.
final class PhoneHost: Sendable {
    let client: PhoneClient

    private init(client: PhoneClient) { self.client = client }

    /// Opens devices and sockets and starts the phone. Throws a `UsageError` when something cannot be had.
    static func start(
        _ settings: Settings, wantsSnapshots: Bool, event: @escaping @Sendable (TimedEvent) -> Void,
        snapshot: @escaping @Sendable (Snapshot) -> Void = { _ in }, finished: @escaping @Sendable () -> Void
    ) throws -> PhoneHost {
        let audio: AudioEngine
        do {
            audio = try AudioEngine(input: settings.audioIn, output: settings.audioOut, echo: settings.phone.isEcho)
        } catch {
            throw UsageError("\(error)")
        }
        let bridge = AudioBridge(audio)
        let box = ClientBox()
        let trace = try TraceLog(settings.log)
        let keylog = try settings.keylog.map(KeyLog.init)
        // The commands without a screen have no history: their caller has the result line.
        let history = wantsSnapshots && settings.keepsCertificate ? HistoryFile() : nil
        let observer = PhoneObserver(
            event: event, snapshot: snapshot,
            audio: { request in bridge.perform(request) { box.post($0) } },
            trace: { trace.write($0) },
            startEcho: { EchoEndpoint.start { uri in box.post(.echoListening(uri)) } },
            audioWake: { for warning in audio.takeWarnings() { box.post(.warning(code: warning.code, message: warning.message)) } },
            keyLog: { keylog?.write($0) },
            remember: { history?.add($0) },
            finished: {
                audio.shutdown()
                finished()
            })
        var configuration = settings.phone
        configuration.dtls.keyLog = keylog != nil
        configuration.history = history?.read() ?? []
        configuration.stunServers = settings.stun.flatMap { text in
            Settings.hostAndPort(text).map { server in NameResolver.addresses(of: server.host).prefix(1).map { SocketAddress($0, server.port) } } ?? []
        }
        let identity = try Certificate.load(settings)
        let client = try makeClient(configuration, identity, settings.listeners, wantsSnapshots, observer)
        box.set(client)
        let descriptor = dup(audio.outboundEventFD)
        let failure = Blocking.run { () -> String? in
            await client.watchAudio(descriptor: descriptor)
            do {
                try await client.start()
                return nil
            } catch {
                return "\(error)"
            }
        }
        if let failure { throw UsageError(failure) }
        client.post(.audio(bridge.snapshot))
        for warning in StartWarnings.joined(audio.takeWarnings()) { client.post(.warning(code: warning.code, message: warning.message)) }
        return PhoneHost(client: client)
    }

    private static func makeClient(
        _ configuration: PhoneConfiguration, _ identity: CertificateIdentity, _ listeners: [ListenSpecification], _ wantsSnapshots: Bool,
        _ observer: PhoneObserver
    ) throws -> PhoneClient {
        do {
            return try PhoneClient(
                configuration: configuration, identity: identity, listeners: listeners, wantsSnapshots: wantsSnapshots, observer: observer)
        } catch {
            throw UsageError("\(error)")
        }
    }
}

/// No card at all is one warning, not two.
enum StartWarnings {
    static func joined(_ warnings: [AudioWarning]) -> [AudioWarning] {
        let missing = warnings.filter { $0.code.hasPrefix("no-audio-") }
        guard missing.count > 1 else { return warnings }
        let one = AudioWarning(code: "no-sound-card", message: "no sound card: going on without microphone and speaker")
        return [one] + warnings.filter { !$0.code.hasPrefix("no-audio-") }
    }
}

/// The client, once it exists: its own observer needs it.
final class ClientBox: Sendable {
    private let client = Mutex<PhoneClient?>(nil)
    func set(_ client: PhoneClient) { self.client.withLock { $0 = client } }
    func post(_ input: PhoneInput) { client.withLock { $0 }?.post(input) }
}

/// Waits on the main thread for work of the concurrency pool. Only before and after the main loop.
enum Blocking {
    static func run<Value: Sendable>(_ body: @escaping @Sendable () async -> Value) -> Value {
        let result = Mutex<Value?>(nil)
        let done = Semaphore()
        Task.detached {
            let value = await body()
            result.withLock { $0 = value }
            done.signal()
        }
        while true {
            done.wait()
            if let value = result.withLock({ $0 }) { return value }
        }
    }
}

/// A POSIX semaphore.
final class Semaphore: @unchecked Sendable {
    private let raw = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
    init() { sem_init(raw, 0, 0) }
    deinit {
        sem_destroy(raw)
        raw.deallocate()
    }
    func signal() { sem_post(raw) }
    func wait() { while sem_wait(raw) != 0 && errno == EINTR {} }
}
