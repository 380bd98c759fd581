import AudioIO
import Core
import Engine
import Glibc
import ICE
import Interface
import RTP
import Runtime
import SIP
import Secure

/// One phone with its devices, certificate and (when asked for) echo endpoint, wired together. Wiring only.
final class PhoneHost: Sendable {
    let client: PhoneClient
    private let devices: DeviceStart

    private init(client: PhoneClient, devices: DeviceStart) {
        self.client = client
        self.devices = devices
    }

    /// Opens files and sockets and starts the phone. Throws a `UsageError` when something cannot be had.
    /// - Parameter box: the door to the phone for its own observer.
    static func start(
        _ settings: Settings, log: Log, wantsSnapshots: Bool, box: ClientBox, event: @escaping @Sendable (TimedEvent) -> Void,
        snapshot: @escaping @Sendable (Snapshot) -> Void = { _ in },
        frame: @escaping @Sendable (CallID, VP8Frame) -> Void = { _, _ in }, finished: @escaping @Sendable () -> Void
    ) throws -> PhoneHost {
        // The SRTP library takes some milliseconds to load and test itself: not in the first call.
        if settings.phone.security != .none { Task.detached { SRTPContext.prepare() } }
        let devices = try DeviceStart(settings, listsDevices: wantsSnapshots)
        let audio = devices.engine
        let bridge = devices.bridge
        let keylog = try settings.keylog.map { try PrivateFile.open($0.path, $0.origin) }
        var recorder: VideoRecorder?
        if case .file(let path) = settings.video.output {
            recorder = try VideoRecorder(path: path, origin: settings.video.outputOrigin) { box.post(.warning(code: "video-file", message: $0)) }
        }
        let pictures = recorder
        // The commands without a screen have no history: their caller has the result line.
        let history = wantsSnapshots && settings.keepsState ? HistoryFile() : nil
        let observer = PhoneObserver(
            event: {
                log.event($0)
                if case .result(let result) = $0.event { pictures?.ended(result.call) }
                event($0)
            }, snapshot: snapshot,
            audio: { request in bridge.perform(request) { box.post($0) } },
            frame: {
                pictures?.take($0, $1)
                frame($0, $1)
            },
            trace: { log.trace($0) },
            startEcho: {
                EchoEndpoint.start { uri in
                    box.post(.echoListening(uri))
                } failed: { why in
                    box.post(.echoFailed(why))
                }
            },
            audioWake: { for warning in audio.takeWarnings() { box.post(.warning(code: warning.code, message: warning.message)) } },
            keyLog: { line in if let keylog { Output.line(keylog, line) } },
            remember: { history?.add($0) },
            finished: {
                audio.shutdown()
                pictures?.finish()
                finished()
            })
        var configuration = settings.phone
        configuration.dtls.keyLog = keylog != nil
        configuration.history = history?.read() ?? []
        if !configuration.accounts.isEmpty { configuration.instanceID = InstanceIdentifier.load(keepsState: settings.keepsState) }
        var warnings = settings.warnings
        configuration.stunServers = StunServers.resolve(settings.stun, &warnings)
        configuration.turnServers = StunServers.resolve(settings.turn, &warnings)
        let identity = try Certificate.load(settings, &warnings)
        var transports = settings.transports
        transports.web = try settings.web.map { try Certificate.web($0, settings, &warnings) }
        let client = try makeClient(configuration, identity, transports, settings, wantsSnapshots, observer)
        box.set(client)
        let descriptor = dup(audio.outboundEventFD)
        let failure = Blocking.run { () -> StartError? in
            await client.watchAudio(descriptor: descriptor)
            do {
                try await client.start()
                return nil
            } catch {
                return error as? StartError ?? StartError(message: "\(error)")
            }
        }
        if let failure { throw UsageError("--\(failure.isWeb ? "web" : "listen"): \(failure); choose another address or port (0 takes any)") }
        for warning in warnings { client.post(.warning(code: warning.code, message: warning.message)) }
        return PhoneHost(client: client, devices: devices)
    }

    private static func makeClient(
        _ configuration: PhoneConfiguration, _ identity: CertificateIdentity, _ transports: TransportConfiguration, _ settings: Settings,
        _ wantsSnapshots: Bool, _ observer: PhoneObserver
    ) throws -> PhoneClient {
        do {
            return try PhoneClient(
                configuration: configuration, identity: identity, transports: transports, listeners: settings.listeners,
                wantsSnapshots: wantsSnapshots, observer: observer)
        } catch {
            throw UsageError("\(error)")
        }
    }

    /// Tries the default sound card, beside the loop; `ready` comes when the devices stand, at once when there was nothing to try.
    func openDevices(_ ready: @escaping @Sendable () -> Void) { devices.open(client, ready) }
}

/// Names of STUN and TURN servers to addresses, before the phone lives.
enum StunServers {
    static func resolve(_ servers: [Settings.Server], _ warnings: inout [Settings.Warning]) -> [SocketAddress] {
        guard !servers.isEmpty else { return [] }
        let found = Blocking.run { servers.map { NameResolver.addresses(of: $0.host) } }
        var out: [SocketAddress] = []
        for (server, addresses) in zip(servers, found) {
            if let ip = addresses.first(where: \.isV4) ?? addresses.first {
                out.append(SocketAddress(ip, server.port))
            } else {
                let name = Sanitiser.text(server.host)
                warnings.append(Settings.Warning(code: "stun-unresolved", message: "\(server.origin): no address for \(name): going on without it"))
            }
        }
        return out
    }

    static func resolve(_ relays: [Settings.Relay], _ warnings: inout [Settings.Warning]) -> [TurnServer] {
        guard !relays.isEmpty else { return [] }
        let found = Blocking.run { relays.map { NameResolver.addresses(of: $0.server.host) } }
        var out: [TurnServer] = []
        for (relay, addresses) in zip(relays, found) {
            let name = Sanitiser.text(relay.server.host)
            guard let ip = addresses.first(where: \.isV4) ?? addresses.first else {
                warnings.append(
                    Settings.Warning(code: "turn-unresolved", message: "\(relay.server.origin): no address for \(name): going on without it"))
                continue
            }
            out.append(
                TurnServer(
                    transport: relay.transport, address: SocketAddress(ip, relay.server.port), serverName: relay.server.host,
                    username: relay.username, password: relay.password))
        }
        return out
    }
}
