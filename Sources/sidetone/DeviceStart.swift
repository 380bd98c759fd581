import AudioIO
import Core
import Engine
import Interface
import Runtime

/// The audio devices at the start. What was named is opened before anything is sent. The default card, which may be missing, is tried beside
/// the loop: the phone listens before ALSA has read its configuration.
final class DeviceStart: Sendable {
    let engine: AudioEngine
    let bridge: AudioBridge
    private let triesInput: Bool
    private let triesOutput: Bool
    private let listsDevices: Bool

    init(_ settings: Settings, listsDevices: Bool) throws {
        self.listsDevices = listsDevices
        triesInput = settings.audioIn.specification == .alsa(name: nil) && !settings.phone.isEcho
        triesOutput = settings.audioOut.specification == .alsa(name: nil)
        do throws(AudioDeviceError) {
            engine = try AudioEngine(
                input: triesInput ? .null : settings.audioIn.specification, output: .null, echo: settings.phone.isEcho,
                capacity: max(64, settings.phone.maximumCalls))
        } catch {
            throw settings.audioIn.origin.error(Settings.plain(error.message))
        }
        bridge = AudioBridge(engine)
        if let record = settings.record {
            do throws(AudioDeviceError) {
                try engine.record(path: record.path)
            } catch {
                throw record.error(Settings.plain(error.message))
            }
        }
        guard !triesOutput else { return }
        do throws(AudioDeviceError) {
            try engine.setOutput(settings.audioOut.specification)
        } catch {
            throw settings.audioOut.origin.error(Settings.plain(error.message))
        }
    }

    func open(_ client: PhoneClient, _ ready: @escaping @Sendable () -> Void) {
        guard triesInput || triesOutput || listsDevices else { return ready() }
        Task.detached { [self] in
            let noInput = triesInput ? AudioDevices.probe(name: nil, direction: .input) : nil
            let noOutput = triesOutput ? AudioDevices.probe(name: nil, direction: .output) : nil
            if listsDevices { bridge.setDevices(AudioDevices.list()) }
            await client.onLoop { [self] in
                if triesInput, noInput == nil { try? engine.setInput(.alsa(name: nil)) }
                if triesOutput, noOutput == nil { try? engine.setOutput(.alsa(name: nil)) }
                if let warning = DeviceStart.warning(noInput: noInput != nil, noOutput: noOutput != nil) {
                    client.post(.warning(code: warning.code, message: warning.message))
                }
                if listsDevices { client.post(.audio(bridge.snapshot)) }
                ready()
            }
        }
    }

    /// No card at all is one warning, not two.
    static func warning(noInput: Bool, noOutput: Bool) -> AudioWarning? {
        switch (noInput, noOutput) {
        case (false, false): nil
        case (true, true): AudioWarning(code: "no-sound-card", message: "no sound card: going on without microphone and speaker")
        case (true, false): AudioWarning(code: "no-audio-input", message: "no sound card for input: going on without a microphone")
        case (false, true): AudioWarning(code: "no-audio-output", message: "no sound card for output: going on without a speaker")
        }
    }
}

extension PhoneClient {
    /// Runs on the loop's thread, where the audio engine belongs.
    func onLoop(_ body: @Sendable () -> Void) { body() }
}
